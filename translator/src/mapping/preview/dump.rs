//! Python objects as Python prints them: `ChatMessage(role=…)`, `<ToolCall(*, …)>`.
//!
//! Some frameworks put their objects into values that way. Nobody reads them in a list.

/// How much of a value is looked at, in bytes: dumps begin early.
const LOOKED_AT: usize = 4_096;

/// Whether a text, or a string of a JSON text, is such an object.
pub(in crate::mapping) fn is_dump(value: &str) -> bool {
    let start = value.get(..value.floor_char_boundary(LOOKED_AT)).unwrap_or(value);
    begins(start) || start.split('"').any(begins)
}

/// Whether a text begins as a class's name in capitals and the first of its named arguments.
fn begins(text: &str) -> bool {
    let text = text.strip_prefix('<').unwrap_or(text);
    let Some((name, arguments)) = text.split_once('(') else { return false };
    let is_word = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let is_class = name.starts_with(|first: char| first.is_ascii_uppercase()) && is_word(name);
    let is_named = |text: &str| text.split_once('=').is_some_and(|(name, _)| !name.is_empty() && is_word(name));
    is_class && (arguments.starts_with("*, ") || is_named(arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_that_python_printed_are_dumps() {
        for value in [
            "StopEvent(result=AgentOutput(response=1))",
            r#"{"messages": ["ChatMessage(_role=<ChatRole.USER: 'user'>)"]}"#,
            r#"["<ToolCall(*, tool_name: str) -> None>"]"#,
        ] {
            assert!(is_dump(value), "{value}");
        }
    }

    #[test]
    fn what_people_and_models_write_is_no_dump() {
        for value in
            ["", "What does Point(x=1) do?", "Paris (France)", "Paris(France)", r#"{"a": "f(x=1)"}"#, "<p>(a=1)"]
        {
            assert!(!is_dump(value), "{value}");
        }
        assert!(!is_dump(&"\"é".repeat(LOOKED_AT)));
    }
}
