//! From spans to the JSON.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::feedback::assessment::Assessment;
use crate::json;
use crate::mapping::tags;
use crate::mlflow::trace_info::TraceInfo;
use crate::mlflow::{AddedAttributes, Mapped};
use crate::mlflow::{keys, totals};
use crate::otlp::{Event, KeyValue, Link, Span, Value as Otlp};

/// Writes a trace: its info, and each span with its own attributes and those it gained. Roots come first, then the spans in
/// the order in which they started, as MLflow returns them.
///
/// Session, user, token counts and costs of the trace come from the spans, as MLflow's store derives them, except where the
/// info has them; trace tags that a producer has set on a root win. Assessments go into the info.
pub fn write(info: &TraceInfo, spans: &[(Span<'_>, AddedAttributes<'_>)], assessments: &[Assessment]) -> Vec<u8> {
    let mut ordered: Vec<_> = spans.iter().collect();
    ordered.sort_by_key(|(span, _)| (!span.is_root(), span.start));
    let mut metadata = info.metadata.clone();
    let first = |of: fn(&Span<'_>) -> Option<String>| ordered.iter().find_map(|(span, _)| of(span));
    let session = first(tags::session).map(|session| (keys::TRACE_SESSION.to_owned(), session));
    let nodes: Vec<_> = spans.iter().map(|(span, added)| node(span, added)).collect();
    let user = first(tags::user).map(|user| (keys::TRACE_USER.to_owned(), user));
    for (key, value) in session.into_iter().chain(user).chain(totals::metadata(&nodes)) {
        if !metadata.iter().any(|(known, _)| *known == key) {
            metadata.push((key, value));
        }
    }
    let info = TraceInfo { metadata, tags: with_own_tags(info, &ordered), ..info.clone() };
    let spans: Vec<_> = ordered.into_iter().map(|(span, added)| span_json(&info, span, added)).collect();
    let mut info_json = info.to_trace_json();
    if !assessments.is_empty() {
        let id = info.id();
        info_json["assessments"] = assessments.iter().map(|assessment| assessment.to_json(&id)).collect();
    }
    json!({"info": info_json, "data": {"spans": spans}}).to_string().into_bytes()
}

fn node<'a>(span: &Span<'a>, added: &AddedAttributes<'_>) -> totals::Node<&'a [u8]> {
    (span.span_id, Some(span.parent_span_id), totals::SpanTotals::of(span, added))
}

/// The info's tags, and over them those that producers have set, as MLflow reads them from roots.
fn with_own_tags(info: &TraceInfo, spans: &[&(Span<'_>, AddedAttributes<'_>)]) -> Vec<(String, String)> {
    let mut all = info.tags.clone();
    for attribute in spans.iter().filter(|(span, _)| span.is_root()).flat_map(|(span, _)| &span.attributes) {
        let Some(key) = attribute.key.get().strip_prefix(keys::TRACE_TAG_PREFIX) else { continue };
        let value = json::plain_text(attribute.value).unwrap_or_default().into_owned();
        match all.iter_mut().find(|(known, _)| known == key) {
            Some((_, old)) => *old = value,
            None => all.push((key.to_owned(), value)),
        }
    }
    all
}

fn span_json(info: &TraceInfo, span: &Span<'_>, added: &AddedAttributes<'_>) -> Value {
    let mut attributes: Map<String, Value> = Map::new();
    for KeyValue { key, value } in &span.attributes {
        attributes.insert(key.get().to_owned(), attribute_text(Mapped::from(*value)).into());
    }
    for (key, value) in added.iter() {
        attributes.insert(key.to_owned(), attribute_text(value.clone()).into());
    }
    attributes.insert(keys::TRACE_REQUEST_ID.to_owned(), json::quoted(&info.id()).into());
    json!({
        "trace_id": STANDARD.encode(span.trace_id),
        "span_id": STANDARD.encode(span.span_id),
        "parent_span_id": (!span.is_root()).then(|| STANDARD.encode(span.parent_span_id)),
        "name": span.name.get(),
        "start_time_unix_nano": span.start,
        "end_time_unix_nano": span.end,
        "events": span.events.iter().map(event_json).collect::<Vec<_>>(),
        "status": {"code": status_word(span.status.code), "message": span.status.message.get()},
        "attributes": attributes,
        "links": span.links.iter().map(link_json).collect::<Vec<_>>(),
    })
}

/// The JSON text under which MLflow's store holds a value.
fn attribute_text(value: Mapped<'_>) -> String {
    match value {
        Mapped::Text(text) if json::is_structured(&text) => text.into_owned(),
        Mapped::Text(text) => json::quoted(&text),
        Mapped::Json(value) => value.to_string(),
    }
}

fn event_json(event: &Event<'_>) -> Value {
    json!({"name": event.name.get(), "time_unix_nano": event.time, "attributes": object(&event.attributes)})
}

fn link_json(link: &Link<'_>) -> Value {
    let attributes = if link.attributes.is_empty() { Value::Null } else { object(&link.attributes) };
    json!({
        "trace_id": format!("tr-{:0>32}", hex(link.trace_id)),
        "span_id": format!("{:0>16}", hex(link.span_id)),
        "attributes": attributes,
    })
}

fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn object(attributes: &[KeyValue<'_>]) -> Value {
    attributes.iter().map(|KeyValue { key, value }| (key.get().to_owned(), plain(*value))).collect::<Map<_, _>>().into()
}

/// Attributes of events and links are written unchanged.
fn plain(value: Otlp<'_>) -> Value {
    match value {
        Otlp::String(text) => text.get().into(),
        Otlp::Array(items) => items.iter().map(plain).collect(),
        Otlp::KvList(entries) => object(&entries.iter().collect::<Vec<_>>()),
        value => match Mapped::from(value) {
            Mapped::Json(value) => value,
            Mapped::Text(text) => Cow::into_owned(text).into(),
        },
    }
}

fn status_word(code: u64) -> &'static str {
    match code {
        1 => "STATUS_CODE_OK",
        2 => "STATUS_CODE_ERROR",
        _ => "STATUS_CODE_UNSET",
    }
}
