//! How the cost of the component grows with what it is given: instructions for each unit, at sizes far apart.

use openinference_mlflow_translator::contract::Encoding;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;

use crate::guest::Guest;

/// What grows, and what one unit of it costs at each size.
#[derive(Debug, serde::Serialize)]
pub struct Growth {
    /// `spans in a payload`
    pub what: &'static str,
    /// `instructions a span`
    pub unit: &'static str,
    /// Sizes in ascending order, and the instructions for one unit.
    pub points: Vec<(usize, f64)>,
}

/// Measures all of them.
///
/// # Errors
/// The runtime does not work on this machine, or the guest trapped.
pub fn measure() -> wasmtime::Result<Vec<Growth>> {
    let guest = &mut Guest::metered()?;
    Ok(vec![
        translated(guest, ["spans in a payload", "instructions a span"], &[1, 10, 100, 1_000, 10_000], spans)?,
        translated(guest, ["attributes of a span", "instructions an attribute"], &[10, 100, 1_000, 2_000], attributes)?,
        translated(guest, ["bytes of JSON", "instructions a byte"], &[1 << 10, 16 << 10, 256 << 10, 4 << 20], json)?,
        translated(guest, ["depth of JSON", "instructions a level"], &[1, 10, 30, 90], depth)?,
        held(guest)?,
    ])
}

/// What one unit costs `translate` at each size of the payload.
fn translated(
    guest: &mut Guest,
    [what, unit]: [&'static str; 2],
    sizes: &[usize],
    payload: fn(usize) -> Vec<u8>,
) -> wasmtime::Result<Growth> {
    let mut points = Vec::new();
    for size in sizes {
        let payload = payload(*size);
        guest.take_instructions();
        let _ = guest.translate(&payload, Encoding::Protobuf)?;
        points.push((*size, guest.take_instructions() as f64 / *size as f64));
    }
    Ok(Growth { what, unit, points })
}

/// What one more trace costs a bridge that holds so many others: to take it, and to be asked for what is to do.
fn held(guest: &mut Guest) -> wasmtime::Result<Growth> {
    const TOGETHER: usize = 1_000;
    const MORE: usize = 100;
    let bridge = guest.open(r#"{"max_bytes": 1073741824}"#)?;
    let mut points = Vec::new();
    let mut traces = 0;
    for size in [100, 1_000, 10_000, 100_000] {
        while traces < size {
            let more = TOGETHER.min(size - traces);
            guest.ingest(bridge, &payload((traces..traces + more).map(|number| span(number, false))))?;
            traces += more;
        }
        guest.take_instructions();
        for _ in 0..MORE {
            guest.ingest(bridge, &payload([span(traces, false)]))?;
            guest.poll(bridge)?;
            traces += 1;
        }
        points.push((size, guest.take_instructions() as f64 / MORE as f64));
    }
    Ok(Growth { what: "traces held", unit: "instructions for one more", points })
}

fn spans(count: usize) -> Vec<u8> {
    payload((0..count).map(|number| span(number / 10, number.is_multiple_of(10))).enumerate().map(
        |(number, mut span)| {
            span.span_id = (number as u64 + 1).to_be_bytes().to_vec();
            span
        },
    ))
}

fn attributes(count: usize) -> Vec<u8> {
    let mut span = span(0, true);
    let names = (0..count).map(|number| match number % 2 {
        0 => format!("llm.input_messages.{}.message.content", number / 2),
        _ => format!("llm.input_messages.{}.message.role", number / 2),
    });
    span.attributes.extend(names.map(|name| text(&name, "user")));
    payload([span])
}

fn json(bytes: usize) -> Vec<u8> {
    const MESSAGE: &str = r#"{"role": "user", "content": "What is the \"capital\" of France?"}"#;
    let mut span = span(0, true);
    span.attributes.push(text("input.value", &format!("[{}]", vec![MESSAGE; bytes / MESSAGE.len()].join(", "))));
    payload([span])
}

fn depth(levels: usize) -> Vec<u8> {
    let mut span = span(0, true);
    span.attributes.push(text("input.value", &format!("{}1{}", "[".repeat(levels), "]".repeat(levels))));
    payload([span])
}

/// A span of a trace of this number: its root, or one whose parent never comes.
fn span(trace: usize, is_root: bool) -> Span {
    Span {
        trace_id: (trace as u128 + 1).to_be_bytes().to_vec(),
        span_id: vec![1; 8],
        parent_span_id: if is_root { Vec::new() } else { vec![2; 8] },
        name: "call".to_owned(),
        start_time_unix_nano: 1_760_000_000_000_000_000,
        end_time_unix_nano: 1_760_000_001_000_000_000,
        attributes: vec![text("openinference.span.kind", "LLM"), text("output.value", "Paris.")],
        ..Default::default()
    }
}

fn text(key: &str, value: &str) -> KeyValue {
    let value = AnyValue { value: Some(any_value::Value::StringValue(value.to_owned())) };
    KeyValue { key: key.to_owned(), value: Some(value), ..Default::default() }
}

fn payload(spans: impl IntoIterator<Item = Span>) -> Vec<u8> {
    let scope_spans = vec![ScopeSpans { spans: spans.into_iter().collect(), ..Default::default() }];
    ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans, ..Default::default() }] }
        .encode_to_vec()
}
