//! LlamaIndex's own objects in the values of its spans: a query in its bundle, and found nodes as Python prints them.
//!
//! `<NodeWithScore(node=TextNode(id_=…), score=…)>` says which node was found and how well it fits, and nothing of its text: it is
//! told as these two, and not as a document of no words, of which MLflow's evaluation would judge the relevance.

use serde_json::{Value, json};

use super::added_attributes::AttributeBuilder;
use super::io;
use super::span_view::SpanView;
use crate::mlflow::json;
use crate::mlflow::keys::{SPAN_INPUTS, SPAN_OUTPUTS};
use crate::openinference::Key;

/// Adds the words of a query, and the ids and scores of nodes.
pub(super) fn add<'s, 'a>(view: &SpanView<'s, 'a>, added: &mut AttributeBuilder<'_, 's, 'a>) {
    let text = |key: Key| view.get(key).and_then(io::mapped);
    if added.lacks(SPAN_INPUTS)
        && let Some(query) = text(Key::InputValue).and_then(|value| query(&value.as_text()))
    {
        added.add_text(SPAN_INPUTS, json::storable(&query).into_owned());
    }
    if added.lacks(SPAN_OUTPUTS)
        && let Some(nodes) = text(Key::OutputValue).and_then(|value| nodes(&value.as_text()))
    {
        added.add_text(SPAN_OUTPUTS, json::clean(&nodes.to_string()).into_owned());
    }
}

/// The words in `{"query_bundle": {"query_str": …}}`, where there is nothing beside them.
fn query(inputs: &str) -> Option<String> {
    if !inputs.contains("\"query_bundle\"") || !json::is_structured(inputs) {
        return None;
    }
    let mut entries = json::entries(inputs);
    let (_, bundle) = entries.next()?;
    if entries.next().is_some() {
        return None;
    }
    json::fields(bundle, ["query_str"])[0].and_then(json::string).map(|query| query.into_owned())
}

/// The nodes of a list that holds nothing else.
fn nodes(outputs: &str) -> Option<Value> {
    if !outputs.contains("<NodeWithScore(") || !json::is_structured(outputs) {
        return None;
    }
    let nodes: Option<Vec<Value>> = json::items(outputs).map(node).collect();
    nodes.filter(|nodes| !nodes.is_empty()).map(Value::from)
}

fn node(printed: &str) -> Option<Value> {
    let printed = json::string(printed)?;
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
