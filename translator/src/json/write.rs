//! Writing JSON text: OTLP values as MLflow writes them, and parts of other JSON text.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{JsonValue, Kind};
use crate::otlp::{Text, Value};

/// A value as JSON text, in the form of Python's `json.dumps`: a space after each comma and colon, no needless escapes.
///
/// Bytes become base64 text, and numbers that are not finite become text, so that the result is always JSON.
pub fn value_text(value: Value<'_>) -> String {
    let mut out = Vec::new();
    put_value(&mut out, value);
    String::from_utf8(out).unwrap_or_default()
}

/// A value as the text that MLflow puts into a column of its own, as it does with sessions and users: a JSON string is
/// the text it spells, what is no string its JSON. `None` for no value and for an empty text.
pub fn plain_text(value: Value<'_>) -> Option<Cow<'_, str>> {
    let text = match value {
        Value::Empty => return None,
        Value::String(text) => super::string(text.get()).unwrap_or(Cow::Borrowed(text.get())),
        value => Cow::Owned(value_text(value)),
    };
    Some(text).filter(|text| !text.is_empty())
}

/// Appends what [`value_text`] returns.
pub fn put_value(out: &mut Vec<u8>, value: Value<'_>) {
    match value {
        Value::Empty => out.extend_from_slice(b"null"),
        Value::String(text) => put_text(out, text),
        Value::Bool(flag) => out.extend_from_slice(if flag { b"true" } else { b"false" }),
        Value::Int(number) => out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes()),
        Value::Double(number) => match serde_json::Number::from_f64(number) {
            Some(number) => out.extend_from_slice(number.to_string().as_bytes()),
            None => put_str(out, not_finite_text(number)),
        },
        Value::Bytes(bytes) => put_str(out, &STANDARD.encode(bytes)),
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.extend_from_slice(b", ");
                }
                put_value(out, item);
            }
            out.push(b']');
        }
        Value::KvList(entries) => {
            out.push(b'{');
            for (index, entry) in entries.iter().enumerate() {
                if index > 0 {
                    out.extend_from_slice(b", ");
                }
                put_text(out, entry.key);
                out.extend_from_slice(b": ");
                put_value(out, entry.value);
            }
            out.push(b'}');
        }
    }
}

/// How a number that is not finite is written as text: the words of protobuf's JSON mapping.
pub fn not_finite_text(number: f64) -> &'static str {
    if number.is_nan() {
        "NaN"
    } else if number > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}

/// Appends a text as a JSON string.
pub fn put_quoted(out: &mut String, text: &str) {
    out.reserve(text.len() + 2);
    out.push('"');
    let mut rest = text;
    while let Some((plain, after)) = rest.split_at_checked(super::scan::plain_len(rest.as_bytes())) {
        out.push_str(plain);
        let Some(escaped) = after.bytes().next() else { break };
        match escaped {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            8 => out.push_str("\\b"),
            12 => out.push_str("\\f"),
            control => {
                let digit = |digit: u8| char::from_digit(digit.into(), 16).unwrap_or_default();
                out.push_str("\\u00");
                out.extend([digit(control >> 4), digit(control & 0xf)]);
            }
        }
        rest = after.get(1..).unwrap_or_default();
    }
    out.push('"');
}

/// Appends a value of another text, without the space between its parts.
pub fn put_compact(out: &mut String, value: JsonValue<'_>) {
    match value.kind() {
        Kind::Object => {
            for (index, (key, value)) in value.entries().enumerate() {
                out.push(if index == 0 { '{' } else { ',' });
                put_compact(out, key);
                out.push(':');
                put_compact(out, value);
            }
            out.push_str(if value.is_empty() { "{}" } else { "}" });
        }
        Kind::Array => {
            for (index, item) in value.items().enumerate() {
                out.push(if index == 0 { '[' } else { ',' });
                put_compact(out, item);
            }
            out.push_str(if value.is_empty() { "[]" } else { "]" });
        }
        Kind::String => match value.string() {
            Some(Cow::Owned(text)) => put_quoted(out, &text),
            _ => out.push_str(value.text()),
        },
        Kind::Other => out.push_str(value.text()),
    }
}

fn put_text(out: &mut Vec<u8>, text: Text<'_>) {
    match String::from_utf8_lossy(text.bytes()) {
        Cow::Borrowed(text) => put_str(out, text),
        Cow::Owned(text) => put_str(out, &text),
    }
}

fn put_str(out: &mut Vec<u8>, text: &str) {
    // Writing a string into memory cannot fail.
    let _ = serde_json::to_writer(out, text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otlp::write::put_any_value;

    fn encoded(value: &serde_json::Value) -> Vec<u8> {
        let mut bytes = Vec::new();
        put_any_value(&mut bytes, value);
        bytes
    }

    #[test]
    fn values_are_written_as_python_writes_them() {
        let json = serde_json::json!({"a": [1, 2.5, true, null, "é\n"], "b": {}, "c": []});
        let bytes = encoded(&json);
        let text = value_text(Value::parse(&bytes).expect("a value"));
        assert_eq!(text, r#"{"a": [1, 2.5, true, null, "é\n"], "b": {}, "c": []}"#);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).ok(), Some(json));
    }

    #[test]
    fn bytes_and_numbers_that_are_not_finite_become_text() {
        assert_eq!(value_text(Value::Bytes(b"\xff\x00")), "\"/wA=\"");
        assert_eq!(value_text(Value::Double(f64::NEG_INFINITY)), "\"-Infinity\"");
        assert_eq!(value_text(Value::Double(f64::NAN)), "\"NaN\"");
    }

    #[test]
    fn a_value_of_another_text_is_written_without_space_and_needless_escapes() {
        let text = r#" { "a" : [ 1.0 , "\u00e9\n" , {} , [ ] , null ] , "b\/" : { "c" : "é" } } "#;
        let document = super::super::JsonDocument::read(text).expect("a document");
        let mut out = String::new();
        put_compact(&mut out, document.root());
        assert_eq!(out, r#"{"a":[1.0,"é\n",{},[],null],"b/":{"c":"é"}}"#);
    }

    #[test]
    fn columns_hold_what_a_json_string_spells_and_the_json_of_other_values() {
        let text = |text: &'static str| plain_text(Value::String(text.into()));
        assert_eq!(text("s-1").as_deref(), Some("s-1"));
        assert_eq!(text("\"s-1\"").as_deref(), Some("s-1"));
        assert_eq!(text("{\"a\": 1}").as_deref(), Some("{\"a\": 1}"));
        assert_eq!(plain_text(Value::Int(7)).as_deref(), Some("7"));
        assert_eq!((text(""), text("\"\""), plain_text(Value::Empty)), (None, None, None));
    }
}
