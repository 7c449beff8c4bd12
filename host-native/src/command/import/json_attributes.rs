//! The attributes whose value is JSON text: Phoenix reads the text (`JSON_STRING_ATTRIBUTES` in `phoenix/trace/attributes.py`),
//! and gives one attribute for each value in it, as in `metadata.tier`. Here they become text again.
//!
//! A key that has a dot of its own becomes two objects, as Phoenix no longer tells them apart.

use serde_json::{Map, Value, json};

/// Names of such attributes at the top.
const TOP: [&str; 3] = ["metadata", "tool.parameters", "llm.prompt_template.variables"];
/// The end of the name of those of documents.
const OF_DOCUMENTS: &str = ".document.metadata";

/// The attributes, OTLP/JSON's, with the JSON text in place of its values.
pub(super) fn restored(attributes: Vec<Value>) -> Vec<Value> {
    let mut texts: Map<String, Value> = Map::new();
    let mut others = Vec::with_capacity(attributes.len());
    for attribute in attributes {
        let key = attribute.get("key").and_then(Value::as_str).unwrap_or_default();
        match split(key) {
            Some((name, path)) => {
                let value = attribute.get("value").map_or(Value::Null, plain);
                put(texts.entry(name).or_insert_with(|| json!({})), path, value);
            }
            None => others.push(attribute),
        }
    }
    let texts = texts
        .into_iter()
        .map(|(name, value)| json!({"key": name, "value": {"string_value": listed(value).to_string()}}));
    others.extend(texts);
    others
}

/// The name of the JSON attribute that this key is a part of, and the rest of the key.
fn split(key: &str) -> Option<(&str, &str)> {
    let below = |name: &str| {
        let end = name.len();
        Some((key.get(..end)?, key.get(end..)?.strip_prefix('.').filter(|path| !path.is_empty())?))
    };
    let at_top = TOP.iter().find(|name| key.starts_with(*name)).and_then(|name| below(name));
    at_top.or_else(|| below(key.get(..key.find(OF_DOCUMENTS)? + OF_DOCUMENTS.len())?))
}

fn put(target: &mut Value, path: &str, value: Value) {
    let Value::Object(entries) = target else { return };
    match path.split_once('.') {
        Some((head, rest)) if !rest.is_empty() => {
            let next = entries.entry(head).or_insert_with(|| json!({}));
            match next {
                Value::Object(_) => put(next, rest, value),
                // A value and what is below it: both stay.
                _ => drop(entries.insert(path.to_owned(), value)),
            }
        }
        _ => drop(entries.insert(path.to_owned(), value)),
    }
}

/// Objects whose keys are 0, 1, 2, … were lists.
fn listed(value: Value) -> Value {
    let Value::Object(entries) = value else { return value };
    let is_list = !entries.is_empty() && (0..entries.len()).all(|index| entries.contains_key(&index.to_string()));
    if is_list {
        let mut entries = entries;
        return (0..entries.len()).filter_map(|index| entries.remove(&index.to_string())).map(listed).collect();
    }
    entries.into_iter().map(|(key, value)| (key, listed(value))).collect()
}

/// OTLP/JSON's `AnyValue` as plain JSON.
fn plain(value: &Value) -> Value {
    let Some((kind, value)) = value.as_object().and_then(|kinds| kinds.iter().find(|(_, value)| !value.is_null()))
    else {
        return Value::Null;
    };
    match (kind.as_str(), value) {
        ("array_value", list) => {
            let values = list.get("values").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            values.iter().map(plain).collect()
        }
        (_, value) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(key: &str, value: Value) -> Value {
        json!({"key": key, "value": value})
    }

    fn texts(attributes: Vec<Value>) -> Vec<(String, String)> {
        let text = |attribute: &Value| {
            let text = attribute["value"]["string_value"].as_str().unwrap_or_default().to_owned();
            (attribute["key"].as_str().unwrap().to_owned(), text)
        };
        restored(attributes).iter().map(text).collect()
    }

    #[test]
    fn given_json_that_phoenix_took_apart_then_it_is_one_text_again() {
        let found = texts(vec![
            attribute("metadata.tier", json!({"string_value": "gold", "int_value": null})),
            attribute("input.value", json!({"string_value": "q"})),
            attribute("metadata.nested.count", json!({"int_value": 2})),
            attribute("metadata.list", json!({"array_value": {"values": [{"bool_value": true}]}})),
            attribute("metadata.steps.0.name", json!({"string_value": "a"})),
            attribute("metadata.steps.1.name", json!({"string_value": "b"})),
            attribute("retrieval.documents.0.document.metadata.source", json!({"string_value": "a.md"})),
            attribute("tool.parameters.city", json!({"string_value": "Lisbon"})),
        ]);
        let expected = [
            ("input.value", "q"),
            ("metadata", r#"{"tier":"gold","nested":{"count":2},"list":[true],"steps":[{"name":"a"},{"name":"b"}]}"#),
            ("retrieval.documents.0.document.metadata", r#"{"source":"a.md"}"#),
            ("tool.parameters", r#"{"city":"Lisbon"}"#),
        ];
        assert_eq!(found, expected.map(|(key, text)| (key.to_owned(), text.to_owned())));
    }

    #[test]
    fn given_other_attributes_then_they_stay_as_they_are() {
        let others = vec![
            attribute("metadata", json!({"string_value": "free text"})),
            attribute("metadatas.x", json!({"int_value": 1})),
            attribute("app.metadata.x", json!({"int_value": 1})),
            json!({"value": {"int_value": 1}}),
            json!(7),
        ];
        assert_eq!(restored(others.clone()), others);
    }

    #[test]
    fn given_a_value_and_another_one_below_it_then_neither_is_lost() {
        let found = texts(vec![
            attribute("metadata.a", json!({"int_value": 1})),
            attribute("metadata.a.b", json!({"int_value": 2})),
        ]);
        assert_eq!(found, [("metadata".to_owned(), r#"{"a":1,"a.b":2}"#.to_owned())]);
    }
}
