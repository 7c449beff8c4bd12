//! Trace tags, project, session and user: what a trace as a whole takes from its spans and resources.

use std::borrow::Cow;

use crate::mlflow::{json, keys, tags};
use crate::openinference::{Key, METADATA, PROJECT_NAME};
use crate::otlp::{KeyValue, Span, Value};

/// The most tags taken from one span or resource. MLflow sets no limit, and writes each tag with a statement of its own:
/// metadata of a hundred thousand keys must not keep it busy.
const MAX_TAGS: usize = 200;

/// Trace tags from `tag.tags` and `metadata` of an outermost OpenInference span.
///
/// Each item of `tag.tags` becomes a tag of that name with the value `true`, so that MLflow shows it as a chip and
/// `tags.nightly = 'true'` finds it. Each entry of `metadata`, a JSON object, becomes a tag of its key, the value as it is
/// when it is a text and as JSON otherwise: `tags.tier = 'gold'`. Names that MLflow does not take for a tag, and names in
/// its own namespace, are left out: the attribute remains on the span.
pub fn of_span(span: &Span<'_>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    if let Some(value) = span.attribute(Key::Tags.name()) {
        for item in list(value) {
            put(&mut found, &item, "true");
        }
    }
    if let Some(value) = span.attribute(METADATA) {
        let json = match value {
            Value::String(text) => Cow::Borrowed(text.get()),
            value => Cow::Owned(json::value_text(value)),
        };
        if json::is_structured(&json) {
            for (key, value) in json::entries(&json) {
                put(
                    &mut found,
                    &json::string(key).unwrap_or_default(),
                    &json::string(value).unwrap_or(Cow::Borrowed(value)),
                );
            }
        }
    }
    found
}

/// Trace tags from a resource, as MLflow 3.14 and later derive them: all but `telemetry.sdk.*` and `mlflow.*`.
pub fn of_resource(attributes: &[KeyValue<'_>]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for attribute in attributes.iter().filter(|attribute| !attribute.key.get().starts_with("telemetry.sdk.")) {
        let text = match attribute.value {
            Value::String(text) => Cow::Borrowed(text.get()),
            value => Cow::Owned(json::value_text(value)),
        };
        put(&mut found, attribute.key.get(), &text);
    }
    found
}

/// `openinference.project.name`, when it is a non-empty text.
pub fn project<'a>(attributes: &[KeyValue<'a>]) -> Option<&'a str> {
    let project = attributes.iter().rev().find(|attribute| attribute.key.get() == PROJECT_NAME)?;
    project.value.as_str().map(str::trim).filter(|name| !name.is_empty())
}

/// The session a span belongs to, as MLflow reads it: `session.id`, else `gen_ai.conversation.id`.
pub fn session(span: &Span<'_>) -> Option<String> {
    [Key::SessionId, Key::GenAiConversationId].iter().find_map(|key| text(span, *key))
}

/// The user a span belongs to, as MLflow reads it: `user.id`.
pub fn user(span: &Span<'_>) -> Option<String> {
    text(span, Key::UserId)
}

fn text(span: &Span<'_>, key: Key) -> Option<String> {
    json::plain_text(span.attribute(key.name())?).map(Cow::into_owned)
}

/// The texts of a list: an array, or JSON text of one; any other text is a list of itself.
fn list(value: Value<'_>) -> Vec<Cow<'_, str>> {
    match value {
        Value::Array(items) => items.iter().filter_map(json::plain_text).collect(),
        Value::String(text) if json::is_structured(text.get()) => {
            json::items(text.get()).map(|item| json::string(item).unwrap_or(Cow::Borrowed(item))).collect()
        }
        Value::String(text) => vec![Cow::Borrowed(text.get())],
        _ => Vec::new(),
    }
}

/// Sets a tag that MLflow takes; of repeated keys the last counts.
fn put(found: &mut Vec<(String, String)>, key: &str, value: &str) {
    if key.starts_with(keys::PREFIX) || !tags::is_key(key) {
        return;
    }
    let value = tags::value(value).into_owned();
    if let Some((_, old)) = found.iter_mut().find(|(name, _)| name == key) {
        *old = value;
    } else if found.len() < MAX_TAGS {
        found.push((key.to_owned(), value));
    }
}
