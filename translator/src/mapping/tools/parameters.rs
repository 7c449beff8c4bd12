//! The schema of a tool's parameters, as far as MLflow's UI takes it: one property that it does not take would cost the tool.
//! Source: the UI's check of chat tools (MLflow 3.17.2). What is changed here stays as it was in `llm.tools`.

use serde_json::{Map, Value};

/// A schema that the UI takes: names of required properties are text, and each property is an object whose `type` and
/// `description` are text and whose `enum` is a list. `None` when it is no schema.
pub(super) fn drawable(schema: Value) -> Option<Value> {
    let Value::Object(mut schema) = schema else { return None };
    plain_type(&mut schema);
    match schema.get_mut("required") {
        Some(Value::Array(names)) => names.retain(Value::is_string),
        Some(_) => drop(schema.shift_remove("required")),
        None => {}
    }
    match schema.get_mut("properties") {
        Some(Value::Object(properties)) => properties.values_mut().for_each(property),
        Some(_) => drop(schema.shift_remove("properties")),
        None => {}
    }
    Some(Value::Object(schema))
}

fn property(value: &mut Value) {
    let Value::Object(property) = value else {
        // `true` and `{}` both allow anything.
        *value = Value::Object(Map::new());
        return;
    };
    plain_type(property);
    if property.get("description").is_some_and(|value| !value.is_string()) {
        property.shift_remove("description");
    }
    if property.get("enum").is_some_and(|value| !value.is_array()) {
        property.shift_remove("enum");
    }
}

/// One type in lower case: Gemini writes capitals, and of several types (`["string", "null"]`) the first one is kept.
fn plain_type(schema: &mut Map<String, Value>) {
    let Some(kind) = schema.get_mut("type") else { return };
    let first = match &*kind {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null"),
        one => one.as_str(),
    };
    match first.map(str::to_ascii_lowercase) {
        Some(first) => *kind = Value::String(first),
        None => drop(schema.shift_remove("type")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_ui_does_not_take_is_made_plain() {
        let schema = json!({
            "type": "OBJECT",
            "required": ["a", 1],
            "properties": {"a": {"type": ["null", "string"], "description": 1, "enum": "x"}, "b": true, "c": {"anyOf": []}},
        });
        let drawn = json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}, "b": {}, "c": {"anyOf": []}}});
        assert_eq!(drawable(schema), Some(drawn));
        assert_eq!(drawable(json!({"required": true, "properties": []})), Some(json!({})));
        assert_eq!(drawable(json!("x")), None);
    }

    #[test]
    fn a_schema_that_the_ui_takes_stays_as_it_is() {
        let schema = json!({"type": "object", "properties": {"a": {"type": "string", "enum": ["x"], "description": "d"}}, "required": ["a"], "additionalProperties": false});
        assert_eq!(drawable(schema.clone()), Some(schema));
    }
}
