//! The borrowing reader and the appending writer.

use openinference_mlflow_translator::otlp::span::resource_attributes;
use openinference_mlflow_translator::otlp::value::MAX_DEPTH;
use openinference_mlflow_translator::otlp::{self, Payload, Value};
use opentelemetry_proto::tonic::common::v1 as oracle;
use opentelemetry_proto::tonic::trace::v1 as trace;
use proptest::prelude::*;
use prost::Message;

use crate::oracle::{meaning, read, rewritten};
use crate::random::{Values, request};

fn any_value(value: Value<'_>) -> oracle::AnyValue {
    use oracle::any_value::Value as Oracle;
    let value = match value {
        Value::Empty => None,
        Value::String(text) => Some(Oracle::StringValue(text.get().to_owned())),
        Value::Bool(flag) => Some(Oracle::BoolValue(flag)),
        Value::Int(int) => Some(Oracle::IntValue(int)),
        Value::Double(double) => Some(Oracle::DoubleValue(double)),
        Value::Array(array) => {
            Some(Oracle::ArrayValue(oracle::ArrayValue { values: array.iter().map(any_value).collect() }))
        }
        Value::KvList(list) => {
            Some(Oracle::KvlistValue(oracle::KeyValueList { values: list.iter().map(key_value).collect() }))
        }
        Value::Bytes(bytes) => Some(Oracle::BytesValue(bytes.to_vec())),
    };
    oracle::AnyValue { value }
}

/// An absent value and an empty one are the same fact.
fn key_value(attribute: otlp::KeyValue<'_>) -> oracle::KeyValue {
    let value = Some(any_value(attribute.value));
    oracle::KeyValue { key: attribute.key.get().to_owned(), value, ..Default::default() }
}

fn key_values(attributes: &[otlp::KeyValue<'_>]) -> Vec<oracle::KeyValue> {
    attributes.iter().copied().map(key_value).collect()
}

fn with_values(mut attributes: Vec<oracle::KeyValue>) -> Vec<oracle::KeyValue> {
    for attribute in &mut attributes {
        let value = attribute.value.get_or_insert_default();
        if let Some(oracle::any_value::Value::KvlistValue(list)) = &mut value.value {
            list.values = with_values(std::mem::take(&mut list.values));
        }
        if let Some(oracle::any_value::Value::ArrayValue(list)) = &mut value.value {
            let items = std::mem::take(&mut list.values).into_iter();
            let items = items.map(|item| oracle::KeyValue { value: Some(item), ..Default::default() }).collect();
            list.values = with_values(items).into_iter().map(|item| item.value.unwrap_or_default()).collect();
        }
    }
    attributes
}

/// What the reader gives of a span; the fields that it leaves on the wire stay empty.
fn facts(span: &otlp::Span<'_>) -> trace::Span {
    trace::Span {
        trace_id: span.trace_id.to_vec(),
        span_id: span.span_id.to_vec(),
        parent_span_id: span.parent_span_id.to_vec(),
        trace_state: span.trace_state.get().to_owned(),
        name: span.name.get().to_owned(),
        kind: span.kind as i32,
        start_time_unix_nano: span.start,
        end_time_unix_nano: span.end,
        attributes: key_values(&span.attributes),
        dropped_attributes_count: span.dropped_attributes as u32,
        events: span
            .events
            .iter()
            .map(|event| trace::span::Event {
                time_unix_nano: event.time,
                name: event.name.get().to_owned(),
                attributes: key_values(&event.attributes),
                ..Default::default()
            })
            .collect(),
        links: span
            .links
            .iter()
            .map(|link| trace::span::Link {
                trace_id: link.trace_id.to_vec(),
                span_id: link.span_id.to_vec(),
                attributes: key_values(&link.attributes),
                ..Default::default()
            })
            .collect(),
        status: Some(trace::Status { code: span.status.code as i32, message: span.status.message.get().to_owned() }),
        ..Default::default()
    }
}

fn oracle_facts(span: trace::Span) -> trace::Span {
    let event = |event: trace::span::Event| trace::span::Event {
        attributes: with_values(event.attributes),
        dropped_attributes_count: 0,
        ..event
    };
    let link = |link: trace::span::Link| trace::span::Link {
        attributes: with_values(link.attributes),
        trace_state: String::new(),
        dropped_attributes_count: 0,
        flags: 0,
        ..link
    };
    trace::Span {
        attributes: with_values(span.attributes),
        events: span.events.into_iter().map(event).collect(),
        links: span.links.into_iter().map(link).collect(),
        status: Some(span.status.unwrap_or_default()),
        dropped_events_count: 0,
        dropped_links_count: 0,
        flags: 0,
        ..span
    }
}

proptest! {
    #[test]
    fn the_reader_finds_the_facts_that_prost_finds(request in request(Values::Any)) {
        let body = request.encode_to_vec();
        let payload = Payload::parse(&body)?;
        let groups = request.resource_spans.into_iter().flat_map(|resource_spans| {
            let resource = resource_spans.resource.unwrap_or_default();
            resource_spans.scope_spans.into_iter().map(move |scope_spans| (resource.clone(), scope_spans.spans))
        });
        let expected: Vec<_> = groups
            .filter(|(_, spans)| !spans.is_empty())
            .map(|(resource, spans)| {
                (with_values(resource.attributes), spans.into_iter().map(oracle_facts).collect::<Vec<_>>())
            })
            .collect();
        let mut found = Vec::new();
        for group in &payload.groups {
            let resource = key_values(&resource_attributes(&group.resource)?);
            found.push((resource, group.spans.iter().map(facts).collect::<Vec<_>>()));
        }
        prop_assert_eq!(format!("{found:#?}"), format!("{expected:#?}"));
        prop_assert_eq!(payload.span_count(), expected.iter().map(|(_, spans)| spans.len()).sum::<usize>());
    }

    #[test]
    fn a_payload_taken_apart_and_put_together_has_the_same_content(request in request(Values::Any)) {
        let body = request.encode_to_vec();
        let rewritten = rewritten(&Payload::parse(&body)?);
        prop_assert_eq!(meaning(read(&rewritten)), meaning(request));
    }

    #[test]
    fn a_damaged_payload_is_refused_or_can_be_written_again(
        request in request(Values::Any),
        cut in any::<prop::sample::Index>(),
        flip in any::<(prop::sample::Index, u8)>(),
    ) {
        let mut body = request.encode_to_vec();
        if !body.is_empty() {
            let at = flip.0.index(body.len());
            body[at] ^= flip.1;
            body.truncate(cut.index(body.len() + 1));
        }
        if let Ok(payload) = Payload::parse(&body) {
            let rewritten = rewritten(&payload);
            let again = Payload::parse(&rewritten)?;
            prop_assert_eq!(again.span_count(), payload.span_count());
        }
    }
}

fn list_of(value: oracle::AnyValue) -> oracle::any_value::Value {
    oracle::any_value::Value::ArrayValue(oracle::ArrayValue { values: vec![value] })
}

fn entries_of(value: oracle::AnyValue) -> oracle::any_value::Value {
    let values = vec![oracle::KeyValue { value: Some(value), ..Default::default() }];
    oracle::any_value::Value::KvlistValue(oracle::KeyValueList { values })
}

/// A request with values nested in an attribute of an event, the deepest place there is.
fn nested(levels: usize, container: fn(oracle::AnyValue) -> oracle::any_value::Value) -> Vec<u8> {
    let mut value = oracle::AnyValue { value: Some(oracle::any_value::Value::BoolValue(true)) };
    for _ in 0..levels {
        value = oracle::AnyValue { value: Some(container(value)) };
    }
    let attributes = vec![oracle::KeyValue { value: Some(value), ..Default::default() }];
    let events = vec![trace::span::Event { attributes, ..Default::default() }];
    let scope_spans =
        vec![trace::ScopeSpans { spans: vec![trace::Span { events, ..Default::default() }], ..Default::default() }];
    let resource_spans = vec![trace::ResourceSpans { scope_spans, ..Default::default() }];
    trace::TracesData { resource_spans }.encode_to_vec()
}

#[test]
fn values_nest_to_the_limit_and_no_deeper() {
    for container in [list_of, entries_of] {
        assert!(Payload::parse(&nested(MAX_DEPTH, container)).is_ok());
        let refused = Payload::parse(&nested(MAX_DEPTH + 1, container)).expect_err("one level too many");
        assert!(refused.to_string().contains("nested"), "{refused}");
    }
}

#[test]
fn what_nests_to_the_limit_is_still_read_by_protobuf_libraries_that_stop_at_100_messages() {
    // As Python's does, which MLflow reads with, and prost.
    let deepest = nested(MAX_DEPTH, entries_of);
    assert_eq!(read(&deepest).encode_to_vec(), deepest);
}

#[test]
fn a_truncated_payload_is_refused_with_the_place() {
    let body = nested(1, list_of);
    let refused = Payload::parse(&body[..body.len() - 1]).expect_err("the last byte is missing");
    assert!(refused.to_string().contains("at byte"), "{refused}");
}

#[test]
fn an_empty_payload_is_a_payload_without_spans() {
    assert_eq!(Payload::parse(&[]).map(|payload| payload.span_count()), Ok(0));
}
