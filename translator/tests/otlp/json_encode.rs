//! Payload to OTLP/JSON and back.

use openinference_mlflow_translator::otlp::{Payload, json};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Oracle;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use proptest::prelude::*;
use prost::Message;
use serde_json::{Value, json};

use crate::oracle::{decode, decoded, meaning, read};
use crate::random::{Values, request};

fn encoded(request: &ExportTraceServiceRequest) -> Vec<u8> {
    let body = request.encode_to_vec();
    json::encode(&Payload::parse(&body).expect("a payload"))
}

proptest! {
    #[test]
    fn what_is_encoded_decodes_to_the_same(request in request(Values::Any)) {
        let json = encoded(&request);
        prop_assert_eq!(meaning(read(&decoded(&json).payload)), meaning(request));
    }

    #[test]
    fn what_opentelemetry_proto_writes_as_json_decodes_to_the_same(request in request(Values::FiniteAndSet)) {
        let json = serde_json::to_vec(&request).expect("the oracle writes JSON");
        prop_assert_eq!(read(&decoded(&json).payload), request);
    }

    #[test]
    fn what_is_encoded_is_read_by_opentelemetry_proto(request in request(Values::FiniteAndSet)) {
        let oracle: ExportTraceServiceRequest =
            serde_json::from_slice(&encoded(&request)).expect("the oracle reads the JSON");
        prop_assert_eq!(meaning(oracle), meaning(request));
    }
}

fn attribute(key: &str, value: Option<Oracle>) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value }), ..Default::default() }
}

/// The JSON of a request with this span.
fn json_of(scope: InstrumentationScope, span: Span) -> Value {
    let scope_spans =
        vec![ScopeSpans { scope: Some(scope), spans: vec![span], schema_url: "https://scope".to_owned() }];
    let resource_spans = vec![ResourceSpans { resource: None, scope_spans, schema_url: "https://resource".to_owned() }];
    serde_json::from_slice(&encoded(&ExportTraceServiceRequest { resource_spans })).expect("JSON")
}

#[test]
fn every_field_is_written_as_the_specification_says() {
    let scope = InstrumentationScope {
        name: "scope".to_owned(),
        version: "1".to_owned(),
        attributes: vec![attribute("s", Some(Oracle::BoolValue(true)))],
        dropped_attributes_count: 1,
    };
    let span = Span {
        trace_id: vec![0xAB; 16],
        span_id: vec![0x01; 8],
        trace_state: "a=b".to_owned(),
        parent_span_id: vec![0xFE; 8],
        flags: 257,
        name: "span".to_owned(),
        kind: 3,
        start_time_unix_nano: 1_795_330_312_344_000_001,
        end_time_unix_nano: u64::MAX,
        attributes: vec![
            attribute("int", Some(Oracle::IntValue(i64::MIN))),
            attribute("bytes", Some(Oracle::BytesValue(vec![0xFB, 0xFF]))),
            attribute("double", Some(Oracle::DoubleValue(0.1))),
            attribute("nan", Some(Oracle::DoubleValue(f64::NAN))),
            attribute("high", Some(Oracle::DoubleValue(f64::INFINITY))),
            attribute("low", Some(Oracle::DoubleValue(f64::NEG_INFINITY))),
            attribute("empty", None),
        ],
        dropped_attributes_count: 2,
        events: vec![Event {
            time_unix_nano: 5,
            name: "event".to_owned(),
            dropped_attributes_count: 3,
            ..Default::default()
        }],
        dropped_events_count: 4,
        links: vec![Link {
            trace_id: vec![0; 16],
            span_id: vec![9; 8],
            trace_state: "c=d".to_owned(),
            dropped_attributes_count: 5,
            flags: 1,
            ..Default::default()
        }],
        dropped_links_count: 6,
        status: Some(Status { message: "boom".to_owned(), code: 2 }),
    };
    let expected = json!({"resourceSpans": [{
        "schemaUrl": "https://resource",
        "scopeSpans": [{
            "schemaUrl": "https://scope",
            "scope": {
                "name": "scope",
                "version": "1",
                "attributes": [{"key": "s", "value": {"boolValue": true}}],
                "droppedAttributesCount": 1,
            },
            "spans": [{
                "traceId": "abababababababababababababababab",
                "spanId": "0101010101010101",
                "traceState": "a=b",
                "parentSpanId": "fefefefefefefefe",
                "flags": 257,
                "name": "span",
                "kind": 3,
                "startTimeUnixNano": "1795330312344000001",
                "endTimeUnixNano": "18446744073709551615",
                "attributes": [
                    {"key": "int", "value": {"intValue": "-9223372036854775808"}},
                    {"key": "bytes", "value": {"bytesValue": "+/8="}},
                    {"key": "double", "value": {"doubleValue": 0.1}},
                    {"key": "nan", "value": {"doubleValue": "NaN"}},
                    {"key": "high", "value": {"doubleValue": "Infinity"}},
                    {"key": "low", "value": {"doubleValue": "-Infinity"}},
                    {"key": "empty", "value": {}},
                ],
                "droppedAttributesCount": 2,
                "events": [{"timeUnixNano": "5", "name": "event", "droppedAttributesCount": 3}],
                "droppedEventsCount": 4,
                "links": [{
                    "traceId": "00000000000000000000000000000000",
                    "spanId": "0909090909090909",
                    "traceState": "c=d",
                    "droppedAttributesCount": 5,
                    "flags": 1,
                }],
                "droppedLinksCount": 6,
                "status": {"message": "boom", "code": 2},
            }],
        }],
    }]});
    assert_eq!(json_of(scope, span), expected);
}

#[test]
fn a_field_split_over_the_wire_is_one_name_in_json() {
    // A span whose status comes in two messages and whose attributes are around it, with a field unknown to OTLP.
    let parts = [
        Span { attributes: vec![attribute("a", None)], ..Default::default() },
        Span { status: Some(Status { code: 1, ..Default::default() }), name: "first".to_owned(), ..Default::default() },
        Span { attributes: vec![attribute("b", None)], ..Default::default() },
        Span { status: Some(Status { message: "m".to_owned(), ..Default::default() }), ..Default::default() },
        Span { name: "last".to_owned(), ..Default::default() },
    ];
    let mut span: Vec<u8> = parts.iter().flat_map(Message::encode_to_vec).collect();
    span.extend([0xF8, 0x3F, 0x01]);
    let wrap = |message: Vec<u8>, tag: u8| {
        let mut bytes = vec![tag];
        prost::encode_length_delimiter(message.len(), &mut bytes).expect("memory");
        bytes.extend(message);
        bytes
    };
    let body = wrap(wrap(wrap(span, 0x12), 0x12), 0x0A);
    let json = json::encode(&Payload::parse(&body).expect("a payload"));
    assert_eq!(
        String::from_utf8(json).expect("UTF-8"),
        concat!(
            r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"last","#,
            r#""attributes":[{"key":"a","value":{}},{"key":"b","value":{}}],"#,
            r#""status":{"message":"m","code":1}}]}]}]}"#
        )
    );
}

#[test]
fn a_payload_without_spans_is_an_empty_request() {
    assert_eq!(json::encode(&Payload::default()), br#"{"resourceSpans":[]}"#);
    assert_eq!(decode(r#"{"resourceSpans":[]}"#), ExportTraceServiceRequest::default());
}

#[test]
fn a_text_that_is_not_utf8_is_written_with_replacement_characters() {
    let body = b"\x0a\x08\x12\x06\x12\x04\x2a\x02o\xff";
    let json = json::encode(&Payload::parse(body).expect("a payload"));
    assert!(String::from_utf8(json).expect("UTF-8").contains("\"name\":\"o\u{fffd}\""));
}
