//! Searches and rankings: what was asked, and the documents found.
//!
//! MLflow's UI draws cards, and its evaluation judges relevance, where a retriever's outputs are an array of
//! `{"page_content", "metadata", "id"}`. Instrumentations put the same documents into attributes of their own, beside outputs
//! that are often no more than the names of objects.

use serde_json::{Map, Value, json};

use super::attribute_builder::AttributeBuilder;
use super::span_view::SpanView;
use crate::json::{self, is_structured};
use crate::mlflow::keys::{SPAN_INPUTS, SPAN_OUTPUTS, SPAN_TYPE};
use crate::openinference::{AttributeNode, AttributeTree, Family, Key, number};

/// Where in a document's metadata the place is that it came from, in the order of trust. Evaluation compares it under the
/// first of these names.
const PLACES: [&str; 9] = ["doc_uri", "source", "url", "uri", "file_path", "path", "file_name", "filename", "src"];

/// Adds the documents of a retriever, and the query and documents of a reranker.
pub(super) fn add<'s, 'a>(view: &SpanView<'s, 'a>, added: &mut AttributeBuilder<'_, 's, 'a>) {
    if view.families().contains(Family::Retrieval) {
        let retrieval = AttributeTree::pick(&view.span().attributes, "retrieval", &["documents"]);
        add_found(retrieval.family("documents"), "RETRIEVER", view, added);
    }
    if view.families().contains(Family::Reranker) {
        let families = ["input_documents", "output_documents"];
        let reranker = AttributeTree::pick(&view.span().attributes, "reranker", &families);
        if added.lacks(SPAN_INPUTS) && is_unread(view) {
            add_ranked(reranker.family("input_documents"), view, added);
        }
        add_found(reranker.family("output_documents"), "RERANKER", view, added);
    }
}

/// Adds documents as outputs. On a span of the kind that finds them they take the place of a raw value that is no such array.
fn add_found<'s, 'a>(
    found: AttributeNode<'_, 'a>,
    kind: &str,
    view: &SpanView<'s, 'a>,
    added: &mut AttributeBuilder<'_, 's, 'a>,
) {
    if !added.lacks(SPAN_OUTPUTS) {
        return;
    }
    let is_finder = added.stored(SPAN_TYPE).is_some_and(|stored| stored.as_text() == kind);
    let is_wanted = if is_finder { !is_drawn(view) } else { is_without(view, Key::OutputValue) };
    if !is_wanted {
        return;
    }
    let documents = documents(found);
    if !documents.is_empty() {
        added.add_text(SPAN_OUTPUTS, json::clean(&Value::from(documents).to_string()).into_owned());
    }
}

fn add_ranked<'s, 'a>(
    ranked: AttributeNode<'_, 'a>,
    view: &SpanView<'s, 'a>,
    added: &mut AttributeBuilder<'_, 's, 'a>,
) {
    let mut inputs = Map::new();
    if let Some(query) = view.text(Key::RerankerQuery) {
        inputs.insert("query".to_owned(), query.into());
    }
    if let Some(top) = view.count(Key::RerankerTopK).value() {
        inputs.insert("top_k".to_owned(), top.into());
    }
    let documents = documents(ranked);
    if !documents.is_empty() {
        inputs.insert("documents".to_owned(), documents.into());
    }
    if !inputs.is_empty() {
        added.add_text(SPAN_INPUTS, json::clean(&Value::from(inputs).to_string()).into_owned());
    }
}

/// Whether there are no raw inputs, or documents are printed in them.
fn is_unread(view: &SpanView<'_, '_>) -> bool {
    is_without(view, Key::InputValue) || view.is_printed(Key::InputValue)
}

fn is_without(view: &SpanView<'_, '_>, key: Key) -> bool {
    view.value(key).is_none()
}

/// Whether the raw outputs are already what the UI draws.
fn is_drawn(view: &SpanView<'_, '_>) -> bool {
    let Some(outputs) = view.json(Key::OutputValue) else { return false };
    let mut items = outputs.items().peekable();
    items.peek().is_some() && items.all(|item| item.field("page_content").is_some())
}

fn documents(family: AttributeNode<'_, '_>) -> Vec<Value> {
    family.items().map(|item| document(item.child("document"))).collect()
}

fn document(node: AttributeNode<'_, '_>) -> Value {
    let text = |name: &str| node.child(name).text().filter(|text| !text.is_empty()).map(|text| text.into_owned());
    let id = text("id");
    let mut metadata = text("metadata").map(metadata).unwrap_or_default();
    let place = PLACES.iter().find_map(|name| metadata.get(*name).and_then(Value::as_str)).map(str::to_owned);
    if let Some(place) = place.or_else(|| text("url")).or_else(|| id.clone()) {
        metadata.insert("doc_uri".to_owned(), place.into());
    }
    if let Some(score) = node.child("score").value().and_then(number) {
        metadata.insert("score".to_owned(), json!(score));
    }
    let mut document = Map::new();
    document.insert("page_content".to_owned(), text("content").unwrap_or_default().into());
    document.insert("metadata".to_owned(), metadata.into());
    document.extend(id.map(|id| ("id".to_owned(), id.into())));
    document.into()
}

/// Metadata as an object; text that is none is kept as it is, under the name it came under.
fn metadata(text: String) -> Map<String, Value> {
    let parsed = is_structured(&text).then(|| serde_json::from_str(&json::clean(&text)).ok()).flatten();
    parsed.unwrap_or_else(|| Map::from_iter([("metadata".to_owned(), text.into())]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::test_support::added_value;

    #[test]
    fn found_documents_become_cards_with_their_place_and_score() {
        let found = [
            ("output.value", json!("[<Document object at 0x1>]")),
            ("retrieval.documents.0.document.id", json!(7)),
            ("retrieval.documents.0.document.content", json!("Paris")),
            ("retrieval.documents.0.document.score", json!(0.5)),
            ("retrieval.documents.0.document.metadata", json!(r#"{"source": "wiki", "page": 1}"#)),
            ("retrieval.documents.1.document.metadata", json!("{'not': 'json'}")),
        ];
        assert_eq!(
            added_value("RETRIEVER", &found, SPAN_OUTPUTS),
            json!([
                {"page_content": "Paris", "metadata": {"source": "wiki", "page": 1, "doc_uri": "wiki", "score": 0.5}, "id": "7"},
                {"page_content": "", "metadata": {"metadata": "{'not': 'json'}"}},
            ])
        );
        assert_eq!(added_value("CHAIN", &found, SPAN_OUTPUTS), json!("[<Document object at 0x1>]"));
    }

    #[test]
    fn outputs_that_are_cards_already_stay() {
        let cards = r#"[{"page_content": "own"}]"#;
        let found = [("output.value", json!(cards)), ("retrieval.documents.0.document.content", json!("other"))];
        assert_eq!(added_value("RETRIEVER", &found, SPAN_OUTPUTS), json!([{"page_content": "own"}]));
    }

    #[test]
    fn a_ranking_tells_what_was_ranked_and_how_it_ended() {
        let ranked = [
            ("input.value", json!(r#"{"documents": ["Document(id=1, content: 'a')"]}"#)),
            ("reranker.query", json!("q")),
            ("reranker.top_k", json!(1)),
            ("reranker.input_documents.0.document.content", json!("a")),
            ("reranker.input_documents.1.document.content", json!("b")),
            ("reranker.output_documents.0.document.content", json!("b")),
        ];
        let document = |text: &str| json!({"page_content": text, "metadata": {}});
        assert_eq!(
            added_value("RERANKER", &ranked, SPAN_INPUTS),
            json!({"query": "q", "top_k": 1, "documents": [document("a"), document("b")]})
        );
        assert_eq!(added_value("RERANKER", &ranked, SPAN_OUTPUTS), json!([document("b")]));
    }
}
