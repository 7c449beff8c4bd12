//! From the JSON to spans.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::feedback::assessment::Assessment;
use crate::json;
use crate::mlflow::keys;
use crate::openinference::Key;
use crate::otlp::Malformed;
use crate::otlp::wire::{put_bytes_field, put_fixed64_field, put_varint_field};
use crate::otlp::write::{Attributes, OutGroup, OutSpan, payload, put_any_value};

#[derive(Deserialize)]
struct Trace {
    info: Info,
    data: Data,
}

#[derive(Deserialize)]
struct Info {
    #[serde(default)]
    trace_location: Location,
    #[serde(default)]
    tags: Map<String, Value>,
    #[serde(default)]
    trace_metadata: Map<String, Value>,
}

#[derive(Default, Deserialize)]
struct Location {
    mlflow_experiment: Option<Experiment>,
}

#[derive(Deserialize)]
struct Experiment {
    experiment_id: String,
}

#[derive(Deserialize)]
struct Data {
    #[serde(default)]
    spans: Vec<Span>,
}

#[derive(Deserialize)]
struct Span {
    trace_id: String,
    span_id: String,
    parent_span_id: Option<String>,
    #[serde(default)]
    name: String,
    start_time_unix_nano: Nanos,
    end_time_unix_nano: Option<Nanos>,
    #[serde(default)]
    events: Vec<Event>,
    #[serde(default)]
    status: Status,
    #[serde(default)]
    attributes: Map<String, Value>,
    #[serde(default)]
    links: Vec<Link>,
}

/// MLflow reads numbers and text of numbers.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "Value")]
struct Nanos(u64);

#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    name: String,
    time_unix_nano: Nanos,
    #[serde(default)]
    attributes: Option<Map<String, Value>>,
}

#[derive(Default, Deserialize)]
struct Status {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: Option<String>,
}

#[derive(Deserialize)]
struct Link {
    trace_id: String,
    span_id: String,
    #[serde(default)]
    attributes: Option<Map<String, Value>>,
}

impl TryFrom<Value> for Nanos {
    type Error = &'static str;

    fn try_from(value: Value) -> Result<Self, Self::Error> {
        let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
        number.map(Self).ok_or("a time in nanoseconds, a number that is not negative")
    }
}

/// Reads a trace back as an OTLP protobuf payload that gives the same trace when it is translated again.
///
/// Trace tags that came from resources become a resource again, and the trace's name, session and user are set on the root
/// when no span has them.
pub fn read(body: &[u8]) -> Result<Vec<u8>, Malformed> {
    let trace: Trace = serde_json::from_slice(body).map_err(|error| {
        Malformed::in_text(format!("a trace in MLflow's JSON ({error})"), error.line(), error.column())
    })?;
    let (root_attributes, resource) = from_info(&trace);
    let mut spans = Vec::with_capacity(trace.data.spans.len());
    for span in &trace.data.spans {
        let mut encoded = encode(span)?;
        if span.is_root() {
            encoded.extend_from_slice(root_attributes.as_bytes());
        }
        spans.push(encoded);
    }
    let spans = spans.iter().map(|span| OutSpan { span, appended: &[] }).collect();
    Ok(payload(&[OutGroup { resource: &resource, scope: &[], spans }]))
}

/// The experiment that a trace's JSON names: its id, or its folder's name in the local folder.
pub fn experiment(body: &[u8]) -> Option<String> {
    /// The rest of the trace is skipped.
    #[derive(Deserialize)]
    struct Head {
        info: Info,
    }
    let Head { info } = serde_json::from_slice(body).ok()?;
    info.trace_location.mlflow_experiment.map(|experiment| experiment.experiment_id).filter(|id| !id.is_empty())
}

/// The assessments in a trace's JSON, and the trace that they are about; none of what cannot be read.
pub fn assessments(body: &[u8]) -> Vec<([u8; 16], Assessment)> {
    /// The rest of the trace is skipped.
    #[derive(Deserialize)]
    struct Head {
        info: Assessed,
    }
    #[derive(Deserialize)]
    struct Assessed {
        #[serde(default)]
        trace_id: String,
        #[serde(default)]
        assessments: Vec<Value>,
    }
    let Ok(Head { info }) = serde_json::from_slice(body) else { return Vec::new() };
    let Some(trace) = id(&info.trace_id).ok().and_then(|id| id.try_into().ok()) else { return Vec::new() };
    info.assessments.into_iter().filter_map(Assessment::from_json).map(|assessment| (trace, assessment)).collect()
}

impl Span {
    fn is_root(&self) -> bool {
        self.parent_span_id.as_ref().is_none_or(String::is_empty)
    }
}

/// What of the info is not on the spans: attributes for the root, and the envelope of a resource.
fn from_info(trace: &Trace) -> (Attributes, Vec<u8>) {
    let spans = &trace.data.spans;
    let is_on_a_span = |key: &str| spans.iter().any(|span| span.attributes.contains_key(key));
    let is_on_a_root = |key: &str| spans.iter().any(|span| span.is_root() && span.attributes.contains_key(key));
    let mut root = Attributes::default();
    let mut resource = Vec::new();
    for (tag, value) in &trace.info.tags {
        let Some(text) = value.as_str() else { continue };
        let attribute = format!("{}{tag}", keys::TRACE_TAG_PREFIX);
        if is_on_a_root(&attribute) {
            continue;
        }
        if tag == keys::TRACE_NAME {
            root.put_str(&attribute, text);
        } else if !tag.starts_with(keys::PREFIX) {
            put_resource_attribute(&mut resource, tag, text);
        }
    }
    for (metadata, key) in [(keys::TRACE_SESSION, Key::SessionId), (keys::TRACE_USER, Key::UserId)] {
        let is_there =
            is_on_a_span(key.name()) || key == Key::SessionId && is_on_a_span(Key::GenAiConversationId.name());
        if let Some(text) = trace.info.trace_metadata.get(metadata).and_then(Value::as_str).filter(|_| !is_there) {
            root.put_str(key.name(), text);
        }
    }
    let mut envelope = Vec::new();
    if !resource.is_empty() {
        put_bytes_field(&mut envelope, 1, &resource);
    }
    (root, envelope)
}

fn put_resource_attribute(resource: &mut Vec<u8>, key: &str, text: &str) {
    put_bytes_field(resource, 1, &key_value(key, &Value::from(text)));
}

fn encode(span: &Span) -> Result<Vec<u8>, Malformed> {
    let mut out = Vec::new();
    put_bytes_field(&mut out, 1, &id(&span.trace_id)?);
    put_bytes_field(&mut out, 2, &id(&span.span_id)?);
    if let Some(parent) = span.parent_span_id.as_ref().filter(|parent| !parent.is_empty()) {
        put_bytes_field(&mut out, 4, &id(parent)?);
    }
    put_bytes_field(&mut out, 5, span.name.as_bytes());
    put_fixed64_field(&mut out, 7, span.start_time_unix_nano.0);
    put_fixed64_field(&mut out, 8, span.end_time_unix_nano.map_or(0, |end| end.0));
    for (key, value) in span.attributes.iter().filter(|(key, _)| *key != keys::TRACE_REQUEST_ID) {
        put_bytes_field(&mut out, 9, &key_value(key, &attribute(value)));
    }
    for event in &span.events {
        let mut encoded = Vec::new();
        put_fixed64_field(&mut encoded, 1, event.time_unix_nano.0);
        put_bytes_field(&mut encoded, 2, event.name.as_bytes());
        put_attributes(&mut encoded, 3, event.attributes.as_ref());
        put_bytes_field(&mut out, 11, &encoded);
    }
    for link in &span.links {
        let mut encoded = Vec::new();
        put_bytes_field(&mut encoded, 1, &id(&link.trace_id)?);
        put_bytes_field(&mut encoded, 2, &id(&link.span_id)?);
        put_attributes(&mut encoded, 4, link.attributes.as_ref());
        put_bytes_field(&mut out, 13, &encoded);
    }
    put_bytes_field(&mut out, 15, &status(&span.status));
    Ok(out)
}

fn status(status: &Status) -> Vec<u8> {
    let mut encoded = Vec::new();
    if let Some(message) = status.message.as_ref().filter(|message| !message.is_empty()) {
        put_bytes_field(&mut encoded, 2, message.as_bytes());
    }
    match status.code.strip_prefix("STATUS_CODE_").unwrap_or(&status.code) {
        "OK" => put_varint_field(&mut encoded, 3, 1),
        "ERROR" => put_varint_field(&mut encoded, 3, 2),
        _ => {}
    }
    encoded
}

/// A value from the JSON text under which MLflow's store holds it. Objects, arrays and text that would be read as JSON stay
/// text: MLflow holds both the same.
fn attribute(stored: &Value) -> Value {
    let Some(text) = stored.as_str() else { return stored.clone() };
    match serde_json::from_str(text) {
        Ok(Value::String(inner)) if !json::is_structured(&inner) => Value::String(inner),
        Ok(value @ (Value::Null | Value::Bool(_) | Value::Number(_))) => value,
        _ => stored.clone(),
    }
}

fn put_attributes(out: &mut Vec<u8>, number: u32, attributes: Option<&Map<String, Value>>) {
    for (key, value) in attributes.into_iter().flatten() {
        put_bytes_field(out, number, &key_value(key, value));
    }
}

fn key_value(key: &str, value: &Value) -> Vec<u8> {
    let mut any_value = Vec::new();
    put_any_value(&mut any_value, value);
    let mut out = Vec::new();
    put_bytes_field(&mut out, 1, key.as_bytes());
    put_bytes_field(&mut out, 2, &any_value);
    out
}

/// An id: base64 of its bytes, or hexadecimal with `tr-` before a trace's, as links and MLflow 3.5 have it.
fn id(text: &str) -> Result<Vec<u8>, Malformed> {
    let digits = text.strip_prefix("tr-").unwrap_or(text);
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit()) && matches!(digits.len(), 16 | 32);
    let id = if is_hex { u128::from_str_radix(digits, 16).ok().map(|id| id.to_be_bytes()) } else { None };
    match id {
        Some(id) => Ok(id.get(16 - digits.len() / 2..).unwrap_or_default().to_vec()),
        None => STANDARD
            .decode(text)
            .map_err(|_| Malformed::in_text(format!("an id in base64 or hexadecimal, not {text:?},"), 1, 1)),
    }
}
