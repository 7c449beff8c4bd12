//! Anthropic's Messages API.

use super::{Shape, is_list_of, is_one_of};
use crate::json::JsonValue;

pub(super) const SHAPE: Shape = Shape { format: "anthropic", draws_request: is_request, draws_answer: is_answer };

const MEDIA_TYPES: [&str; 4] = ["image/jpeg", "image/png", "image/gif", "image/webp"];

fn is_request(request: JsonValue<'_>) -> bool {
    request.field("messages").is_some_and(|messages| is_list_of(messages, is_message))
}

fn is_answer(answer: JsonValue<'_>) -> bool {
    is_one_of(answer.field("type"), &["message"]) && is_message(answer)
}

fn is_message(message: JsonValue<'_>) -> bool {
    let [role, content] = message.fields(["role", "content"]);
    is_one_of(role, &["user", "assistant"])
        && content.is_some_and(|content| content.is_string() || is_list_of(content, is_block))
}

fn is_block(block: JsonValue<'_>) -> bool {
    let [kind, id, name, input, answers, content, thinking] =
        block.fields(["type", "id", "name", "input", "tool_use_id", "content", "thinking"]);
    match kind.and_then(JsonValue::string).as_deref() {
        Some("tool_use") => {
            id.is_some_and(JsonValue::is_string)
                && name.is_some_and(JsonValue::is_string)
                && input.is_some_and(JsonValue::is_object)
        }
        Some("tool_result") => {
            answers.is_some_and(JsonValue::is_string)
                && content.is_some_and(|content| {
                    content.is_string() || content.text() == "[]" || is_list_of(content, is_shown)
                })
        }
        Some("thinking") => thinking.is_some_and(JsonValue::is_string),
        _ => is_shown(block),
    }
}

/// Text or an image, which results of tools may hold too.
fn is_shown(block: JsonValue<'_>) -> bool {
    let [kind, text, source] = block.fields(["type", "text", "source"]);
    match kind.and_then(JsonValue::string).as_deref() {
        Some("text") => text.is_some_and(JsonValue::is_string),
        Some("image") => source.is_some_and(|source| {
            let [kind, media_type, data, url] = source.fields(["type", "media_type", "data", "url"]);
            match kind.and_then(JsonValue::string).as_deref() {
                Some("base64") => is_one_of(media_type, &MEDIA_TYPES) && data.is_some_and(JsonValue::is_string),
                Some("url") => url.is_some_and(JsonValue::is_string),
                _ => false,
            }
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::JsonIndex;

    fn test(check: fn(JsonValue<'_>) -> bool, text: &str) -> bool {
        JsonIndex::read(text).is_some_and(|index| check(index.root(text)))
    }

    fn is_request(text: &str) -> bool {
        test(super::is_request, text)
    }

    fn is_answer(text: &str) -> bool {
        test(super::is_answer, text)
    }

    fn request(content: &str) -> String {
        format!(r#"{{"model": "m", "messages": [{{"role": "user", "content": {content}}}]}}"#)
    }

    #[test]
    fn blocks_that_the_ui_draws_are_known() {
        for content in [
            r#""hi""#,
            r#"[{"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}]"#,
            r#"[{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}}]"#,
            r#"[{"type": "tool_use", "id": "t", "name": "f", "input": {}}]"#,
            r#"[{"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "1"}]}]"#,
            r#"[{"type": "thinking", "thinking": "hm", "signature": "s"}]"#,
        ] {
            assert!(is_request(&request(content)), "{content}");
        }
    }

    #[test]
    fn one_other_block_loses_the_request() {
        for content in [
            "null",
            "[]",
            r#"[{"type": "text", "text": "hi"}, {"type": "document", "source": {}}]"#,
            r#"[{"type": "redacted_thinking", "data": "x"}]"#,
            r#"[{"type": "server_tool_use", "id": "t", "name": "f", "input": {}}]"#,
            r#"[{"type": "tool_result", "tool_use_id": "t"}]"#,
            r#"[{"type": "tool_use", "id": "t", "name": "f", "input": "{}"}]"#,
            r#"[{"type": "image", "source": {"type": "base64", "media_type": "image/bmp", "data": "AA=="}}]"#,
        ] {
            assert!(!is_request(&request(content)), "{content}");
        }
        assert!(!is_request(r#"{"messages": [{"role": "system", "content": "hi"}]}"#));
    }

    #[test]
    fn an_answer_is_a_message() {
        let answer = r#"{"type": "message", "role": "assistant", "content": [{"type": "text", "text": "hi"}]}"#;
        assert!(is_answer(answer));
        for other in [r#"{"role": "assistant", "content": "hi"}"#, r#"{"type": "error", "error": {}}"#, "\"hi\""] {
            assert!(!is_answer(other), "{other}");
        }
    }
}
