//! LlamaIndex's own objects in the values of its spans: a query in its bundle, and found nodes as Python prints them.
//!
//! `<NodeWithScore(node=TextNode(id_=…), score=…)>` holds a node's id and score but not its text. The rule writes these
//! two, and no document without content: MLflow's evaluation would judge its relevance.

use serde_json::{Value, json};

use super::attribute_builder::AttributeBuilder;
use super::span_view::SpanView;
use crate::json::{self, JsonValue};
use crate::mlflow::keys::{SPAN_INPUTS, SPAN_OUTPUTS};
use crate::openinference::Key;

/// Adds the words of a query, and the ids and scores of nodes.
pub(super) fn add<'s, 'a>(view: &SpanView<'s, 'a>, added: &mut AttributeBuilder<'_, 's, 'a>) {
    if added.lacks(SPAN_INPUTS)
        && let Some(query) = view.json(Key::InputValue).and_then(query)
    {
        added.add_text(SPAN_INPUTS, json::storable(&query).into_owned());
    }
    if added.lacks(SPAN_OUTPUTS)
        && let Some(nodes) = view.json(Key::OutputValue).and_then(nodes)
    {
        added.add_text(SPAN_OUTPUTS, json::clean(&nodes.to_string()).into_owned());
    }
}

/// The words in `{"query_bundle": {"query_str": …}}`, where there is nothing beside them.
fn query(inputs: JsonValue<'_>) -> Option<String> {
    let mut entries = inputs.entries();
    let (key, bundle) = entries.next()?;
    if !key.is_one_of(&["query_bundle"]) || entries.next().is_some() {
        return None;
    }
    bundle.field("query_str").and_then(JsonValue::string).map(|query| query.into_owned())
}

/// The nodes of a list that holds nothing else.
fn nodes(outputs: JsonValue<'_>) -> Option<Value> {
    let nodes: Option<Vec<Value>> = outputs.items().map(node).collect();
    nodes.filter(|nodes| !nodes.is_empty()).map(Value::from)
}

fn node(printed: JsonValue<'_>) -> Option<Value> {
    let printed = printed.string()?;
    let inside = printed.strip_prefix("<NodeWithScore(node=")?.strip_suffix(")>")?;
    let (node, score) = inside.rsplit_once("), score=")?;
    let (_, id) = node.split_once("id_=")?;
    Some(match score.parse::<f64>().ok().filter(|score| score.is_finite()) {
        Some(score) => json!({"id": id, "score": score}),
        None => json!({"id": id}),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::test_support::added_value;

    #[test]
    fn a_query_is_its_words() {
        let asked = |inputs: &str| added_value("RETRIEVER", &[("input.value", json!(inputs))], SPAN_INPUTS);
        assert_eq!(asked(r#"{"query_bundle": {"query_str": "what?", "embedding": null}}"#), json!("what?"));
        let number = r#"{"query_bundle": {"query_str": "{\"a\": 100000000000000000000}"}}"#;
        assert_eq!(asked(number), json!({"a": "100000000000000000000"}));
        let more = r#"{"query_bundle": {"query_str": "what?"}, "top_k": 2}"#;
        assert_eq!(asked(more).to_string(), more.replace(": ", ":").replace(", ", ","));
    }

    #[test]
    fn printed_nodes_are_their_ids_and_scores() {
        let found = |outputs: &str| added_value("RETRIEVER", &[("output.value", json!(outputs))], SPAN_OUTPUTS);
        let printed = r#"["<NodeWithScore(node=TextNode(id_=a), score=0.5)>", "<NodeWithScore(node=TextNode(id_=b), score=None)>"]"#;
        assert_eq!(found(printed), json!([{"id": "a", "score": 0.5}, {"id": "b"}]));
        for other in [r#"["<NodeWithScore(node=TextNode(id_=a), score=0.5)>", 1]"#, r#"["<NodeWithScore()>"]"#] {
            assert!(found(other)[0].is_string(), "{other}");
        }
    }
}
