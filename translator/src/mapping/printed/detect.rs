//! Finds Python objects as Python prints them: `ChatMessage(role=…)`, `<ToolCall(*, …)>`, `role='user' content=…`.

use super::reader::is_bare;

/// How much of a value is looked at, in bytes: printed objects begin early.
const LOOKED_AT: usize = 4_096;

/// Whether a text, or a string of a JSON text, is such an object.
pub fn is_printed(value: &str) -> bool {
    let looked_at = value.get(..value.floor_char_boundary(LOOKED_AT)).unwrap_or(value);
    let starts_object = |place: usize| {
        let before = looked_at.get(..place).unwrap_or_default();
        let before = before.strip_suffix('<').unwrap_or(before);
        (before.is_empty() || before.ends_with('"')) && looked_at.get(place..).is_some_and(begins)
    };
    // Few characters of a value are equals signs.
    let has_fields = looked_at.match_indices('=').any(|(at, _)| {
        let name = before_word(looked_at, at);
        let class = looked_at.get(..name).and_then(|before| before_space(before).strip_suffix('('));
        starts_object(class.map_or(name, |before| before_word(looked_at, before.len())))
    });
    let has_signature = |(at, _)| {
        let class = looked_at.get(..at).and_then(|before| before.strip_suffix('('));
        class.is_some_and(|class| starts_object(before_word(looked_at, class.len())))
    };
    has_fields || looked_at.match_indices('*').any(has_signature)
}

/// Where the word that ends at a place starts.
fn before_word(text: &str, end: usize) -> usize {
    text.get(..end).map_or(end, |before| before.trim_end_matches(is_word).len())
}

/// Whether a text begins as a class's name in capitals and the first of its named arguments, or as the fields of an object
/// [without](is_bare) its class. The text may be that of a JSON string.
pub(super) fn begins(text: &str) -> bool {
    let text = text.strip_prefix('<').unwrap_or(text);
    let Some(arguments) = after_word(text).strip_prefix('(') else { return is_bare(text) };
    let first = after_space(arguments);
    let argument = after_word(first);
    text.starts_with(|first: char| first.is_ascii_uppercase())
        && (argument.len() < first.len() && argument.starts_with('=') || arguments.starts_with("*, "))
}

fn after_word(text: &str) -> &str {
    let word = text.bytes().take_while(|byte| is_word(char::from(*byte))).count();
    text.get(word..).unwrap_or_default()
}

/// The text after the end of a line and white space, as a pretty printer has it; in JSON the end of a line is an escape.
fn after_space(text: &str) -> &str {
    text.strip_prefix("\\n").unwrap_or(text).trim_ascii_start()
}

/// The text before them.
fn before_space(text: &str) -> &str {
    let before = text.trim_ascii_end();
    before.strip_suffix("\\n").unwrap_or(before)
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_that_python_printed_are_found() {
        for value in [
            "StopEvent(result=AgentOutput(response=1))",
            r#"{"messages": ["ChatMessage(_role=<ChatRole.USER: 'user'>)"]}"#,
            r#"["<ToolCall(*, tool_name: str) -> None>"]"#,
            r#"["é (f=é) é", "é=", "Point(x=1)"]"#,
            r#"["role='user' content='hi'"]"#,
            "name=None role='user'",
            "Call(\n    id='1')",
            r#"{"call": "Call(\n    id='1')"}"#,
        ] {
            assert!(is_printed(value), "{value}");
        }
    }

    #[test]
    fn what_people_and_models_write_is_not() {
        for value in [
            "",
            "(",
            "é(a=1)",
            "What does Point(x=1) do?",
            "Paris (France)",
            "Paris(France)",
            r#"{"a": "f(x=1)"}"#,
            "<p>(a=1)",
            "a=1",
            "x = 'y'",
            r#"{"data": "aGk=", "more": "b3Vy="}"#,
            r#"{"url": "http://h/?a='b'&c=d"}"#,
            r#"{"a": "é Point(x=1)"}"#,
        ] {
            assert!(!is_printed(value), "{value}");
        }
        assert!(!is_printed(&"\"é".repeat(LOOKED_AT)));
    }
}
