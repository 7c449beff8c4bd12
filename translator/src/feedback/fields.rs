//! OpenInference's attributes: `annotations.N.annotation.*`, `evaluations.N.evaluation.*`, and both below `trace.` and
//! `session.`.

use serde_json::Value as Json;

use super::Feedback;
use super::target::{self, Scope};
use crate::json;
use crate::openinference::{AttributeNode, AttributeTree, number};
use crate::otlp::{Span, Value};

/// The two words for feedback: of a family, and of one item in it.
const WORDS: [(&str, &str); 2] = [("annotations", "annotation"), ("evaluations", "evaluation")];

/// The prefixes of scoped feedback.
const SCOPES: [(&str, Scope); 2] = [("trace", Scope::Trace), ("session", Scope::Session)];

/// The most entries taken from one item's metadata.
const MAX_METADATA: usize = 200;

/// Whether any name begins as one of feedback does: the cheap test before [`read`].
pub(super) fn may_be_there(span: &Span<'_>) -> bool {
    span.attributes.iter().any(|attribute| {
        let name = attribute.key.get();
        let name = name.strip_prefix("trace.").or_else(|| name.strip_prefix("session.")).unwrap_or(name);
        name.starts_with("annotations.") || name.starts_with("evaluations.")
    })
}

/// Reads all of them.
pub(super) fn read(span: &Span<'_>, found: &mut Vec<Feedback>) {
    for (family, word) in WORDS {
        let of_span = AttributeTree::numbered(&span.attributes, family);
        found.extend(of_span.root().items().filter_map(|item| feedback(span, Scope::Span, item.child(word))));
        for (head, scope) in SCOPES {
            let scoped = AttributeTree::pick(&span.attributes, head, &[family]);
            found.extend(scoped.family(family).items().filter_map(|item| feedback(span, scope, item.child(word))));
        }
    }
}

/// One item; `None` when it says nothing.
fn feedback(span: &Span<'_>, scope: Scope, item: AttributeNode<'_, '_>) -> Option<Feedback> {
    let text =
        |field: &str| item.child(field).text().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let mut label = text("label");
    let score = item.child("score").value().and_then(|value| {
        let score = score(value);
        if score.is_none() {
            // A score that is no number is a category.
            label = label.take().or_else(|| text("score"));
        }
        score
    });
    let feedback = Feedback {
        target: target::of(span, scope)?,
        name: text("name").unwrap_or_default(),
        score,
        label,
        explanation: text("explanation"),
        annotator: text("annotator_kind"),
        identifier: text("identifier"),
        metadata: metadata(item.child("metadata")),
        time: span.end,
    };
    feedback.has_result().then_some(feedback)
}

/// A number or a truth value, as the producer wrote it.
pub(super) fn score(value: Value<'_>) -> Option<Json> {
    match value {
        Value::Bool(flag) => Some(flag.into()),
        Value::Int(number) => Some(number.into()),
        value => number(value).map(Json::from),
    }
}

/// A JSON object's entries, each as text; of what is no object the text as it is.
fn metadata(node: AttributeNode<'_, '_>) -> Vec<(String, String)> {
    let Some(text) = node.text().filter(|text| !text.trim().is_empty()) else {
        // Some flatten it as they flatten all else.
        let leaves = node.leaves().take(MAX_METADATA);
        return leaves.map(|(key, value)| (key.to_owned(), plain(value))).collect();
    };
    let object = json::unquoted(&text).unwrap_or_else(|| text.clone().into_owned());
    let is_json = json::is_structured(&object);
    let entries: Vec<_> = json::entries(if is_json { &object } else { "{}" })
        .filter(|(_, value)| *value != "null")
        .take(MAX_METADATA)
        .map(|(key, value)| {
            let value = json::string(value).unwrap_or(value.into());
            (json::string(key).unwrap_or_default().into_owned(), value.into_owned())
        })
        .collect();
    if entries.is_empty() && !json::is_falsy(&object) { vec![("metadata".to_owned(), object)] } else { entries }
}

/// A value as text: a string as it is, anything else as JSON.
pub(super) fn plain(value: Value<'_>) -> String {
    match value {
        Value::String(text) => text.get().to_owned(),
        value => json::value_text(value),
    }
}
