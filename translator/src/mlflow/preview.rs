//! Trace previews, as MLflow derives them (`mlflow/tracing/utils/truncation.py`, 3.17): the text of the last message when
//! the value is a conversation in OpenAI's shape, else the value's JSON.

use std::borrow::Cow;

use super::json::{self, fields};
use super::tags::{fits, truncate};

/// The greatest length of a preview, in characters.
pub const MAX: usize = 1000;

/// The request preview from a root's `mlflow.spanInputs`, given as JSON or plain text.
pub fn request(inputs: &str) -> Option<String> {
    preview(inputs, "user")
}

/// The response preview from a root's `mlflow.spanOutputs`, given as JSON or plain text.
pub fn response(outputs: &str) -> Option<String> {
    preview(outputs, "assistant")
}

/// The text that MLflow finds in a value: of the last message of a role, or of another.
pub fn last_message_text<'a>(value: &'a str, role: &str) -> Option<Cow<'a, str>> {
    if json::is_structured(value) { last_message(value, role) } else { None }
}

fn preview(text: &str, role: &str) -> Option<String> {
    if text.is_empty() {
        return None;
    }
    if !json::is_structured(text) {
        return Some(truncated(&json::quoted(text)));
    }
    Some(truncated(&last_message(text, role).unwrap_or(Cow::Borrowed(text))))
}

/// A text as long as a preview may be.
pub fn truncated(text: &str) -> String {
    if fits(text, MAX) { text.to_owned() } else { format!("{}...", truncate(text, MAX - 3)) }
}

/// What of a message matters here: its role and its content, as JSON text.
struct Message<'a> {
    role: &'a str,
    content: &'a str,
}

/// The text of the last message of a role; without one, of the last message.
fn last_message<'a>(text: &'a str, role: &str) -> Option<Cow<'a, str>> {
    let messages = messages(text)?;
    let mut from_last = messages.iter().rev().filter_map(|text| as_message(text));
    let last = from_last.next()?;
    let is_of_role = |message: &Message<'_>| json::string(message.role).is_some_and(|found| found == role);
    let message = if is_of_role(&last) { last } else { from_last.find(is_of_role).unwrap_or(last) };
    message_text(message.content)
}

/// The conversation in a chat request or response, of the Chat Completions or the Responses API: the JSON texts of what may
/// be messages.
fn messages(text: &str) -> Option<Vec<&str>> {
    let [list, choices, input, output, request] = fields(text, ["messages", "choices", "input", "output", "request"]);
    if let Some(messages) = filled(list) {
        return Some(messages);
    }
    let message = choices.and_then(|list| fields(json::items(list).next()?, ["message"])[0]);
    if let Some(message) = message.filter(|message| as_message(message).is_some()) {
        return Some(vec![message]);
    }
    // A `ResponsesAgent` wraps its request.
    filled(input).or_else(|| filled(output)).or_else(|| messages(request?))
}

/// The items of a list that has any.
fn filled(list: Option<&str>) -> Option<Vec<&str>> {
    list.map(|list| json::items(list).collect::<Vec<_>>()).filter(|items| !items.is_empty())
}

fn as_message(text: &str) -> Option<Message<'_>> {
    let [role, content] = fields(text, ["role", "content"]);
    Some(Message { role: role?, content: content? })
}

fn message_text(content: &str) -> Option<Cow<'_, str>> {
    let text = json::string(content).or_else(|| json::items(content).find_map(part_text));
    text.filter(|text| !text.is_empty())
}

fn part_text(part: &str) -> Option<Cow<'_, str>> {
    if let Some(text) = json::string(part) {
        return Some(text);
    }
    let [kind, text] = fields(part, ["type", "text"]);
    match json::string(kind?)?.as_ref() {
        "text" | "output_text" => json::string(text?),
        _ => None,
    }
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
