//! The oracle's view of a payload, and shorthands to get there.

use openinference_mlflow_translator::otlp::json::{self, Decoded};
use openinference_mlflow_translator::otlp::write::{self, OutGroup, OutSpan};
use openinference_mlflow_translator::otlp::{Malformed, Payload};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

/// The spans of one scope, and everything around them.
#[derive(Debug, PartialEq)]
pub(crate) struct Group {
    resource: Option<Resource>,
    resource_schema_url: String,
    scope: Option<InstrumentationScope>,
    scope_schema_url: String,
    spans: Vec<Span>,
}

/// What OTLP says with a request: how spans of one resource are spread over messages says nothing, nor does a scope
/// without spans. Compare the text of it: a NaN is then equal to itself.
pub(crate) fn meaning(request: ExportTraceServiceRequest) -> String {
    let mut groups: Vec<Group> = Vec::new();
    for resource_spans in request.resource_spans {
        for scope_spans in resource_spans.scope_spans.into_iter().filter(|scope_spans| !scope_spans.spans.is_empty()) {
            groups.push(Group {
                resource: resource_spans.resource.clone(),
                resource_schema_url: resource_spans.schema_url.clone(),
                scope: scope_spans.scope,
                scope_schema_url: scope_spans.schema_url,
                spans: scope_spans.spans,
            });
        }
    }
    format!("{groups:#?}")
}

pub(crate) fn read(payload: &[u8]) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest::decode(payload).expect("prost reads the payload")
}

/// A payload taken apart and put together again.
pub(crate) fn rewritten(payload: &Payload<'_>) -> Vec<u8> {
    let groups: Vec<_> = payload
        .groups
        .iter()
        .map(|group| OutGroup {
            resource: &group.resource,
            scope: &group.scope,
            spans: group.spans.iter().map(|span| OutSpan { span: span.raw, appended: &[] }).collect(),
        })
        .collect();
    write::payload(&groups)
}

pub(crate) fn decode(body: &str) -> ExportTraceServiceRequest {
    read(&decoded(body.as_bytes()).payload)
}

/// Decodes a body that must decode, to a payload that our own reader takes too.
pub(crate) fn decoded(body: &[u8]) -> Decoded {
    let decoded = json::decode(body).expect("the body is read");
    Payload::parse(&decoded.payload).expect("what was decoded is a payload");
    decoded
}

pub(crate) fn refused(body: &[u8]) -> String {
    let refused: Malformed = json::decode(body).expect_err("the body is refused");
    refused.to_string()
}

/// A body with one span that has these fields.
pub(crate) fn body_with_span(fields: &str) -> String {
    format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{{fields}}}]}}]}}]}}"#)
}

pub(crate) fn span(fields: &str) -> Span {
    let mut request = decode(&body_with_span(fields));
    request.resource_spans.remove(0).scope_spans.remove(0).spans.remove(0)
}

/// The attributes of a span whose `attributes` are this.
pub(crate) fn attributes(attributes: &str) -> Vec<KeyValue> {
    span(&format!(r#""attributes":{attributes}"#)).attributes
}

/// What an attribute's `value` is read as; none when it is empty.
pub(crate) fn value(json: &str) -> Option<Value> {
    let mut attributes = attributes(&format!(r#"[{{"key":"k","value":{json}}}]"#));
    attributes.remove(0).value.and_then(|value| value.value)
}

pub(crate) fn text(text: &str) -> Option<Value> {
    Some(Value::StringValue(text.to_owned()))
}
