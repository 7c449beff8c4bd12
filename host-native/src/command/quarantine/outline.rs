//! Which spans a payload has: ids and names, in whatever encoding it was kept.

use std::fs;
use std::io;
use std::path::Path;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde_json::Value;

/// A span, as far as a list shows it. A field is empty when the payload does not say.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) trace_id: String,
    pub(super) span_id: String,
    pub(super) name: String,
}

/// The spans of a file; none, when nobody can read it.
///
/// # Errors
/// The file cannot be read.
pub(super) fn of(path: &Path) -> io::Result<Option<Vec<Span>>> {
    let bytes = fs::read(path)?;
    if path.extension().is_some_and(|extension| extension == "json") {
        return Ok(serde_json::from_slice(&bytes).ok().map(|payload| {
            let mut spans = Vec::new();
            collect(&payload, &mut spans);
            spans
        }));
    }
    Ok(ExportTraceServiceRequest::decode(bytes.as_slice()).ok().map(|payload| {
        let scopes = payload.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
        let spans = scopes.flat_map(|scope| scope.spans);
        spans.map(|span| Span { trace_id: hex(&span.trace_id), span_id: hex(&span.span_id), name: span.name }).collect()
    }))
}

/// OTLP/JSON and MLflow's trace JSON have their spans in lists of that name, in camel or in snake case.
fn collect(value: &Value, spans: &mut Vec<Span>) {
    let Value::Object(fields) = value else { return };
    for (key, value) in fields {
        let Value::Array(items) = value else {
            collect(value, spans);
            continue;
        };
        if key != "spans" {
            items.iter().for_each(|item| collect(item, spans));
            continue;
        }
        for item in items {
            let text = |names: [&str; 2]| {
                names.iter().find_map(|name| item.get(name)?.as_str()).unwrap_or_default().to_owned()
            };
            let trace_id = text(["traceId", "trace_id"]);
            let span_id = text(["spanId", "span_id"]);
            spans.push(Span { trace_id, span_id, name: text(["name", "name"]) });
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &[u8] = include_bytes!("../../../demo/langchain_rag.pb");

    fn outline(name: &str, contents: &[u8]) -> Option<Vec<Span>> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        fs::write(&path, contents).unwrap();
        of(&path).unwrap()
    }

    #[test]
    fn given_a_payload_in_any_encoding_then_its_spans_are_found() {
        let spans = outline("a.pb", SAMPLE).unwrap();
        assert!(spans.len() > 1 && spans.iter().all(|span| span.trace_id.len() == 32 && !span.name.is_empty()));
        for json in [
            r#"{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "01", "spanId": "02", "name": "n"}]}]}]}"#,
            r#"{"resource_spans": [{"scope_spans": [{"spans": [{"trace_id": "01", "span_id": "02", "name": "n"}]}]}]}"#,
            r#"{"info": {"spans": 3}, "data": {"spans": [{"trace_id": "01", "span_id": "02", "name": "n"}]}}"#,
        ] {
            let expected = Span { trace_id: "01".into(), span_id: "02".into(), name: "n".into() };
            assert_eq!(outline("a.json", json.as_bytes()), Some(vec![expected]));
        }
    }

    #[test]
    fn given_bytes_that_nobody_can_read_then_there_is_no_outline() {
        assert_eq!(outline("a.pb", b"\xff\xff\xff"), None);
        assert_eq!(outline("a.json", b"{"), None);
    }
}
