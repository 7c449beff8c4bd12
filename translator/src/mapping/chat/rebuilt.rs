//! Requests and answers in OpenAI's shape.

use std::borrow::Cow;

use serde::Serialize;

use super::RawValue;
use super::message::Message;
use super::role::Role;
use crate::json::{self, JsonDocument, JsonValue};
use crate::mapping::printed;
use crate::mapping::span_view::SpanView;
use crate::openinference::Key;

/// Keys of a request that hold what was said, in one shape or another; of `llm.invocation_parameters` they are left out, or
/// the UI would read them in place of the messages.
const SAID: [&str; 6] = ["messages", "input", "request", "prompt", "contents", "choices"];

/// The side of a conversation: it decides the role of a plain text.
#[derive(Clone, Copy, Debug)]
pub(super) enum Side {
    Request,
    Response,
}

/// The messages of one side; where they have no content, the raw value if it is plain text.
///
/// Some instrumentations send messages with only a role. Then the raw value has more, and stays.
pub(super) fn side<'m, 'a>(messages: &'m [Message<'a>], raw: &RawValue<'a>, side: Side) -> Cow<'m, [Message<'a>]> {
    let role = match side {
        Side::Request => Role::User,
        Side::Response => Role::Assistant,
    };
    let nobody_speaks = messages.iter().all(Message::has_no_content);
    match raw {
        RawValue::Text(text) if nobody_speaks => Cow::Owned(vec![Message::text(role, text.clone())]),
        RawValue::Json(_) | RawValue::Printed(_) if nobody_speaks => Cow::Borrowed(&[]),
        _ => Cow::Borrowed(messages),
    }
}

/// A request: its messages, and the parameters that went with them.
///
/// The model that a raw value names stays in what takes its place: MLflow looks for it there when no attribute names one.
pub(super) fn request(messages: &[Message<'_>], raw: Option<JsonValue<'_>>, view: &SpanView<'_, '_>) -> String {
    let parameters = view.get(Key::InvocationParameters).map(json::plain_text).unwrap_or_default();
    let parameters = parameters.as_deref().and_then(JsonDocument::read);
    let parameters = parameters.as_ref().map(JsonDocument::root);
    let mut out = Object::default();
    out.put_model(parameters, raw);
    out.put("messages", &json_of(messages));
    for (key, value) in parameters.into_iter().flat_map(JsonValue::entries) {
        let is_told = key.string().is_none_or(|key| key == "model" || SAID.contains(&key.as_ref()));
        if !is_told && !printed::is_not_given(value) {
            out.put_literal(key.text(), value.text());
        }
    }
    out.finish()
}

/// An answer: a choice for each message.
pub(super) fn answer(messages: &[Message<'_>], raw: Option<JsonValue<'_>>, view: &SpanView<'_, '_>) -> String {
    #[derive(Serialize)]
    struct Choice<'m> {
        index: usize,
        message: &'m Message<'m>,
        #[serde(skip_serializing_if = "Option::is_none")]
        finish_reason: Option<&'m str>,
    }
    let reason = view.text(Key::FinishReason);
    let choices: Vec<_> = messages
        .iter()
        .enumerate()
        .map(|(index, message)| Choice { index, message, finish_reason: reason.as_deref() })
        .collect();
    let mut out = Object::default();
    out.put_model(None, raw);
    out.put("choices", &json_of(&choices));
    out.finish()
}

/// An array of messages.
pub(super) fn messages<'m, 'a: 'm>(messages: impl Iterator<Item = &'m Message<'a>>) -> String {
    json::clean(&json_of(&messages.collect::<Vec<_>>())).into_owned()
}

/// What is made of text and numbers alone is always JSON.
fn json_of(value: &(impl Serialize + ?Sized)) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// A JSON object while it is written, from parts that are JSON.
#[derive(Default)]
struct Object(String);

impl Object {
    fn put(&mut self, key: &str, value: &str) {
        self.put_literal(&json::quoted(key), value);
    }

    fn put_literal(&mut self, key: &str, value: &str) {
        self.0.reserve(key.len() + value.len() + ": ".len() + ", }".len());
        self.0.push_str(if self.0.is_empty() { "{" } else { ", " });
        self.0.push_str(key);
        self.0.push_str(": ");
        self.0.push_str(value);
    }

    /// The model: as the parameters have it, else as the raw value does, which MLflow would have asked.
    fn put_model(&mut self, parameters: Option<JsonValue<'_>>, raw: Option<JsonValue<'_>>) {
        let name = |value: JsonValue<'_>| {
            let name = value.field("model").and_then(JsonValue::string);
            name.map(Cow::into_owned).filter(|name| !name.is_empty())
        };
        if let Some(name) = parameters.and_then(name).or_else(|| raw.and_then(name)) {
            self.put("model", &json::quoted(&name));
        }
    }

    /// The object, without what MLflow or a browser cannot hold.
    fn finish(mut self) -> String {
        self.0.push('}');
        match json::clean(&self.0) {
            Cow::Owned(cleaned) => cleaned,
            Cow::Borrowed(_) => self.0,
        }
    }
}
