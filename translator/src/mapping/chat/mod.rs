//! Conversations with a model, in a form that MLflow's UI draws as chat messages.
//!
//! A raw request and response that the UI [can draw](raw) completely stay as they are; the rule adds the name of their format.
//! All other conversations are rebuilt in OpenAI's shape, from the messages in OpenInference's attributes or, where these lack
//! parts, from the raw values. `input.value` and `output.value` stay unchanged either way.

mod calls;
mod conversation;
mod media;
mod message;
mod parts;
pub(super) mod raw;
mod raw_recovery;
mod rebuilt;
mod role;
#[cfg(test)]
mod tests;
mod write;

use std::borrow::Cow;

use super::attribute_builder::AttributeBuilder;
use super::span_view::SpanView;
use super::tools;
use crate::json::JsonValue;
use crate::mlflow::keys::{CHAT_MESSAGES, MESSAGE_FORMAT, SPAN_INPUTS, SPAN_OUTPUTS, SPAN_TYPE};
use crate::openinference::{AttributeTree, Family, Key};
use conversation::Conversation;
pub(super) use message::Message;
use raw::{OPENAI, Shape};
pub(super) use raw::{langchain_messages, messages};
pub(super) use role::Role;

/// The families of attributes that conversations and tools are read from.
const FAMILIES: [&str; 6] = ["input_messages", "output_messages", "prompts", "choices", "tools", "request"];

/// The types of spans that are calls to a model.
pub(super) const MODELS: [&str; 2] = ["LLM", "CHAT_MODEL"];

/// Whether a span, of which the type was added, is a call to a model.
pub(super) fn is_model(added: &AttributeBuilder<'_, '_, '_>) -> bool {
    added.stored(SPAN_TYPE).is_some_and(|kind| MODELS.contains(&kind.as_text().as_ref()))
}

/// Adds inputs, outputs and their format, and the tools that the model was offered.
pub(super) fn add<'s, 'a>(view: &SpanView<'s, 'a>, added: &mut AttributeBuilder<'_, 's, 'a>) {
    let is_model = is_model(added);
    let tells_more = view.families().contains(Family::Llm);
    if !is_model && !tells_more {
        return;
    }
    let llm = match tells_more {
        true => AttributeTree::pick(&view.span().attributes, "llm", &FAMILIES),
        false => AttributeTree::default(),
    };
    tools::add(&llm, is_model, view, added);
    // Where the producer has set one of these attributes, the others might not match it.
    if ![SPAN_INPUTS, SPAN_OUTPUTS, MESSAGE_FORMAT, CHAT_MESSAGES].iter().all(|key| added.lacks(key)) {
        return;
    }
    let (request, answer) = (RawValue::read(view, Key::InputValue), RawValue::read(view, Key::OutputValue));
    // On a span of mixed conventions, the other one's messages.
    let [asked, answered, system] = [Key::GenAiInputMessages, Key::GenAiOutputMessages, Key::GenAiSystemInstructions]
        .map(|key| RawValue::read(view, key));
    // The messages are read only where the raw pair does not do.
    let conversation = || {
        let raw = [raw_messages(&request, &asked, Role::User), raw_messages(&answer, &answered, Role::Assistant)];
        let mut conversation = Conversation::read(&llm, view.text(Key::FunctionCall).as_deref(), raw);
        // Some instrumentations leave out what the system says apart from the messages.
        conversation.add_system(|| request.json().and_then(raw::system).or_else(|| raw::texts(system.json()?)));
        conversation
    };
    if !is_model {
        return add_to_other(&conversation(), &request, &answer, view, added);
    }
    let shape = match (&request, &answer) {
        (RawValue::Json(request), RawValue::Json(answer)) => Shape::of(*request, *answer),
        _ => None,
    };
    if let Some(shape) = shape {
        // Of a request the UI draws the messages, and not what the system says beside them; of one without words, on either
        // side, an empty message, whatever the attributes say.
        let is_request_partial = |request| raw::system(request).is_some() || raw::lacks_calls(request);
        let is_partial = request.json().is_some_and(is_request_partial) || answer.json().is_some_and(raw::is_silent);
        let whole = is_partial.then(conversation).filter(Conversation::covers_both_sides);
        match whole {
            Some(conversation) => add_to_model(&conversation, &request, &answer, view, added),
            None => added.add_text(MESSAGE_FORMAT, shape.format),
        }
        return;
    }
    add_to_model(&conversation(), &request, &answer, view, added);
}

/// The messages in the attribute of another convention, else those of the raw value. A plain text has none.
fn raw_messages<'v>(raw: &RawValue<'v>, beside: &RawValue<'v>, role: Role) -> Vec<Message<'v>> {
    let raws = match raw {
        RawValue::Text(_) => [None, None],
        _ => [beside.json(), raw.json()],
    };
    let mut found = raws.into_iter().flatten().map(|json| messages(json, role));
    found.find(|messages| !messages.is_empty()).unwrap_or_default()
}

/// A raw value, as MLflow will read it.
enum RawValue<'v> {
    /// Missing, or falsy in Python.
    None,
    /// Text that is no JSON.
    Text(Cow<'v, str>),
    /// A JSON object, array or string.
    Json(JsonValue<'v>),
    /// JSON that was made of [printed objects](super::printed): the attributes may say more than it.
    Printed(JsonValue<'v>),
}

impl<'v> RawValue<'v> {
    fn read(view: &'v SpanView<'_, '_>, key: Key) -> Self {
        let Some(value) = view.value(key) else { return Self::None };
        match value.json() {
            None => Self::Text(value.as_text()),
            Some(json) if value.is_printed() => Self::Printed(json),
            Some(json) => Self::Json(json),
        }
    }

    fn is_drawn(&self, draws: fn(JsonValue<'_>) -> bool) -> bool {
        matches!(self, Self::Json(json) if draws(*json))
    }

    fn json(&self) -> Option<JsonValue<'v>> {
        match self {
            Self::Json(json) | Self::Printed(json) => Some(*json),
            _ => None,
        }
    }
}

/// Rebuilds each side of a model's conversation that the UI cannot draw, where there are messages for it.
fn add_to_model(
    conversation: &Conversation<'_>,
    request: &RawValue<'_>,
    answer: &RawValue<'_>,
    view: &SpanView<'_, '_>,
    added: &mut AttributeBuilder<'_, '_, '_>,
) {
    if conversation.is_empty() {
        return;
    }
    let asked = rebuilt::side(&conversation.asked, request, rebuilt::Side::Request);
    let answered = rebuilt::side(&conversation.answered, answer, rebuilt::Side::Response);
    let hides_system = !asked.is_empty() && request.json().and_then(raw::system).is_some();
    let hides_calls = conversation.repeats_calls() && request.json().is_some_and(raw::lacks_calls);
    let is_request_drawn = !hides_system && !hides_calls && request.is_drawn(OPENAI.draws_request);
    let hides_answer = conversation.answers() && answer.json().is_some_and(raw::is_silent);
    let is_answer_drawn = !hides_answer && answer.is_drawn(OPENAI.draws_answer);
    if !is_request_drawn && !asked.is_empty() {
        added.add_text(SPAN_INPUTS, rebuilt::request(&asked, request.json(), view));
    }
    if !is_answer_drawn && !answered.is_empty() {
        added.add_text(SPAN_OUTPUTS, rebuilt::answer(&answered, answer.json(), view));
    }
    let is_asked = is_request_drawn || !asked.is_empty();
    let is_answered = is_answer_drawn || !answered.is_empty();
    if is_asked && is_answered {
        added.add_text(MESSAGE_FORMAT, OPENAI.format);
    } else if matches!(answer, RawValue::None) || !conversation.answered.is_empty() && is_asked {
        // Without an answer, or without words in it, as after an error, the UI draws messages only where it is given them by
        // themselves.
        add_messages(conversation, added);
    }
}

/// Fills what a span that is no call to a model lacks: a value, or one that reads as text. A conversation in an array of
/// another convention does not.
fn add_to_other(
    conversation: &Conversation<'_>,
    request: &RawValue<'_>,
    answer: &RawValue<'_>,
    view: &SpanView<'_, '_>,
    added: &mut AttributeBuilder<'_, '_, '_>,
) {
    let is_unread = |raw: &RawValue<'_>| match raw {
        RawValue::None => true,
        RawValue::Text(_) => false,
        RawValue::Json(json) | RawValue::Printed(json) => json.is_array(),
    };
    if is_unread(request) && !conversation.asked.is_empty() {
        added.add_text(SPAN_INPUTS, rebuilt::request(&conversation.asked, request.json(), view));
    }
    if is_unread(answer) && !conversation.answered.is_empty() {
        added.add_text(SPAN_OUTPUTS, rebuilt::answer(&conversation.answered, answer.json(), view));
    }
}

fn add_messages(conversation: &Conversation<'_>, added: &mut AttributeBuilder<'_, '_, '_>) {
    if !conversation.asked.is_empty() {
        let answered = conversation.answered.iter().filter(|message| !message.has_no_content());
        added.add_text(CHAT_MESSAGES, rebuilt::messages(conversation.asked.iter().chain(answered)));
    }
}
