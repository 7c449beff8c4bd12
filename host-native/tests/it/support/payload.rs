//! OTLP payloads, and ways to compress them.

use std::io::Write;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use openinference_mlflow::payload::{Encoding, PayloadContext};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;

/// One trace of one finished LLM span; `number` is its identity.
pub(crate) fn trace(number: u8) -> Vec<u8> {
    of_attributes(number, vec![attribute("openinference.span.kind", "LLM".to_owned())])
}

/// The same with so many bytes of input.
pub(crate) fn large_trace(number: u8, bytes: usize) -> Vec<u8> {
    let kind = attribute("openinference.span.kind", "LLM".to_owned());
    of_attributes(number, vec![kind, attribute("input.value", "a".repeat(bytes))])
}

fn attribute(key: &str, value: String) -> KeyValue {
    let value = AnyValue { value: Some(Value::StringValue(value)) };
    KeyValue { key: key.to_owned(), value: Some(value), ..Default::default() }
}

fn of_attributes(number: u8, attributes: Vec<KeyValue>) -> Vec<u8> {
    let span = Span {
        trace_id: vec![number; 16],
        span_id: vec![number; 8],
        name: "chat".to_owned(),
        start_time_unix_nano: 1_700_000_000_000_000_000,
        end_time_unix_nano: 1_700_000_001_000_000_000,
        attributes,
        ..Default::default()
    };
    let scope_spans = vec![ScopeSpans { spans: vec![span], ..Default::default() }];
    let resource_spans = vec![ResourceSpans { scope_spans, ..Default::default() }];
    ExportTraceServiceRequest { resource_spans }.encode_to_vec()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The same with a window that takes 128 MiB of memory to decompress.
pub(crate) fn zstd_with_long_window(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ::zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(27).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    ::zstd::encode_all(bytes, 0).unwrap()
}

/// The id of a whole payload that is quarantined.
pub(crate) fn quarantine_id(payload: &[u8]) -> String {
    format!("payload-{:016x}", xxhash_rust::xxh3::xxh3_64(payload))
}

/// What a sender says who leaves everything to the settings.
pub(crate) fn nowhere_special() -> PayloadContext {
    let none = None;
    PayloadContext {
        encoding: Encoding::Protobuf,
        experiment_id: none.clone(),
        experiment_name: none.clone(),
        run_id: none.clone(),
        workspace: none,
    }
}
