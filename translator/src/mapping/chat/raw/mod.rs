//! Raw requests and answers that MLflow's UI draws by itself.
//!
//! Each provider's shape is one file with two functions, and one entry of [`SHAPES`]. They repeat the checks of the UI's own
//! parsers (MLflow 3.17.2), which lose a whole conversation for one part they do not know. Nothing is built: texts are scanned.

mod anthropic;
mod openai;

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
    let said = system.filter(|value| !is_nil(value)).or(instructions)?;
    let text = |value| json::string(value).or_else(|| json::fields(value, ["text"])[0].and_then(json::string));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_says_apart_is_found_in_every_form() {
        for request in [
            r#"{"system": "be kind"}"#,
            r#"{"system": [{"type": "text", "text": "be"}, {"text": "kind"}]}"#,
            r#"{"system": null, "instructions": "be kind"}"#,
        ] {
            assert_eq!(system(request).map(|text| text.replace("\n\n", " ")).as_deref(), Some("be kind"), "{request}");
        }
        for request in
            [r#"{"system": null}"#, r#"{"system": []}"#, r#"{"instructions": ""}"#, r#"{"messages": []}"#, "[]"]
        {
            assert_eq!(system(request), None, "{request}");
        }
    }
}
