//! OpenAI's Chat Completions and Responses APIs.

use super::{Shape, is_list_of, is_one_of};
use crate::json::JsonValue;

pub(super) const SHAPE: Shape = Shape { format: "openai", draws_request: is_request, draws_answer: is_answer };

const ROLES: [&str; 4] = ["user", "assistant", "system", "tool"];

/// `messages`, or else `input`: a text, or a list of messages and of other items.
fn is_request(request: JsonValue<'_>) -> bool {
    let [messages, input] = request.fields(["messages", "input"]);
    match (messages.filter(|value| !value.is_null()), input) {
        (Some(messages), _) => is_list_of(messages, is_message),
        (None, Some(input)) => {
            (input.is_string() && !input.is_empty())
                || is_list_of(input, is_message)
                || is_list_of(input, |item| is_input(item) || is_item(item))
        }
        (None, None) => false,
    }
}

/// `choices` of messages, or `output` of items of which at least one is more than thoughts.
fn is_answer(answer: JsonValue<'_>) -> bool {
    let [choices, output] = answer.fields(["choices", "output"]);
    if let Some(choices) = choices.filter(|value| !value.is_null()) {
        return is_list_of(choices, |choice| choice.field("message").is_some_and(is_message));
    }
    output.is_some_and(|output| {
        is_list_of(output, is_item) && output.items().any(|item| !is_one_of(item.field("type"), &["reasoning"]))
    })
}

fn is_message(message: JsonValue<'_>) -> bool {
    let [role, content, calls, legacy_call] = message.fields(["role", "content", "tool_calls", "function_call"]);
    let is_content = |content: JsonValue<'_>| {
        content.is_null() || content.is_string() || content.text() == "[]" || is_list_of(content, is_part)
    };
    is_one_of(role, &ROLES)
        && content.is_none_or(is_content)
        && calls.is_none_or(|calls| calls.is_null() || calls.text() == "[]" || is_list_of(calls, is_call))
        // The UI takes a message with the call of a function, of before there were tools, and draws it without.
        && legacy_call.is_none_or(JsonValue::is_null)
}

fn is_part(part: JsonValue<'_>) -> bool {
    let [kind, text, image, audio] = part.fields(["type", "text", "image_url", "input_audio"]);
    match kind.and_then(JsonValue::string).as_deref() {
        Some("text" | "input_text" | "output_text") => text.is_some_and(JsonValue::is_string),
        Some("image_url") => image.is_some_and(|image| {
            let [url, detail] = image.fields(["url", "detail"]);
            url.is_some_and(JsonValue::is_string)
                && (detail.is_none_or(JsonValue::is_null) || is_one_of(detail, &["auto", "low", "high"]))
        }),
        Some("input_audio") => audio.is_some_and(|audio| {
            let [data, format] = audio.fields(["data", "format"]);
            data.is_some_and(JsonValue::is_string)
                && (format.is_none_or(JsonValue::is_null) || is_one_of(format, &["wav", "mp3"]))
        }),
        _ => false,
    }
}

fn is_call(call: JsonValue<'_>) -> bool {
    let [id, function] = call.fields(["id", "function"]);
    id.is_some_and(JsonValue::is_string)
        && function.is_some_and(|function| {
            function.fields(["name", "arguments"]).iter().all(|value| value.is_some_and(JsonValue::is_string))
        })
}

/// A message of the Responses API's input, its parts of the kinds that only inputs have. The UI takes a developer's message
/// here, but draws it as nobody's.
fn is_input(item: JsonValue<'_>) -> bool {
    let [role, content] = item.fields(["role", "content"]);
    is_one_of(role, &["user", "assistant", "system"])
        && content.is_some_and(|content| {
            content.is_string()
                || is_list_of(content, |part| {
                    let [kind, image] = part.fields(["type", "image_url"]);
                    // A file by its id alone would be left out, and so would an image.
                    is_one_of(kind, &["input_text"])
                        || is_one_of(kind, &["input_image"]) && image.is_some_and(JsonValue::is_string)
                })
        })
}

/// An item of the Responses API's output, which a later input repeats.
fn is_item(item: JsonValue<'_>) -> bool {
    let [kind, call_id, name, arguments, output, id, summary] =
        item.fields(["type", "call_id", "name", "arguments", "output", "id", "summary"]);
    let are_strings =
        |values: &[Option<JsonValue<'_>>]| values.iter().all(|value| value.is_some_and(JsonValue::is_string));
    match kind.filter(|_| item.is_object()).and_then(JsonValue::string).as_deref() {
        Some("message") => is_message(item),
        Some("function_call") => are_strings(&[call_id, name, arguments]),
        Some("function_call_output") => are_strings(&[call_id, output]),
        Some("reasoning") => id.is_some() && summary.is_some_and(|value| value.is_null() || value.is_array()),
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

    #[test]
    fn chat_requests_that_the_ui_draws_are_known() {
        for messages in [
            r#"[{"role": "user", "content": "hi"}]"#,
            r#"[{"role": "user", "content": [{"type": "text", "text": "hi"}, {"type": "image_url", "image_url": {"url": "data:", "detail": "low"}}]}]"#,
            r#"[{"role": "assistant", "content": null, "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}, {"role": "tool", "tool_call_id": "c", "content": "1"}]"#,
            r#"[{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}]}]"#,
        ] {
            assert!(is_request(&format!(r#"{{"model": "m", "messages": {messages}}}"#)), "{messages}");
        }
    }

    #[test]
    fn one_part_that_the_ui_does_not_know_loses_a_request() {
        for messages in [
            "[]",
            r#"[{"role": "developer", "content": "hi"}]"#,
            r#"[{"role": "user", "content": "hi"}, {"role": "function", "name": "f", "content": "1"}]"#,
            r#"[{"role": "user", "content": [{"type": "file", "file": {}}]}]"#,
            r#"[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "u", "detail": "original"}}]}]"#,
            r#"[{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "AA==", "format": "ogg"}}]}]"#,
            r#"[{"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": {}}}]}]"#,
            r#"[{"role": "assistant", "content": null, "function_call": {"name": "f", "arguments": "{}"}}]"#,
            r#"[[{"role": "user", "content": "hi"}]]"#,
        ] {
            assert!(!is_request(&format!(r#"{{"messages": {messages}}}"#)), "{messages}");
        }
        assert!(!is_request(r#"[{"role": "user", "content": "hi"}]"#) && !is_request("{}"));
    }

    #[test]
    fn responses_inputs_are_texts_messages_and_items() {
        for input in [
            r#""hi""#,
            r#"[{"role": "user", "content": "hi"}]"#,
            r#"[{"role": "user", "content": [{"type": "input_text", "text": "hi"}, {"type": "input_image", "image_url": "u"}]}]"#,
            r#"[{"role": "user", "content": "hi"}, {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}, {"type": "function_call_output", "call_id": "c", "output": "1"}]"#,
        ] {
            assert!(is_request(&format!(r#"{{"input": {input}}}"#)), "{input}");
        }
        for input in [
            r#""""#,
            "[]",
            r#"[{"type": "item_reference", "id": "x"}]"#,
            r#"[{"role": "developer", "content": "x"}, {"type": "reasoning"}]"#,
        ] {
            assert!(!is_request(&format!(r#"{{"input": {input}}}"#)), "{input}");
        }
    }

    #[test]
    fn answers_are_choices_or_items_of_which_one_speaks() {
        assert!(is_answer(r#"{"choices": [{"message": {"role": "assistant", "content": "hi", "tool_calls": null}}]}"#));
        assert!(is_answer(
            r#"{"output": [{"type": "reasoning", "id": "r", "summary": []}, {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "hi"}]}]}"#
        ));
        for answer in [
            r#"{"choices": []}"#,
            r#"{"choices": [{"text": "legacy"}]}"#,
            r#"{"choices": [{"delta": {"content": "hi"}}]}"#,
            r#"{"output": [{"type": "reasoning", "id": "r", "summary": []}]}"#,
            r#"{"output": [{"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}]}"#,
            r#"{"output": [{"type": "web_search_call", "id": "w"}]}"#,
            r#""hi""#,
        ] {
            assert!(!is_answer(answer), "{answer}");
        }
    }
}
