//! Raw requests and responses: those that MLflow's UI can draw, and the [messages](turns) of all others.
//!
//! Each provider's shape that the UI draws is one file with two functions, and one entry of [`SHAPES`]. They repeat the checks of
//! the UI's own parsers (MLflow 3.17.2), which lose a whole conversation for one part they do not know. They walk the
//! index of the text and build nothing.

mod anthropic;
mod blocks;
mod openai;
#[cfg(test)]
mod tests;
mod turns;

pub(in crate::mapping) use turns::{langchain_messages, messages, object_messages};

use std::borrow::Cow;

use crate::json::JsonValue;

/// A shape that the UI has a parser for.
#[derive(Debug)]
pub(super) struct Shape {
    /// The value of `mlflow.message.format`.
    pub(super) format: &'static str,
    /// Whether the UI draws a request, given as JSON that MLflow reads.
    pub(super) draws_request: fn(JsonValue<'_>) -> bool,
    /// Whether the UI draws an answer, given as JSON that MLflow reads.
    pub(super) draws_answer: fn(JsonValue<'_>) -> bool,
}

/// The shapes whose raw values are kept.
const SHAPES: [Shape; 2] = [OPENAI, anthropic::SHAPE];

/// The shape in which all other conversations are rebuilt.
pub(super) const OPENAI: Shape = openai::SHAPE;

impl Shape {
    /// The shape of a request and its answer.
    pub(super) fn of(request: JsonValue<'_>, answer: JsonValue<'_>) -> Option<&'static Self> {
        SHAPES.iter().find(|shape| (shape.draws_answer)(answer) && (shape.draws_request)(request))
    }
}

/// The system message of a request that has a separate field for it, which the UI ignores: a text, or a list of texts.
pub(super) fn system(request: JsonValue<'_>) -> Option<String> {
    let [system, instructions] = request.fields(["system", "instructions"]);
    texts(system.filter(|value| !value.is_null()).or(instructions)?)
}

/// A text, or a list of texts: OpenTelemetry's have theirs under `content`.
pub(super) fn texts(said: JsonValue<'_>) -> Option<String> {
    fn text(value: JsonValue<'_>) -> Option<Cow<'_, str>> {
        let [text, content] = value.fields(["text", "content"]);
        value.string().or_else(|| text.or(content)?.string())
    }
    let texts: Vec<_> = match text(said) {
        Some(text) => vec![text],
        None => said.items().filter_map(text).collect(),
    };
    Some(texts.join("\n\n")).filter(|text| !text.is_empty())
}

/// Whether an answer has choices, and none of them says or calls anything: Strands leaves out the calls.
pub(super) fn is_silent(answer: JsonValue<'_>) -> bool {
    answer
        .field("choices")
        .is_some_and(|choices| is_list_of(choices, |choice| choice.field("message").is_some_and(says_nothing)))
}

/// Whether a request has a message of the model in which it neither says nor calls anything: OpenLLMetry leaves out the calls.
pub(super) fn lacks_calls(request: JsonValue<'_>) -> bool {
    let is_silent = |message: JsonValue<'_>| is_one_of(message.field("role"), &["assistant"]) && says_nothing(message);
    request.field("messages").is_some_and(|messages| messages.items().any(is_silent))
}

fn says_nothing(message: JsonValue<'_>) -> bool {
    let said = message.fields(["content", "tool_calls", "function_call", "refusal", "audio"]);
    said.into_iter().flatten().all(|value| value.is_null() || value.is_empty())
}

/// Whether a value, quotes included, is one of some words.
fn is_one_of(value: Option<JsonValue<'_>>, words: &[&str]) -> bool {
    value.is_some_and(|value| value.is_one_of(words))
}

/// Whether a value is an array that holds something, and all of it passes.
fn is_list_of(value: JsonValue<'_>, passes: impl Fn(JsonValue<'_>) -> bool) -> bool {
    let mut items = value.items().peekable();
    items.peek().is_some() && items.all(passes)
}
