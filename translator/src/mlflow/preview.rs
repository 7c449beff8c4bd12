//! Trace previews, as MLflow derives them (`mlflow/tracing/utils/truncation.py`, 3.17): the text of the last message when
//! the value is a conversation in OpenAI's shape, else the value's JSON.

use std::borrow::Cow;

use super::tags::{fits, truncate};
use crate::json::{self, JsonIndex, JsonValue};

/// The greatest length of a preview, in characters.
pub const MAX: usize = 1000;

/// The request preview from a root's `mlflow.spanInputs`, given as JSON or plain text.
pub fn request(inputs: &str) -> Option<String> {
    let index = JsonIndex::read(inputs);
    derived(inputs, index.as_ref().map(|index| index.root(inputs)), "user")
}

/// The response preview from a root's `mlflow.spanOutputs`, given as JSON or plain text.
pub fn response(outputs: &str) -> Option<String> {
    let index = JsonIndex::read(outputs);
    derived(outputs, index.as_ref().map(|index| index.root(outputs)), "assistant")
}

/// The preview of a root's inputs or outputs, given as text and as the JSON that it spells: `role` is `user` or
/// `assistant`.
pub fn derived(text: &str, json: Option<JsonValue<'_>>, role: &str) -> Option<String> {
    if text.is_empty() {
        return None;
    }
    Some(match json {
        Some(json) => truncated(&last_message_text(json, role).unwrap_or(Cow::Borrowed(text))),
        None => truncated(&json::quoted(text)),
    })
}

/// The text that MLflow finds in a value: of the last message of a role, or of another.
pub fn last_message_text<'a>(value: JsonValue<'a>, role: &str) -> Option<Cow<'a, str>> {
    let messages = messages(value)?;
    let mut from_last = messages.iter().rev().filter_map(|value| as_message(*value));
    let last = from_last.next()?;
    let is_of_role = |message: &Message<'_>| message.role.is_one_of(&[role]);
    let message = if is_of_role(&last) { last } else { from_last.find(is_of_role).unwrap_or(last) };
    message_text(message.content)
}

/// A text as long as a preview may be.
pub fn truncated(text: &str) -> String {
    if fits(text, MAX) { text.to_owned() } else { format!("{}...", truncate(text, MAX - 3)) }
}

/// What of a message matters here: its role and its content.
struct Message<'a> {
    role: JsonValue<'a>,
    content: JsonValue<'a>,
}

/// The conversation in a chat request or response, of the Chat Completions or the Responses API: what may be messages.
fn messages(value: JsonValue<'_>) -> Option<Vec<JsonValue<'_>>> {
    let [list, choices, input, output, request] = value.fields(["messages", "choices", "input", "output", "request"]);
    if let Some(messages) = filled(list) {
        return Some(messages);
    }
    let message = choices.and_then(|list| list.items().next()?.field("message"));
    if let Some(message) = message.filter(|message| as_message(*message).is_some()) {
        return Some(vec![message]);
    }
    // A `ResponsesAgent` wraps its request.
    filled(input).or_else(|| filled(output)).or_else(|| messages(request?))
}

/// The items of a list that has any.
fn filled(list: Option<JsonValue<'_>>) -> Option<Vec<JsonValue<'_>>> {
    list.map(|list| list.items().collect::<Vec<_>>()).filter(|items| !items.is_empty())
}

fn as_message(value: JsonValue<'_>) -> Option<Message<'_>> {
    let [role, content] = value.fields(["role", "content"]);
    Some(Message { role: role?, content: content? })
}

fn message_text(content: JsonValue<'_>) -> Option<Cow<'_, str>> {
    let text = content.string().or_else(|| content.items().find_map(part_text));
    text.filter(|text| !text.is_empty())
}

fn part_text(part: JsonValue<'_>) -> Option<Cow<'_, str>> {
    if let Some(text) = part.string() {
        return Some(text);
    }
    let [kind, text] = part.fields(["type", "text"]);
    if kind?.is_one_of(&["text", "output_text"]) { text?.string() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_previews_as_its_last_user_message() {
        let chat = r#"{"model": "m", "messages": [{"role": "user", "content": "first"}, {"role": "user", "content": "l\u00e4st"}, {"role": "assistant", "content": "no"}]}"#;
        assert_eq!(request(chat).as_deref(), Some("läst"));
        assert_eq!(response(chat).as_deref(), Some("no"));
    }

    #[test]
    fn a_conversation_without_the_role_previews_as_its_last_message() {
        let chat = r#"{"input": [{"role": "system", "content": "a"}, {"role": "developer", "content": [{"type": "input_image"}, {"type": "text", "text": "b"}]}]}"#;
        assert_eq!(request(chat).as_deref(), Some("b"));
    }

    #[test]
    fn answers_of_both_openai_apis_preview_as_text() {
        let choices = r#"{"choices": [{"message": {"role": "assistant", "content": "hi"}}, {"message": {"role": "assistant", "content": "other"}}]}"#;
        assert_eq!(response(choices).as_deref(), Some("hi"));
        let output = r#"{"output": [{"type": "reasoning"}, {"role": "assistant", "content": [{"type": "output_text", "text": "ho"}]}]}"#;
        assert_eq!(response(output).as_deref(), Some("ho"));
        let wrapped = r#"{"request": {"input": [{"role": "user", "content": "hey"}]}}"#;
        assert_eq!(request(wrapped).as_deref(), Some("hey"));
    }

    #[test]
    fn a_message_without_text_leaves_the_json() {
        for chat in [
            r#"{"messages": []}"#,
            r#"{"messages": [{"role": "user"}]}"#,
            r#"{"messages": [{"role": "user", "content": ""}]}"#,
            r#"{"messages": [{"role": "user", "content": null}]}"#,
            r#"{"choices": [{"message": {"role": "assistant"}}]}"#,
            r#"{"a": 1}"#,
            "[1, 2]",
        ] {
            assert_eq!(request(chat).as_deref(), Some(chat));
        }
    }

    #[test]
    fn plain_text_previews_with_its_quotes() {
        assert_eq!(request("héllo \"you\"").as_deref(), Some("\"héllo \\\"you\\\"\""));
        assert_eq!(request("42").as_deref(), Some("\"42\""));
        assert_eq!(request(""), None);
    }

    #[test]
    fn long_previews_are_cut_at_a_thousand_characters() {
        let fits = "é".repeat(MAX - 2);
        assert_eq!(request(&fits), Some(format!("\"{fits}\"")));
        let cut = request(&"é".repeat(MAX)).expect("a preview");
        assert_eq!((cut.chars().count(), cut.ends_with("é...")), (MAX, true));
    }
}
