//! Embeddings: the texts, and how many vectors of which dimension were made of them. The vectors stay where they are.

use serde_json::{Value, json};

use super::facts::Facts;
use super::gains::Gains;
use super::io;
use crate::mlflow::json;
use crate::mlflow::keys::{SPAN_INPUTS, SPAN_OUTPUTS};
use crate::openinference::{Family, Indexed, Key, Node};
use crate::otlp;

/// Adds inputs and outputs where the span carries no values.
pub(super) fn add<'s, 'a>(facts: &Facts<'s, 'a>, gains: &mut Gains<'_, 's, 'a>) {
    if !facts.families().contains(Family::Embedding) {
        return;
    }
    let lacks = |value: Key| facts.get(value).and_then(io::mapped).is_none();
    let (wants_inputs, wants_outputs) =
        (gains.lacks(SPAN_INPUTS) && lacks(Key::InputValue), gains.lacks(SPAN_OUTPUTS) && lacks(Key::OutputValue));
    if !wants_inputs && !wants_outputs {
        return;
    }
    let embedding = Indexed::pick(&facts.span().attributes, "embedding", &["embeddings"]);
    let embeddings = embedding.family("embeddings");
    let of = |name: &'static str| embeddings.items().map(move |item| item.at(&["embedding", name]));
    if wants_inputs {
        let texts: Vec<Value> = of("text").filter_map(|text| Some(text.text()?.into_owned().into())).collect();
        if !texts.is_empty() {
            gains.add_text(SPAN_INPUTS, json::clean(&json!({"input": texts}).to_string()).into_owned());
        }
    }
    if wants_outputs {
        let vectors: Vec<_> = of("vector").filter(|vector| !vector.is_empty()).collect();
        if !vectors.is_empty() {
            let mut outputs = json!({"vectors": vectors.len()});
            if let Some(dimension) = vectors.iter().find_map(dimension) {
                outputs["dimension"] = dimension.into();
            }
            gains.add_text(SPAN_OUTPUTS, outputs.to_string());
        }
    }
}

/// How many numbers a vector has; `None` for one that is not told, as when it is redacted.
fn dimension(vector: &Node<'_, '_>) -> Option<usize> {
    let count = match vector.value()? {
        otlp::Value::Array(numbers) => numbers.iter().count(),
        otlp::Value::String(text) => json::items(text.get()).count(),
        _ => 0,
    };
    Some(count).filter(|count| *count > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::told::told;

    #[test]
    fn embeddings_tell_their_texts_and_never_their_vectors() {
        let embedded = [
            ("embedding.embeddings.0.embedding.text", json!("hello")),
            ("embedding.embeddings.0.embedding.vector", json!("[0.1, 0.2, 0.3]")),
            ("embedding.embeddings.1.embedding.text", json!("world")),
            ("embedding.embeddings.1.embedding.vector", json!("__REDACTED__")),
        ];
        assert_eq!(told("EMBEDDING", &embedded, SPAN_INPUTS), json!({"input": ["hello", "world"]}));
        assert_eq!(told("EMBEDDING", &embedded, SPAN_OUTPUTS), json!({"vectors": 2, "dimension": 3}));
    }
}
