//! Payloads for tests, built with the official protobuf types.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message;

pub(crate) const SECOND: u64 = 1_000_000_000;
/// When the tests' spans happen.
pub(crate) const THEN: u64 = 1_700_000_000 * SECOND;

/// A span of trace `trace`, below `parent` unless that is 0, of one second.
pub(crate) fn span(trace: u8, id: u8, parent: u8) -> Span {
    let parent_span_id = if parent == 0 { Vec::new() } else { vec![parent; 8] };
    let start = THEN + u64::from(id) * SECOND;
    Span {
        trace_id: vec![trace; 16],
        span_id: vec![id; 8],
        parent_span_id,
        name: format!("span {id}"),
        start_time_unix_nano: start,
        end_time_unix_nano: start + SECOND,
        attributes: vec![text("openinference.span.kind", "CHAIN"), text("input.value", &format!("in {id}"))],
        ..Span::default()
    }
}

/// The same span without anything of OpenInference.
pub(crate) fn plain(mut span: Span) -> Span {
    span.attributes = vec![text("http.request.method", "POST")];
    span
}

/// The same span without values, as frameworks send that only frame the work of others.
pub(crate) fn silent(mut span: Span) -> Span {
    span.attributes = vec![text("openinference.span.kind", "AGENT")];
    span
}

/// The same span as a call to a model, which is asked and answers by its id.
pub(crate) fn model(mut span: Span) -> Span {
    let id = span.span_id[0];
    span.attributes = vec![
        text("openinference.span.kind", "LLM"),
        text("input.value", &format!(r#"{{"messages": [{{"role": "user", "content": "asked {id}"}}]}}"#)),
        text(
            "output.value",
            &format!(r#"{{"choices": [{{"message": {{"role": "assistant", "content": "answered {id}"}}}}]}}"#),
        ),
    ];
    span
}

/// The same span, marked by its host to be left out.
pub(crate) fn omitted(mut span: Span) -> Span {
    let value = Some(AnyValue { value: Some(any_value::Value::BoolValue(true)) });
    span.attributes.push(KeyValue { key: "openinference_mlflow.omit".into(), value, ..KeyValue::default() });
    span
}

/// The same span with an error.
pub(crate) fn failed(mut span: Span) -> Span {
    span.status = Some(Status { code: 2, message: "it broke".into() });
    span
}

pub(crate) fn text(key: &str, value: &str) -> KeyValue {
    let value = Some(AnyValue { value: Some(any_value::Value::StringValue(value.into())) });
    KeyValue { key: key.into(), value, ..KeyValue::default() }
}

/// A payload of one resource.
pub(crate) fn payload(resource: &[(&str, &str)], spans: Vec<Span>) -> Vec<u8> {
    let attributes = resource.iter().map(|(key, value)| text(key, value)).collect();
    let scope = Some(InstrumentationScope { name: "test".into(), ..InstrumentationScope::default() });
    let request = ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource { attributes, ..Resource::default() }),
            scope_spans: vec![ScopeSpans { scope, spans, ..ScopeSpans::default() }],
            ..ResourceSpans::default()
        }],
    };
    request.encode_to_vec()
}

/// A payload of an application called `app`.
pub(crate) fn app(spans: Vec<Span>) -> Vec<u8> {
    payload(&[("service.name", "app")], spans)
}
