//! The schema of a tool's parameters, as far as MLflow's UI takes it: one property that it does not take would cost the tool.
//! Source: the UI's check of chat tools (MLflow 3.17.2). What is changed here stays as it was in `llm.tools`.

use std::borrow::Cow;

use crate::json::{JsonValue, put_compact, put_quoted};

/// Appends a value; whether there was one that the UI takes.
type Put = fn(&mut String, &str, JsonValue<'_>) -> bool;

/// Appends a schema that the UI takes: names of required properties are text, and each property is an object whose `type` and
/// `description` are text and whose `enum` is a list. `schema` must be an object.
pub(super) fn put_drawable(out: &mut String, schema: JsonValue<'_>) {
    put_object(out, schema, |out, key, value| match key {
        "type" => put_type(out, value),
        "required" => value.is_array() && put_array(out, value.items().filter(|name| name.is_string())),
        "properties" => value.is_object() && put_object(out, value, |out, _, property| put_property(out, property)),
        _ => put(out, value),
    });
}

/// `true` and `{}` both allow anything.
fn put_property(out: &mut String, property: JsonValue<'_>) -> bool {
    put_object(out, property, |out, key, value| match key {
        "type" => put_type(out, value),
        "description" => value.is_string() && put(out, value),
        "enum" => value.is_array() && put(out, value),
        _ => put(out, value),
    })
}

/// One type in lower case: Gemini writes capitals, and of several types (`["string", "null"]`) the first one is kept.
fn put_type(out: &mut String, kind: JsonValue<'_>) -> bool {
    let first = match kind.is_array() {
        true => kind.items().filter_map(JsonValue::string).find(|kind| kind != "null"),
        false => kind.string(),
    };
    let Some(first) = first else { return false };
    let is_lower = !first.bytes().any(|byte| byte.is_ascii_uppercase());
    put_quoted(out, &if is_lower { first } else { Cow::Owned(first.to_ascii_lowercase()) });
    true
}

/// Appends an object of the entries of another whose values are put; an empty one for what is no object.
fn put_object(out: &mut String, object: JsonValue<'_>, put_value: Put) -> bool {
    out.push('{');
    let start = out.len();
    for (key, value) in object.entries() {
        let before = out.len();
        if before > start {
            out.push(',');
        }
        put_compact(out, key);
        out.push(':');
        if !put_value(out, &key.string().unwrap_or_default(), value) {
            out.truncate(before);
        }
    }
    out.push('}');
    true
}

fn put_array<'v>(out: &mut String, items: impl Iterator<Item = JsonValue<'v>>) -> bool {
    out.push('[');
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(',');
        }
        put_compact(out, item);
    }
    out.push(']');
    true
}

fn put(out: &mut String, value: JsonValue<'_>) -> bool {
    put_compact(out, value);
    true
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::json::JsonDocument;

    fn drawable(schema: &serde_json::Value) -> Option<serde_json::Value> {
        let text = schema.to_string();
        let mut out = String::new();
        put_drawable(&mut out, JsonDocument::read(&text)?.root());
        serde_json::from_str(&out).ok()
    }

    #[test]
    fn what_the_ui_does_not_take_is_made_plain() {
        let schema = json!({
            "type": "OBJECT",
            "required": ["a", 1],
            "properties": {"a": {"type": ["null", "string"], "description": 1, "enum": "x"}, "b": true, "c": {"anyOf": []}},
        });
        let drawn = json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}, "b": {}, "c": {"anyOf": []}}});
        assert_eq!(drawable(&schema), Some(drawn));
        assert_eq!(drawable(&json!({"required": true, "type": 1, "properties": []})), Some(json!({})));
    }

    #[test]
    fn a_schema_that_the_ui_takes_stays_as_it_is() {
        let schema = json!({"type": "object", "properties": {"a": {"type": "string", "enum": ["x"], "description": "d"}}, "required": ["a"], "additionalProperties": false});
        assert_eq!(drawable(&schema), Some(schema));
    }
}
