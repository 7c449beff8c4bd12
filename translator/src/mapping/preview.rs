//! What a span says in one line for the list of traces.
//!
//! MLflow derives previews itself ([`crate::mlflow::preview`]), but a plain text with its quotes, and an answer of Anthropic's
//! or a list of messages as JSON. These read as text; MLflow takes them with a complete trace info only.

use std::borrow::Cow;

use super::{Additions, stored};
use crate::mlflow::{json, keys, preview, tags};
use crate::otlp::Span;

/// The request preview of a span and what it gained, at most [`preview::MAX`] characters.
pub fn request(span: &Span<'_>, additions: &Additions<'_>) -> Option<String> {
    readable(&stored(span, additions, keys::SPAN_INPUTS)?.as_text(), preview::request)
}

/// The response preview of a span and what it gained, at most [`preview::MAX`] characters.
pub fn response(span: &Span<'_>, additions: &Additions<'_>) -> Option<String> {
    readable(&stored(span, additions, keys::SPAN_OUTPUTS)?.as_text(), preview::response)
}

fn readable(text: &str, derived: fn(&str) -> Option<String>) -> Option<String> {
    let plain = if json::is_structured(text) { json::string(text) } else { Some(Cow::Borrowed(text)) };
    if let Some(plain) = plain {
        return Some(shortened(&plain)).filter(|plain| !plain.is_empty());
    }
    // The shapes that MLflow does not look into, as ones that it does.
    let [role, content, input] = json::fields(text, ["role", "content", "input"]);
    if let Some(input) = input.and_then(json::string).filter(|input| !input.is_empty()) {
        return Some(shortened(&input));
    }
    let list = match (role.is_some() && content.is_some(), text.trim_start().starts_with('[')) {
        (true, _) => Some(format!("{{\"messages\": [{text}]}}")),
        (_, true) => Some(format!("{{\"messages\": {text}}}")),
        _ => None,
    };
    // Where there is no text to be found, the JSON comes back, beginning as it was given.
    let spoken = |json: &str| derived(json).filter(|found| !json.starts_with(found.trim_end_matches("...")));
    list.and_then(|list| spoken(&list))
        .or_else(|| spoken(text))
        .or_else(|| called(text).map(|calls| shortened(&calls)))
        .or_else(|| derived(text))
}

/// The calls of tools in an answer that says nothing else: of the first choice, or among the items of the Responses API.
fn called(answer: &str) -> Option<String> {
    let [choices, output] = json::fields(answer, ["choices", "output"]);
    let message = choices.and_then(|choices| json::fields(json::items(choices).next()?, ["message"])[0]);
    let calls = message.and_then(|message| json::fields(message, ["tool_calls"])[0]);
    let functions = json::items(calls.unwrap_or_default()).filter_map(|call| json::fields(call, ["function"])[0]);
    let calls: Vec<_> = functions.chain(json::items(output.unwrap_or_default())).filter_map(call).collect();
    Some(calls.join(", ")).filter(|calls| !calls.is_empty())
}

fn call(function: &str) -> Option<String> {
    let [name, arguments] = json::fields(function, ["name", "arguments"]);
    Some(format!("{}({})", json::string(name?)?, json::string(arguments?)?))
}

fn shortened(text: &str) -> String {
    if tags::fits(text, preview::MAX) {
        text.to_owned()
    } else {
        format!("{}...", tags::truncate(text, preview::MAX - 3))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> Option<String> {
        readable(text, preview::request)
    }

    #[test]
    fn plain_text_has_no_quotes() {
        for text in ["where is \"Paris\"?", "42"] {
            assert_eq!(asked(text).as_deref(), Some(text));
        }
        assert_eq!(asked("\"quoted\"").as_deref(), Some("quoted"));
        assert_eq!(asked("\"\""), None);
        assert_eq!(asked(&"é".repeat(2000)).map(|text| text.chars().count()), Some(preview::MAX));
    }

    #[test]
    fn conversations_of_every_kept_shape_are_their_text() {
        for text in [
            r#"{"messages": [{"role": "user", "content": "hi"}]}"#,
            r#"[{"role": "system", "content": "s"}, {"role": "user", "content": "hi"}]"#,
            r#"{"type": "message", "role": "assistant", "content": [{"type": "thinking", "thinking": "x"}, {"type": "text", "text": "hi"}]}"#,
        ] {
            assert_eq!(asked(text).as_deref(), Some("hi"), "{text}");
        }
    }

    #[test]
    fn an_input_of_the_responses_api_is_its_text() {
        assert_eq!(asked(r#"{"model": "m", "instructions": "s", "input": "hi"}"#).as_deref(), Some("hi"));
    }

    #[test]
    fn an_answer_that_only_calls_tools_is_its_calls() {
        let answered = |text: &str| readable(text, preview::response);
        let call = r#"{"name": "f", "arguments": "{\"x\": 1}"}"#;
        let chat = format!(
            r#"{{"choices": [{{"message": {{"role": "assistant", "content": null, "tool_calls": [{{"function": {call}}}, {{"function": {call}}}]}}}}]}}"#
        );
        assert_eq!(answered(&chat).as_deref(), Some(r#"f({"x": 1}), f({"x": 1})"#));
        let responses = format!(r#"{{"output": [{{"type": "reasoning"}}, {call}]}}"#);
        assert_eq!(answered(&responses).as_deref(), Some(r#"f({"x": 1})"#));
    }

    #[test]
    fn other_json_stays_json() {
        for text in [r#"{"a": 1}"#, "[1, 2]", r#"[{"page_content": "x"}]"#, r#"{"role": "user", "content": null}"#] {
            assert_eq!(asked(text).as_deref(), Some(text));
        }
    }
}
