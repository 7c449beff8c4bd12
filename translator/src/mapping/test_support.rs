//! For unit tests: what MLflow is told of a span that is made of a few attributes.

use serde_json::Value;

use crate::otlp::Span;
use crate::otlp::write::Attributes;

/// The value that a span of this kind gains under a key: JSON where it reads as JSON, `null` where there is none.
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
