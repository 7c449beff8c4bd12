//! Requests and answers in OpenAI's shape.

use std::borrow::Cow;

use super::RawValue;
use super::message::Message;
use super::role::Role;
use super::write::{put_list, put_text};
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
    put_list(out.key("\"messages\""), messages, |out, message| message.put(out));
    for (key, value) in parameters.into_iter().flat_map(JsonValue::entries) {
        let is_told = key.string().is_none_or(|key| key == "model" || SAID.contains(&key.as_ref()));
        if !is_told && !printed::is_not_given(value) {
            out.key(key.text()).push_str(value.text());
        }
    }
    out.finish()
}

/// An answer: a choice for each message.
pub(super) fn answer(messages: &[Message<'_>], raw: Option<JsonValue<'_>>, view: &SpanView<'_, '_>) -> String {
    let reason = view.text(Key::FinishReason);
    let mut out = Object::default();
    out.put_model(None, raw);
    put_list(out.key("\"choices\""), messages.iter().enumerate(), |out, (index, message)| {
        out.push_str("{\"index\":");
        out.push_str(itoa::Buffer::new().format(index));
        out.push_str(",\"message\":");
        message.put(out);
        if let Some(reason) = &reason {
            put_text(out, ",\"finish_reason\":", reason);
        }
        out.push('}');
    });
    out.finish()
}

/// An array of messages.
pub(super) fn messages<'m, 'a: 'm>(messages: impl Iterator<Item = &'m Message<'a>>) -> String {
    let mut out = String::new();
    put_list(&mut out, messages, |out, message| message.put(out));
    cleaned(out)
}

/// JSON without what MLflow or a browser cannot hold.
fn cleaned(json: String) -> String {
    match json::clean(&json) {
        Cow::Owned(cleaned) => cleaned,
        Cow::Borrowed(_) => json,
    }
}

/// A JSON object while it is written, from parts that are JSON.
#[derive(Default)]
struct Object(String);

impl Object {
    /// Appends a key, which is a literal, for its value to be appended.
    fn key(&mut self, literal: &str) -> &mut String {
        self.0.push_str(if self.0.is_empty() { "{" } else { ", " });
        self.0.push_str(literal);
        self.0.push_str(": ");
        &mut self.0
    }

    /// The model: as the parameters have it, else as the raw value does, which MLflow would have asked.
    fn put_model(&mut self, parameters: Option<JsonValue<'_>>, raw: Option<JsonValue<'_>>) {
        let name = |value: JsonValue<'_>| {
            let name = value.field("model").and_then(JsonValue::string);
            name.map(Cow::into_owned).filter(|name| !name.is_empty())
        };
        if let Some(name) = parameters.and_then(name).or_else(|| raw.and_then(name)) {
            json::put_quoted(self.key("\"model\""), &name);
        }
    }

    /// The object, without what MLflow or a browser cannot hold.
    fn finish(mut self) -> String {
        self.0.push('}');
        cleaned(self.0)
    }
}
