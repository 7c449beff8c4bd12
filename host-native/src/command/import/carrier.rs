//! An annotation as a carrier: a span that the core leaves out, and of whose feedback it makes an assessment
//! (`docs/mapping.md`).
//!
//! Phoenix has one annotation for each name, identifier and subject, and no identifier is one, too; the core tells
//! feedback without one apart by its content. So such an annotation gets [`UNIDENTIFIED`], or a later text of it would
//! be a second assessment.

use std::time::UNIX_EPOCH;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::api::{Annotation, Scope, time};

/// The identifier of annotations that have none in Phoenix; MLflow shows it as the source.
const UNIDENTIFIED: &str = "phoenix";

/// What an annotation is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Judged<'a> {
    pub(super) scope: Scope,
    /// Hexadecimal; of a session, one of its traces.
    pub(super) trace_id: &'a str,
}

/// The carrier in OTLP/JSON; `None` for an annotation without any result, and for one whose time cannot be read.
pub(super) fn carrier(annotation: &Annotation, judged: Judged<'_>) -> Option<Value> {
    let result = annotation.result.as_ref()?;
    let nothing = |text: &Option<String>| text.as_deref().is_none_or(|text| text.trim().is_empty());
    if result.score.is_none() && nothing(&result.label) && nothing(&result.explanation) {
        return None;
    }
    let time = nanoseconds(&annotation.updated_at)?;
    let scope = match judged.scope {
        Scope::Span => "",
        Scope::Trace => "trace.",
        Scope::Session => "session.",
    };
    let mut attributes = vec![json!({"key": "openinference_mlflow.omit", "value": {"boolValue": true}})];
    let mut put = |key: &str, value: Value| {
        attributes.push(json!({"key": format!("{scope}annotations.0.annotation.{key}"), "value": value}));
    };
    let text = |text: &str| json!({"stringValue": text});
    put("name", text(&annotation.name));
    put("annotator_kind", text(&annotation.annotator_kind));
    let identifier = Some(annotation.identifier.trim()).filter(|identifier| !identifier.is_empty());
    put("identifier", text(identifier.unwrap_or(UNIDENTIFIED)));
    result.score.iter().for_each(|score| put("score", json!({"doubleValue": score})));
    result.label.iter().for_each(|label| put("label", text(label)));
    result.explanation.iter().for_each(|explanation| put("explanation", text(explanation)));
    let metadata = annotation.metadata.as_ref().filter(|metadata| !metadata.is_empty());
    metadata.iter().for_each(|metadata| put("metadata", text(&Value::Object((*metadata).clone()).to_string())));
    // A digest, so that the same annotation is the same carrier in every run.
    let own = digest(annotation, judged);
    let (own_trace, own_span) = own.split_at_checked(32)?;
    let own_span = own_span.get(..16)?;
    let mut span = json!({
        "traceId": own_trace, "spanId": own_span, "name": format!("feedback {}", annotation.name),
        "startTimeUnixNano": time, "endTimeUnixNano": time,
    });
    match judged.scope {
        Scope::Span => span["links"] = json!([{"traceId": judged.trace_id, "spanId": annotation.subject}]),
        // Of the link only the trace counts, but a link has a span.
        Scope::Trace => span["links"] = json!([{"traceId": judged.trace_id, "spanId": own_span}]),
        Scope::Session => {
            attributes.push(json!({"key": "session.id", "value": text(&annotation.subject)}));
            // Where MLflow finds no trace of the session, the assessment goes to the carrier's.
            span["traceId"] = judged.trace_id.into();
        }
    }
    span["attributes"] = attributes.into();
    Some(span)
}

fn digest(annotation: &Annotation, judged: Judged<'_>) -> String {
    let Annotation { subject, name, annotator_kind, identifier, .. } = annotation;
    let scope = format!("{:?}", judged.scope);
    let mut hash = Sha256::new();
    for part in [&scope, judged.trace_id, subject, name, annotator_kind, identifier] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn nanoseconds(text: &str) -> Option<u64> {
    let since_epoch = time(text)?.duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(since_epoch.as_nanos()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn annotation(change: impl FnOnce(&mut Value)) -> Annotation {
        let mut json = json!({
            "id": "x", "span_id": "b7ad6b7169203331", "name": "correctness", "annotator_kind": "HUMAN",
            "result": {"label": "good", "score": 0.5, "explanation": null}, "metadata": {"rubric": 2}, "identifier": "",
            "updated_at": "2026-11-02T12:00:00.000001+00:00", "source": "API", "user_id": null,
        });
        change(&mut json);
        serde_json::from_value(json).unwrap()
    }

    fn of(scope: Scope, change: impl FnOnce(&mut Value)) -> Option<Value> {
        carrier(&annotation(change), Judged { scope, trace_id: "0af7651916cd43dd8448eb211c80319c" })
    }

    fn value(carrier: &Value, key: &str) -> Value {
        let attributes = carrier["attributes"].as_array().unwrap();
        let found = attributes.iter().find(|attribute| attribute["key"] == key);
        found
            .map(|attribute| attribute["value"].as_object().unwrap().values().next().unwrap().clone())
            .unwrap_or_default()
    }

    #[test]
    fn given_an_annotation_of_a_span_then_its_carrier_links_to_it_and_is_left_out() {
        let found = of(Scope::Span, |_| {}).unwrap();
        assert_eq!(found["links"][0]["traceId"], "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(found["links"][0]["spanId"], "b7ad6b7169203331");
        assert_eq!(found["endTimeUnixNano"], 1_793_620_800_000_001_000_u64);
        for (key, expected) in [
            ("openinference_mlflow.omit", json!(true)),
            ("annotations.0.annotation.name", json!("correctness")),
            ("annotations.0.annotation.score", json!(0.5)),
            ("annotations.0.annotation.label", json!("good")),
            ("annotations.0.annotation.explanation", Value::Null),
            ("annotations.0.annotation.identifier", json!("phoenix")),
            ("annotations.0.annotation.metadata", json!(r#"{"rubric":2}"#)),
        ] {
            assert_eq!(value(&found, key), expected, "{key}");
        }
    }

    #[test]
    fn given_another_scope_then_it_is_in_the_names_and_a_session_is_named() {
        assert_eq!(value(&of(Scope::Trace, |_| {}).unwrap(), "trace.annotations.0.annotation.score"), 0.5);
        let session = of(Scope::Session, |json| json["span_id"] = "my session".into()).unwrap();
        assert_eq!(value(&session, "session.annotations.0.annotation.score"), 0.5);
        assert_eq!((value(&session, "session.id"), session["links"].is_null()), (json!("my session"), true));
    }

    #[test]
    fn given_the_same_annotation_with_another_result_then_the_carrier_has_the_same_ids() {
        let ids =
            |carrier: Option<Value>| carrier.map(|span| (span["traceId"].clone(), span["spanId"].clone())).unwrap();
        let again = of(Scope::Span, |json| json["result"]["score"] = json!(1.0));
        assert_eq!(ids(of(Scope::Span, |_| {})), ids(again));
        assert_ne!(ids(of(Scope::Span, |_| {})), ids(of(Scope::Span, |json| json["identifier"] = "me".into())));
    }

    #[test]
    fn given_no_result_or_no_time_then_there_is_no_carrier() {
        assert_eq!(of(Scope::Span, |json| json["result"] = Value::Null), None);
        assert_eq!(of(Scope::Span, |json| json["result"] = json!({"label": " "})), None);
        assert_eq!(of(Scope::Span, |json| json["updated_at"] = "yesterday".into()), None);
    }
}
