//! What the fuzz targets share.

pub mod scenario;
pub mod server;
pub mod spans;

use openinference_mlflow_translator::otlp::write::{self, OutGroup, OutSpan};
use openinference_mlflow_translator::otlp::{KeyValue, Payload, ScopeSpans, Value};

/// A payload put together again as it was taken apart.
pub fn rewritten(payload: &Payload<'_>) -> Vec<u8> {
    let groups = payload.groups.iter().map(|ScopeSpans { resource, scope, spans, .. }| {
        let spans = spans.iter().map(|span| OutSpan { span: span.raw, appended: &[] }).collect();
        OutGroup { resource, scope, spans }
    });
    write::payload(&groups.collect::<Vec<_>>())
}

/// Reads every value to its full depth; returns how many there are.
pub fn count_values(attributes: &[KeyValue<'_>]) -> usize {
    fn count(value: Value<'_>) -> usize {
        1 + match value {
            Value::Array(array) => array.iter().map(count).sum(),
            Value::KvList(list) => list.iter().map(|entry| count(entry.value)).sum(),
            _ => 0,
        }
    }
    attributes.iter().map(|attribute| attribute.key.get().len().min(1) + count(attribute.value)).sum()
}

/// How an input is to be read: fixtures serve as seeds as they are.
pub fn is_json(input: &[u8]) -> bool {
    input.trim_ascii_start().first().is_some_and(|byte| matches!(byte, b'{' | 0xEF))
}
