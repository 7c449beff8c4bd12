//! What Python prints for an argument that the caller left out: `<openai.Omit object at 0x7f5c>`, `NOT_GIVEN`.

use crate::json::JsonValue;

/// The classes that stand for nothing in the clients of OpenAI and Anthropic, and in those that are generated as they are.
const CLASSES: [&str; 2] = ["Omit", "NotGiven"];

/// As one of them prints itself, in quotes. Elsewhere than among parameters that may be a word of somebody's own.
const NAME: &str = "\"NOT_GIVEN\"";

/// Whether the value of a parameter is such a placeholder.
pub(in crate::mapping) fn is_not_given(parameter: JsonValue<'_>) -> bool {
    parameter.text() == NAME || is_placeholder(parameter)
}

/// JSON without the entries that hold placeholders; `None` where there are none.
///
/// Arguments are entries of objects. Lists are what somebody said or found; they stay as they are, and cost nothing.
pub(in crate::mapping) fn without_not_given(value: JsonValue<'_>) -> Option<String> {
    if !holds_placeholder(value) {
        return None;
    }
    let mut out = String::with_capacity(value.text().len());
    put(&mut out, value);
    Some(out)
}

/// As deep as the value is nested, which [`JsonIndex`](crate::json::JsonIndex) bounds.
fn holds_placeholder(value: JsonValue<'_>) -> bool {
    value.entries().any(|(_, value)| is_placeholder(value) || holds_placeholder(value))
}

fn is_placeholder(value: JsonValue<'_>) -> bool {
    value.is_string() && is_printed(value.text())
}

/// Whether the literal of a string is an object of these classes as Python prints it.
fn is_printed(literal: &str) -> bool {
    let object = || {
        let (class, address) = literal.strip_prefix("\"<")?.strip_suffix(">\"")?.split_once(" object at 0x")?;
        let name = class.rsplit_once('.').map_or(class, |(_, name)| name);
        Some(CLASSES.contains(&name) && address.bytes().all(|digit| digit.is_ascii_hexdigit()))
    };
    object().unwrap_or_default()
}

/// Appends a value without such entries.
fn put(out: &mut String, value: JsonValue<'_>) {
    if !value.is_object() {
        out.push_str(value.text());
        return;
    }
    out.push('{');
    let given = value.entries().filter(|(_, value)| !is_placeholder(*value));
    for (at, (key, value)) in given.enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        out.push_str(key.text());
        out.push_str(": ");
        put(out, value);
    }
    out.push('}');
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::json::JsonDocument;

    fn given(value: &Value) -> Option<Value> {
        let text = value.to_string();
        let document = JsonDocument::read(&text)?;
        serde_json::from_str(&without_not_given(document.root())?).ok()
    }

    #[test]
    fn arguments_that_were_left_out_are_no_entries() {
        let omit = "<openai.Omit object at 0x7f5cf9a916d0>";
        let value =
            json!({"n": 1, "top_p": omit, "kwargs": {"stop": "<anthropic._types.NotGiven object at 0x1A>"}, "of": [1]});
        assert_eq!(given(&value), Some(json!({"n": 1, "kwargs": {}, "of": [1]})));
        assert_eq!(given(&json!({"user": omit})), Some(json!({})));
    }

    #[test]
    fn other_objects_and_what_people_write_stay() {
        for text in [
            "<dspy.clients.lm.LM object at 0x7f5c>",
            "<openai.Omit object at 0x7f5c> is what it prints",
            "<openai.Omit object at 0xwhere>",
            "<openai.Omit>",
            "NOT_GIVEN",
            "<",
            "",
        ] {
            assert_eq!(given(&json!({"content": text})), None, "{text}");
        }
        let omit = "<openai.Omit object at 0x7f5c>";
        assert_eq!(given(&json!({"messages": [omit, {"content": omit}]})), None);
    }
}
