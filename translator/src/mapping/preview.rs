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
    let is_message = json::fields(text, ["role", "content"]).iter().all(Option::is_some);
    let list = match (is_message, text.trim_start().starts_with('[')) {
        (true, _) => Some(format!("{{\"messages\": [{text}]}}")),
        (_, true) => Some(format!("{{\"messages\": {text}}}")),
        _ => None,
    };
    // Where there is no text to be found, the JSON comes back, beginning as it was given.
    let found = list.and_then(|list| derived(&list)).filter(|found| !found.starts_with("{\"messages\": ["));
    found.or_else(|| derived(text))
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
    fn other_json_stays_json() {
        for text in [r#"{"a": 1}"#, "[1, 2]", r#"[{"page_content": "x"}]"#, r#"{"role": "user", "content": null}"#] {
            assert_eq!(asked(text).as_deref(), Some(text));
        }
    }
}
