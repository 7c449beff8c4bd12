//! Attribute values of any depth: finite numbers and UTF-8.

use super::{Notes, rule};
use crate::json;
use crate::otlp::wire::{bytes_field_len, put_bytes_field, put_fixed64_field, put_header, put_varint_field};
use crate::otlp::{KeyValue, Text, Value};

/// Whether a value may pass as it is.
#[inline]
pub(super) fn is_sound(value: Value<'_>) -> bool {
    match value {
        Value::String(text) => text.is_valid(),
        Value::Double(number) => number.is_finite(),
        Value::Array(items) => items.iter().all(is_sound),
        Value::KvList(entries) => entries.iter().all(|entry| entry.key.is_valid() && is_sound(entry.value)),
        Value::Empty | Value::Bool(_) | Value::Int(_) | Value::Bytes(_) => true,
    }
}

/// Appends the `AnyValue` that a value becomes.
pub(super) fn put(out: &mut Vec<u8>, value: Value<'_>, place: &str, notes: &mut Notes) {
    match value {
        Value::Empty => {}
        Value::String(text) => put_bytes_field(out, 1, utf8(text, place, notes).as_bytes()),
        Value::Bool(flag) => put_varint_field(out, 2, u64::from(flag)),
        Value::Int(number) => put_varint_field(out, 3, number as u64),
        Value::Double(number) if number.is_finite() => put_fixed64_field(out, 4, number.to_bits()),
        Value::Double(number) => {
            notes.add(rule::NOT_FINITE, place);
            put_bytes_field(out, 1, json::not_finite_text(number).as_bytes());
        }
        Value::Array(items) => {
            let mut list = Vec::new();
            for item in items.iter() {
                let mut encoded = Vec::new();
                put(&mut encoded, item, place, notes);
                put_bytes_field(&mut list, 1, &encoded);
            }
            put_bytes_field(out, 5, &list);
        }
        Value::KvList(entries) => {
            let mut list = Vec::new();
            for KeyValue { key, value } in entries.iter() {
                let key = utf8(key, place, notes);
                let mut encoded = Vec::new();
                put(&mut encoded, value, place, notes);
                put_header(&mut list, 1, bytes_field_len(1, key.len()) + bytes_field_len(2, encoded.len()));
                put_bytes_field(&mut list, 1, key.as_bytes());
                put_bytes_field(&mut list, 2, &encoded);
            }
            put_bytes_field(out, 6, &list);
        }
        Value::Bytes(bytes) => put_bytes_field(out, 7, bytes),
    }
}

/// A text as UTF-8.
pub(super) fn utf8<'a>(text: Text<'a>, place: &str, notes: &mut Notes) -> std::borrow::Cow<'a, str> {
    if !text.is_valid() {
        notes.add(rule::INVALID_UTF8, place);
    }
    String::from_utf8_lossy(text.bytes())
}
