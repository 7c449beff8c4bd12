//! Embeddings: the texts, and how many vectors of which dimension were made of them. The vectors stay where they are.

use serde_json::{Value, json};

use super::attribute_builder::AttributeBuilder;
use super::span_view::SpanView;
use crate::json::{self, JsonValue};
use crate::mlflow::keys::{SPAN_INPUTS, SPAN_OUTPUTS, SPAN_TYPE};
use crate::openinference::{AttributeNode, AttributeTree, Family, Key};
use crate::otlp;

/// Adds inputs where the span carries no value, and outputs where it carries none or one that is made of numbers.
pub(super) fn add<'s, 'a>(view: &SpanView<'s, 'a>, added: &mut AttributeBuilder<'_, 's, 'a>) {
    let is_call = added.stored(SPAN_TYPE).is_some_and(|kind| kind.as_text() == "EMBEDDING");
    if !is_call && !view.families().contains(Family::Embedding) {
        return;
    }
    let value = |key: Key| view.value(key);
    let embedding = AttributeTree::pick(&view.span().attributes, "embedding", &["embeddings"]);
    let embeddings = embedding.family("embeddings");
    let of = |name: &'static str| embeddings.items().map(move |item| item.at(&["embedding", name]));
    if added.lacks(SPAN_INPUTS) && value(Key::InputValue).is_none() {
        let texts: Vec<Value> = of("text").filter_map(|text| Some(text.text()?.into_owned().into())).collect();
        if !texts.is_empty() {
            added.add_text(SPAN_INPUTS, json::clean(&json!({"input": texts}).to_string()).into_owned());
        }
    }
    if !added.lacks(SPAN_OUTPUTS) {
        return;
    }
    let raw = value(Key::OutputValue);
    let numbers = raw.filter(|_| is_call).and_then(|raw| raw.json());
    let numbers = numbers.and_then(|answer| Some((answer, raw_vectors(answer)?)));
    if raw.is_some() && numbers.is_none() {
        return;
    }
    let vectors: Vec<_> = of("vector").filter(|vector| !vector.is_empty()).collect();
    let (count, dimension) = match numbers {
        _ if !vectors.is_empty() => (vectors.len(), vectors.iter().find_map(dimension)),
        Some((_, found)) => found,
        None => return,
    };
    let mut outputs = json!({"vectors": count});
    if let Some(dimension) = dimension {
        outputs["dimension"] = dimension.into();
    }
    // MLflow looks for the model there, too.
    if let Some(model) = numbers.and_then(|(answer, _)| answer.field("model")).and_then(JsonValue::string) {
        outputs["model"] = model.into();
    }
    added.add_text(SPAN_OUTPUTS, json::clean(&outputs.to_string()).into_owned());
}

/// The dimension of a vector; `None` when the vector is missing or redacted.
fn dimension(vector: &AttributeNode<'_, '_>) -> Option<usize> {
    let count = match vector.value()? {
        otlp::Value::Array(numbers) => numbers.iter().count(),
        otlp::Value::String(text) => json::items(text.get()).count(),
        _ => 0,
    };
    Some(count).filter(|count| *count > 0)
}

/// The number of vectors in a response, and their dimension. The response is a vector, a list of vectors, or an object that
/// holds them where OpenAI, Cohere, Gemini and Bedrock put them.
fn raw_vectors(answer: JsonValue<'_>) -> Option<(usize, Option<usize>)> {
    let lists = answer.fields(["data", "embeddings", "embedding", "predictions"]);
    let list = lists.into_iter().flatten().next().unwrap_or(answer);
    let vector = |item: JsonValue<'_>| match item {
        list if is_vector(list) => Some(list.items().count()),
        item => {
            let lists = item.fields(["embedding", "values", "vector"]).into_iter().flatten();
            lists.filter(|list| is_vector(*list)).map(|list| list.items().count()).next()
        }
    };
    if let Some(dimension) = vector(list) {
        return Some((1, Some(dimension)));
    }
    let dimension = list.items().next().and_then(vector)?;
    Some((list.items().count(), Some(dimension)))
}

/// Whether a value is a list that begins with a number.
fn is_vector(value: JsonValue<'_>) -> bool {
    let is_number = |text: &str| text.starts_with(|start: char| start == '-' || start.is_ascii_digit());
    value.items().next().is_some_and(|first| is_number(first.text()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::test_support::added_value;

    #[test]
    fn embeddings_tell_their_texts_and_never_their_vectors() {
        let embedded = [
            ("embedding.embeddings.0.embedding.text", json!("hello")),
            ("embedding.embeddings.0.embedding.vector", json!("[0.1, 0.2, 0.3]")),
            ("embedding.embeddings.1.embedding.text", json!("world")),
            ("embedding.embeddings.1.embedding.vector", json!("__REDACTED__")),
        ];
        assert_eq!(added_value("EMBEDDING", &embedded, SPAN_INPUTS), json!({"input": ["hello", "world"]}));
        assert_eq!(added_value("EMBEDDING", &embedded, SPAN_OUTPUTS), json!({"vectors": 2, "dimension": 3}));
    }

    #[test]
    fn vectors_in_a_raw_answer_are_counted_and_not_shown() {
        for (answer, said) in [
            (
                r#"{"data": [{"embedding": [0.5, -1]}, {"embedding": [1, 2]}], "model": "m"}"#,
                json!({"vectors": 2, "dimension": 2, "model": "m"}),
            ),
            (r#"{"embeddings": [{"values": [-1, 2, 3]}]}"#, json!({"vectors": 1, "dimension": 3})),
            (r#"{"embedding": [1, 2, 3]}"#, json!({"vectors": 1, "dimension": 3})),
            ("[[1, 2], [3, 4], [5, 6]]", json!({"vectors": 3, "dimension": 2})),
            ("[1, 2]", json!({"vectors": 1, "dimension": 2})),
        ] {
            assert_eq!(added_value("EMBEDDING", &[("output.value", json!(answer))], SPAN_OUTPUTS), said, "{answer}");
            assert_ne!(added_value("CHAIN", &[("output.value", json!(answer))], SPAN_OUTPUTS), said, "{answer}");
        }
    }

    #[test]
    fn answers_that_hold_no_numbers_stay() {
        for answer in ["two vectors", r#"{"data": ["a"]}"#, "[]", r#"["1"]"#] {
            let vector = ("embedding.embeddings.0.embedding.vector", json!([1.0]));
            let outputs = added_value("EMBEDDING", &[("output.value", json!(answer)), vector], SPAN_OUTPUTS);
            let is_said = outputs.get("vectors").is_some();
            assert_eq!(is_said, json::is_falsy(answer), "{answer}");
        }
    }
}
