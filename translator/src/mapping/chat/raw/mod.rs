//! RawValue requests and answers: those that MLflow's UI draws by itself, and the [messages](turns) of all others.
//!
//! Each provider's shape that the UI draws is one file with two functions, and one entry of [`SHAPES`]. They repeat the checks of
//! the UI's own parsers (MLflow 3.17.2), which lose a whole conversation for one part they do not know. Nothing is built: texts
//! are scanned.

mod anthropic;
mod blocks;
mod openai;
#[cfg(test)]
mod tests;
mod turns;

pub(in crate::mapping) use turns::{langchain_messages, messages};

use crate::mlflow::json;

/// A shape that the UI has a parser for.
#[derive(Debug)]
pub(super) struct Shape {
    /// The value of `mlflow.message.format`.
    pub(super) format: &'static str,
    /// Whether the UI draws a request, given as JSON that MLflow reads.
    pub(super) draws_request: fn(&str) -> bool,
    /// Whether the UI draws an answer, given as JSON that MLflow reads.
    pub(super) draws_answer: fn(&str) -> bool,
}

/// The shapes whose raw values are kept.
const SHAPES: [Shape; 2] = [OPENAI, anthropic::SHAPE];

/// The shape in which everything else is told.
pub(super) const OPENAI: Shape = openai::SHAPE;

impl Shape {
    /// The shape of a request and its answer.
    pub(super) fn of(request: &str, answer: &str) -> Option<&'static Self> {
        SHAPES.iter().find(|shape| (shape.draws_answer)(answer) && (shape.draws_request)(request))
    }
}

/// What the system says in a request that has a place of its own for it, which the UI leaves out: a text, or a list of texts.
pub(super) fn system(request: &str) -> Option<String> {
    let [system, instructions] = json::fields(request, ["system", "instructions"]);
    texts(system.filter(|value| !is_nil(value)).or(instructions)?)
}

/// A text, or a list of texts: OpenTelemetry's have theirs under `content`.
pub(super) fn texts(said: &str) -> Option<String> {
    let text = |value| {
        let [text, content] = json::fields(value, ["text", "content"]);
        json::string(value).or_else(|| json::string(text.or(content)?))
    };
    let texts: Vec<_> = match text(said) {
        Some(text) => vec![text],
        None => json::items(said).filter_map(text).collect(),
    };
    Some(texts.join("\n\n")).filter(|text| !text.is_empty())
}

fn is_string(value: &str) -> bool {
    value.starts_with('"')
}

fn is_object(value: &str) -> bool {
    value.starts_with('{')
}

fn is_nil(value: &str) -> bool {
    value == "null"
}

/// Whether a value, quotes included, is one of some words.
fn is_one_of(value: Option<&str>, words: &[&str]) -> bool {
    value.and_then(json::string).is_some_and(|word| words.contains(&word.as_ref()))
}

/// Whether a value is an array that holds something, and all of it passes.
fn is_list_of(value: &str, passes: impl Fn(&str) -> bool) -> bool {
    let mut items = json::items(value).peekable();
    items.peek().is_some() && items.all(passes)
}
