//! Random requests: everything the schema allows, valid or not.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// What attribute values may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Values {
    /// Whatever protobuf can carry.
    Any,
    /// What opentelemetry-proto's own JSON can carry: every value is there, and finite.
    FiniteAndSet,
}

pub(crate) fn request(values: Values) -> impl Strategy<Value = ExportTraceServiceRequest> {
    let resource_spans = (option::of(resource(values)), vec(scope_spans(values), 0..3), text())
        .prop_map(|(resource, scope_spans, schema_url)| ResourceSpans { resource, scope_spans, schema_url });
    vec(resource_spans, 0..3).prop_map(|resource_spans| ExportTraceServiceRequest { resource_spans })
}

fn text() -> impl Strategy<Value = String> {
    vec(any::<char>(), 0..6).prop_map(String::from_iter)
}

fn attributes(values: Values) -> impl Strategy<Value = Vec<KeyValue>> {
    vec(attribute(any_value(values), values), 0..4)
}

fn attribute(value: impl Strategy<Value = AnyValue>, values: Values) -> impl Strategy<Value = KeyValue> {
    let value = option::weighted(0.9, value).prop_map(move |value| match values {
        Values::Any => value,
        Values::FiniteAndSet => Some(value.unwrap_or_default()),
    });
    (text(), value).prop_map(|(key, value)| KeyValue { key, value, ..KeyValue::default() })
}

fn any_value(values: Values) -> BoxedStrategy<AnyValue> {
    let double = any::<u64>().prop_map(f64::from_bits);
    let double = match values {
        Values::Any => prop_oneof![double, Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY)].boxed(),
        Values::FiniteAndSet => double.prop_filter("finite", |double| double.is_finite()).boxed(),
    };
    let leaf = prop_oneof![
        Just(None),
        text().prop_map(|text| Some(Value::StringValue(text))),
        any::<bool>().prop_map(|flag| Some(Value::BoolValue(flag))),
        any::<i64>().prop_map(|int| Some(Value::IntValue(int))),
        double.prop_map(|double| Some(Value::DoubleValue(double))),
        vec(any::<u8>(), 0..5).prop_map(|bytes| Some(Value::BytesValue(bytes))),
    ];
    let nested = leaf.prop_map(|value| AnyValue { value }).prop_recursive(4, 12, 3, move |inner| {
        let list = vec(inner.clone(), 0..3).prop_map(|values| Value::ArrayValue(ArrayValue { values }));
        let entries = vec(attribute(inner, values), 0..3);
        let entries = entries.prop_map(|values| Value::KvlistValue(KeyValueList { values }));
        prop_oneof![list, entries].prop_map(|value| AnyValue { value: Some(value) })
    });
    nested.boxed()
}

fn resource(values: Values) -> impl Strategy<Value = Resource> {
    let entity_ref = (text(), text(), vec(text(), 0..2), vec(text(), 0..2)).prop_map(
        |(schema_url, r#type, id_keys, description_keys)| EntityRef { schema_url, r#type, id_keys, description_keys },
    );
    (attributes(values), any::<u32>(), vec(entity_ref, 0..2)).prop_map(
        |(attributes, dropped_attributes_count, entity_refs)| Resource {
            attributes,
            dropped_attributes_count,
            entity_refs,
        },
    )
}

fn scope_spans(values: Values) -> impl Strategy<Value = ScopeSpans> {
    let scope = (text(), text(), attributes(values), any::<u32>()).prop_map(
        |(name, version, attributes, dropped_attributes_count)| InstrumentationScope {
            name,
            version,
            attributes,
            dropped_attributes_count,
        },
    );
    (option::of(scope), vec(span(values), 0..3), text()).prop_map(|(scope, spans, schema_url)| ScopeSpans {
        scope,
        spans,
        schema_url,
    })
}

fn id(length: usize) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![8 => vec(any::<u8>(), length), 1 => vec(any::<u8>(), 0..20), 1 => Just(vec![0; length])]
}

fn enumerator() -> impl Strategy<Value = i32> {
    prop_oneof![8 => 0..6, 1 => any::<i32>()]
}

fn span(values: Values) -> impl Strategy<Value = Span> {
    let identity = (id(16), id(8), id(8), text(), text(), any::<u32>());
    let extent = (enumerator(), any::<u64>(), any::<u64>());
    let content = (attributes(values), vec(event(values), 0..2), vec(link(values), 0..2), option::of(status()));
    (identity, extent, content, any::<[u32; 3]>()).prop_map(|(identity, extent, content, dropped)| {
        let (trace_id, span_id, parent_span_id, trace_state, name, flags) = identity;
        let (kind, start_time_unix_nano, end_time_unix_nano) = extent;
        let (attributes, events, links, status) = content;
        let [dropped_attributes_count, dropped_events_count, dropped_links_count] = dropped;
        Span {
            trace_id,
            span_id,
            trace_state,
            parent_span_id,
            flags,
            name,
            kind,
            start_time_unix_nano,
            end_time_unix_nano,
            attributes,
            dropped_attributes_count,
            events,
            dropped_events_count,
            links,
            dropped_links_count,
            status,
        }
    })
}

fn event(values: Values) -> impl Strategy<Value = Event> {
    (any::<u64>(), text(), attributes(values), any::<u32>()).prop_map(
        |(time_unix_nano, name, attributes, dropped_attributes_count)| Event {
            time_unix_nano,
            name,
            attributes,
            dropped_attributes_count,
        },
    )
}

fn link(values: Values) -> impl Strategy<Value = Link> {
    (id(16), id(8), text(), attributes(values), any::<[u32; 2]>()).prop_map(
        |(trace_id, span_id, trace_state, attributes, [dropped_attributes_count, flags])| Link {
            trace_id,
            span_id,
            trace_state,
            attributes,
            dropped_attributes_count,
            flags,
        },
    )
}

fn status() -> impl Strategy<Value = Status> {
    (text(), enumerator()).prop_map(|(message, code)| Status { message, code })
}
