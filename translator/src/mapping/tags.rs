//! Trace tags, project, session and user: what a trace as a whole takes from its spans and resources.

use std::borrow::Cow;

use crate::json;
use crate::mlflow::{keys, tags};
use crate::openinference::{Key, METADATA, PROJECT_NAME};
use crate::otlp::{KeyValue, Span, Value};

/// The most tags taken from one span or resource. MLflow sets no limit, and writes each tag with a statement of its own:
/// metadata of a hundred thousand keys must not keep it busy.
const MAX_TAGS: usize = 200;

/// Trace tags from `tag.tags` and `metadata` of an outermost OpenInference span.
///
/// Each item of `tag.tags` becomes a tag of that name with the value `true`, so that MLflow shows it as a chip and
/// `tags.nightly = 'true'` finds it. Each entry of `metadata`, a JSON object, becomes a tag of its key, the value as it is
/// when it is a text and as JSON otherwise: `tags.tier = 'gold'`. What is `null` is left out, and so are names that MLflow
/// does not take for a tag and names in its own namespace: the attribute remains on the span.
pub fn of_span(span: &Span<'_>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    if let Some(value) = span.attribute(Key::Tags.name()) {
        for item in list(value) {
            put(&mut found, &item, "true");
        }
    }
    if let Some(value) = span.attribute(METADATA) {
        let json = match value {
            Value::String(text) => json::unquoted(text.get()).map_or(Cow::Borrowed(text.get()), Cow::Owned),
            value => Cow::Owned(json::value_text(value)),
        };
        if json::is_structured(&json) {
            for (key, value) in json::entries(&json).filter(|(_, value)| *value != "null") {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otlp::write::Attributes;

    fn tags_of(put: impl FnOnce(&mut Attributes)) -> Vec<(String, String)> {
        let mut attributes = Attributes::default();
        put(&mut attributes);
        of_span(&Span::parse(attributes.as_bytes()).expect("a span"))
    }

    fn resource_tags(json: serde_json::Value) -> Vec<(String, String)> {
        let mut attributes = Attributes::default();
        for (key, value) in json.as_object().expect("an object") {
            attributes.put_json(key, value);
        }
        of_resource(&Span::parse(attributes.as_bytes()).expect("a span").attributes)
    }

    fn pairs(found: &[(String, String)]) -> Vec<(&str, &str)> {
        found.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
    }

    #[test]
    fn each_tag_becomes_a_tag_that_is_true() {
        for value in [serde_json::json!(["smoke", "night ly", 1]), "[\"smoke\", \"night ly\", 1]".into()] {
            let found = tags_of(|attributes| attributes.put_json("tag.tags", &value));
            assert_eq!(pairs(&found), [("smoke", "true"), ("night ly", "true"), ("1", "true")]);
        }
        assert_eq!(pairs(&tags_of(|attributes| attributes.put_str("tag.tags", "one"))), [("one", "true")]);
    }

    #[test]
    fn each_entry_of_metadata_becomes_a_tag() {
        let metadata = r#"{"tier": "g\u00f6ld", "n": 2, "nested": {"a": [1, true]}, "none": null, "mlflow.traceName": "x", "%": 1, "": 2}"#;
        let found = tags_of(|attributes| attributes.put_str("metadata", metadata));
        assert_eq!(pairs(&found), [("tier", "göld"), ("n", "2"), ("nested", r#"{"a": [1, true]}"#)]);
        let map = serde_json::json!({"tier": "gold"});
        assert_eq!(pairs(&tags_of(|attributes| attributes.put_json("metadata", &map))), [("tier", "gold")]);
        for text in ["not json", "[1]", "{", "\"a\""] {
            assert!(tags_of(|attributes| attributes.put_str("metadata", text)).is_empty(), "{text}");
        }
    }

    #[test]
    fn metadata_wins_over_a_tag_of_the_same_name() {
        let found = tags_of(|attributes| {
            attributes.put_str("metadata", "{\"tier\": \"gold\"}");
            attributes.put_str("tag.tags", "tier");
        });
        assert_eq!(pairs(&found), [("tier", "gold")]);
    }

    #[test]
    fn endless_metadata_gives_a_bounded_number_of_tags() {
        let metadata: serde_json::Map<_, _> = (0..1000).map(|n| (format!("key{n}"), n.into())).collect();
        let found =
            tags_of(|attributes| attributes.put_str("metadata", &serde_json::Value::Object(metadata).to_string()));
        assert_eq!(found.len(), MAX_TAGS);
    }

    #[test]
    fn attributes_of_a_resource_become_tags_but_for_those_of_the_sdk_and_of_mlflow() {
        let found = resource_tags(serde_json::json!({
            "service.name": "shop", "telemetry.sdk.name": "x", "mlflow.source": "x", "pid": 7, "list": ["a", 1.5],
            "map": {"b": true}, "none": null, "bad\"key": 1,
        }));
        assert_eq!(
            pairs(&found),
            [
                ("service.name", "shop"),
                ("pid", "7"),
                ("list", r#"["a", 1.5]"#),
                ("map", r#"{"b": true}"#),
                ("none", "null")
            ]
        );
    }

    #[test]
    fn a_project_is_a_text_that_is_not_blank() {
        let project_of = |value: serde_json::Value| {
            let mut attributes = Attributes::default();
            attributes.put_json("openinference.project.name", &value);
            let span = attributes.into_bytes();
            project(&Span::parse(&span).expect("a span").attributes).map(str::to_owned)
        };
        assert_eq!(project_of("shop".into()).as_deref(), Some("shop"));
        assert_eq!((project_of(" ".into()), project_of(7.into())), (None, None));
    }

    #[test]
    fn session_and_user_are_read_as_mlflow_reads_them() {
        let mut attributes = Attributes::default();
        attributes.put_str("session.id", "");
        attributes.put_str("gen_ai.conversation.id", "c-1");
        attributes.put_json("user.id", &7.into());
        let span = Span::parse(attributes.as_bytes()).expect("a span");
        assert_eq!((session(&span).as_deref(), user(&span).as_deref()), (Some("c-1"), Some("7")));
        assert_eq!(session(&Span::parse(&[]).expect("a span")), None);
    }
}
