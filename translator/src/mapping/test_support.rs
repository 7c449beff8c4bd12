//! Unit tests: the attributes that a span made of a few attributes gets.

use serde_json::Value;

use crate::otlp::Span;
use crate::otlp::write::Attributes;

/// The value added under a key to a span of this kind: parsed where it is JSON, `null` where nothing was added.
pub(super) fn added_value(kind: &str, attributes: &[(&str, Value)], key: &str) -> Value {
    let mut bytes = Attributes::default();
    bytes.put_str("openinference.span.kind", kind);
    for (name, value) in attributes {
        bytes.put_json(name, value);
    }
    let span = Span::parse(bytes.as_bytes()).expect("a span");
    let text = super::span(&span).get(key).map(|value| value.as_text().into_owned());
    text.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap_or(Value::String(text)))
}
