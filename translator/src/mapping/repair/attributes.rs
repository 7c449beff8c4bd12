//! Attributes: their keys, their values, and what MLflow does with some of them.

use std::borrow::Cow;

use super::{Notes, columns, rule, values};
use crate::json;
use crate::otlp::wire::{bytes_field_len, put_bytes_field, put_header};
use crate::otlp::{KeyValue, Text, Value};

/// The owner of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// A span: MLflow parses its texts as JSON and puts some into columns.
    Span,
    /// A resource: MLflow makes trace tags of its attributes.
    Resource,
    /// An event, a link or a scope: MLflow keeps or ignores their attributes.
    Other,
}

/// Whether an attribute may pass as it is.
#[inline]
pub(super) fn is_sound(attribute: &KeyValue<'_>, owner: Owner) -> bool {
    attribute.key.is_valid() && values::is_sound(attribute.value) && special(attribute, owner).is_none()
}

/// Appends an attribute as the field `number`, repaired.
pub(super) fn put(
    out: &mut Vec<u8>,
    number: u32,
    attribute: &KeyValue<'_>,
    owner: Owner,
    prefix: &str,
    notes: &mut Notes,
) {
    let place = format!("{prefix}{}", String::from_utf8_lossy(attribute.key.bytes()));
    // What MLflow makes of a text shows only when it is one.
    let key = values::utf8(attribute.key, &place, notes);
    let text;
    let readable = match attribute.value {
        Value::String(bytes) => {
            text = values::utf8(bytes, &place, notes);
            Value::String(Text::from(text.as_ref()))
        }
        other => other,
    };
    let attribute = &KeyValue { key: Text::from(key.as_ref()), value: readable };
    let mut value = Vec::new();
    match special(attribute, owner) {
        Some((rule, text)) => {
            notes.add(rule, &place);
            put_bytes_field(&mut value, 1, text.as_bytes());
        }
        None => values::put(&mut value, attribute.value, &place, notes),
    }
    put_header(out, number, bytes_field_len(1, key.len()) + bytes_field_len(2, value.len()));
    put_bytes_field(out, 1, key.as_bytes());
    put_bytes_field(out, 2, &value);
}

/// The rule that an attribute breaks because of what MLflow does with it, and the text that its value becomes.
fn special(attribute: &KeyValue<'_>, owner: Owner) -> Option<(&'static str, String)> {
    match owner {
        Owner::Span => {
            let of_column = columns::fault(attribute.key.get(), attribute.value);
            of_column.or_else(|| json_fault(attribute.value.as_str()?))
        }
        Owner::Resource => resource_fault(attribute.value),
        Owner::Other => None,
    }
}

/// JSON text that MLflow cannot hold, as a JSON string, which it can and shows as text.
fn json_fault(text: &str) -> Option<(&'static str, String)> {
    json::is_faulty(text).then(|| (rule::JSON_TEXT, json::quoted(text)))
}

/// MLflow writes a tag as text, or as JSON when it is none: bytes it cannot write at all, and NUL PostgreSQL refuses.
fn resource_fault(value: Value<'_>) -> Option<(&'static str, String)> {
    match value {
        Value::String(text) if text.bytes().contains(&0) => {
            Some((rule::NUL, String::from_utf8_lossy(text.bytes()).replace('\0', "\u{fffd}")))
        }
        Value::Bytes(_) => json::plain_text(value).map(Cow::into_owned).map(|text| (rule::BYTES, unquoted(text))),
        Value::Array(_) | Value::KvList(_) if holds_bytes(value) => Some((rule::BYTES, json::value_text(value))),
        _ => None,
    }
}

fn unquoted(text: String) -> String {
    json::string(&text).map(Cow::into_owned).unwrap_or(text)
}

fn holds_bytes(value: Value<'_>) -> bool {
    match value {
        Value::Bytes(_) => true,
        Value::Array(items) => items.iter().any(holds_bytes),
        Value::KvList(entries) => entries.iter().any(|entry| holds_bytes(entry.value)),
        _ => false,
    }
}
