//! Spans for tests, written field by field so that they may be as wrong as they like.

use openinference_mlflow_translator::otlp::wire::{put_bytes_field, put_fixed64_field, put_varint_field};
use openinference_mlflow_translator::otlp::write::put_any_value;
use serde_json::Value;

/// A message under construction.
#[derive(Clone, Debug, Default)]
pub(crate) struct Message(pub(crate) Vec<u8>);

impl Message {
    pub(crate) fn bytes(mut self, number: u32, bytes: impl AsRef<[u8]>) -> Self {
        put_bytes_field(&mut self.0, number, bytes.as_ref());
        self
    }

    pub(crate) fn fixed(mut self, number: u32, value: u64) -> Self {
        put_fixed64_field(&mut self.0, number, value);
        self
    }

    pub(crate) fn varint(mut self, number: u32, value: u64) -> Self {
        put_varint_field(&mut self.0, number, value);
        self
    }

    /// A field `number` that is a `KeyValue`, of an `AnyValue` that is at hand.
    pub(crate) fn key_value(self, number: u32, key: impl AsRef<[u8]>, any_value: impl AsRef<[u8]>) -> Self {
        self.bytes(number, Message::default().bytes(1, key).bytes(2, any_value).0)
    }

    /// A span's attribute.
    pub(crate) fn with(self, key: &str, value: impl Into<Value>) -> Self {
        self.key_value(9, key, encoded(value))
    }
}

/// An `AnyValue`.
pub(crate) fn encoded(value: impl Into<Value>) -> Vec<u8> {
    let mut value_bytes = Vec::new();
    put_any_value(&mut value_bytes, &value.into());
    value_bytes
}

/// An `AnyValue` that is a double.
pub(crate) fn double(number: f64) -> Vec<u8> {
    Message::default().fixed(4, number.to_bits()).0
}

pub(crate) const TRACE_ID: [u8; 16] = [7; 16];
pub(crate) const SPAN_ID: [u8; 8] = [8; 8];
pub(crate) const START: u64 = 1_760_000_000_000_000_000;
pub(crate) const END: u64 = START + 500_000_000;

/// A span with ids, a name and times, to which attributes may be added.
pub(crate) fn span() -> Message {
    timed(START, END)
}

/// The same at other times.
pub(crate) fn timed(start: u64, end: u64) -> Message {
    Message::default().bytes(1, TRACE_ID).bytes(2, SPAN_ID).bytes(5, "span").fixed(7, start).fixed(8, end)
}

/// A span with other ids.
pub(crate) fn identified(trace: &[u8], span: &[u8], parent: &[u8]) -> Message {
    Message::default().bytes(1, trace).bytes(2, span).bytes(4, parent).bytes(5, "span").fixed(7, START).fixed(8, END)
}
