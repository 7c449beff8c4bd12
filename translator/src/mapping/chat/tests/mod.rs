//! Given what an instrumentation sends about a call to a model, when it is mapped, then MLflow's UI draws a conversation.

mod captured;
mod conversations;
mod parts;
mod raw_recovery;
mod raw_values;
mod system_messages;
mod tools;

use serde_json::Value;

use crate::mapping;
use crate::mlflow::keys::{SPAN_INPUTS, SPAN_OUTPUTS};
use crate::otlp::Span;
use crate::otlp::write::Attributes;

/// What MLflow will hold under a key, for a span of these attributes.
struct MappedSpan(Vec<u8>);

impl MappedSpan {
    /// A call to a model; values that are no text travel as OTLP's own.
    fn llm(attributes: &[(&str, Value)]) -> Self {
        Self::kind("LLM", attributes)
    }

    fn kind(kind: &str, attributes: &[(&str, Value)]) -> Self {
        let mut bytes = Attributes::default();
        bytes.put_str("openinference.span.kind", kind);
        for (key, value) in attributes {
            bytes.put_json(key, value);
        }
        Self(bytes.into_bytes())
    }

    fn text(&self, key: &str) -> Option<String> {
        let span = Span::parse(&self.0).expect("a span");
        mapping::span(&span).get(key).map(|value| value.as_text().into_owned())
    }

    fn json(&self, key: &str) -> Value {
        self.text(key).map_or(Value::Null, |text| serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    fn asked(&self) -> Value {
        self.json(SPAN_INPUTS)["messages"].clone()
    }

    fn answered(&self) -> Value {
        self.json(SPAN_OUTPUTS)["choices"].clone()
    }
}

/// `json!` values under names below `llm.input_messages.0.message.`.
fn first(rest: &str) -> String {
    format!("llm.input_messages.0.message.{rest}")
}

fn one_message(parts: &[(&str, Value)]) -> Value {
    let named: Vec<_> = parts.iter().map(|(key, value)| (first(key), value.clone())).collect();
    let attributes: Vec<_> = named.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
    MappedSpan::llm(&attributes).asked()[0].clone()
}
