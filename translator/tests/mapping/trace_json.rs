//! Given a trace, when it is written as MLflow's trace JSON, then it reads back as the same trace.

use openinference_mlflow_translator::mapping::{self, tags};
use openinference_mlflow_translator::mlflow::trace_info::{TraceInfo, TraceState};
use openinference_mlflow_translator::mlflow::{AddedAttributes, keys};
use openinference_mlflow_translator::otlp::span::resource_attributes;
use openinference_mlflow_translator::otlp::{Payload, Span};
use openinference_mlflow_translator::trace_json;
use serde_json::{Value, json};

use crate::spans::{END, Message, START, TRACE_ID, double, encoded, identified};

const ROOT: [u8; 8] = [1; 8];
const CHILD: [u8; 8] = [2; 8];

fn info() -> TraceInfo {
    TraceInfo {
        trace_id: TRACE_ID,
        experiment_id: "shop".into(),
        start: START,
        end: END,
        state: TraceState::Ok,
        request_preview: Some("\"question\"".into()),
        response_preview: None,
        tags: vec![(keys::TRACE_NAME.into(), "root".into()), ("service.name".into(), "shop".into())],
        metadata: Vec::new(),
    }
}

fn mapped<'a>(messages: &'a [Vec<u8>]) -> Vec<(Span<'a>, AddedAttributes<'a>)> {
    let spans = messages.iter().map(|message| Span::parse(message).unwrap());
    spans
        .map(|span| {
            let added = mapping::span(&span);
            (span, added)
        })
        .collect()
}

/// A child that comes first, and its root, with values of every type.
fn messages() -> Vec<Vec<u8>> {
    let event = Message::default()
        .fixed(1, START + 1)
        .bytes(2, "exception")
        .key_value(3, "exception.message", encoded("bad"))
        .key_value(3, "bytes", Message::default().bytes(7, [1]).0);
    let link = Message::default().bytes(1, [3; 16]).bytes(2, [4; 8]).key_value(4, "n", encoded(1));
    let child = identified(&TRACE_ID, &CHILD, &ROOT)
        .with("openinference.span.kind", "LLM")
        .with("llm.token_count.prompt", 12)
        .with("llm.token_count.completion", 3)
        .with("llm.cost.total", 0.5)
        .with("session.id", "s-1")
        .with("user.id", 7)
        .with("output.value", "[1, 2")
        .bytes(11, event.0)
        .bytes(13, link.0)
        .bytes(15, Message::default().bytes(2, "bad").varint(3, 2).0);
    let root = identified(&TRACE_ID, &ROOT, &[])
        .with("openinference.span.kind", "CHAIN")
        .with("input.value", "{\"a\": [1, 2.50]}")
        .with("quoted", "\"text\"")
        .with("doubly", "\"{\\\"a\\\": 1}\"")
        .with("digits", "42")
        .with("number", 42)
        .with("flag", true)
        .with("list", json!(["a", 1.5]))
        .with("map", json!({"k": null}))
        .with("none", Value::Null)
        .key_value(9, "tiny", double(1e-7));
    vec![child.0, root.0]
}

fn written() -> Value {
    let messages = messages();
    serde_json::from_slice(&trace_json::write(&info(), &mapped(&messages), &[])).unwrap()
}

#[test]
fn roots_come_first_and_attributes_are_json_text() {
    let trace = written();
    let names: Vec<_> = trace["data"]["spans"].as_array().unwrap().iter().map(|span| &span["parent_span_id"]).collect();
    assert_eq!(names, [&Value::Null, &json!("AQEBAQEBAQE=")]);
    let attributes = &trace["data"]["spans"][0]["attributes"];
    for (key, text) in [
        ("input.value", "{\"a\": [1, 2.50]}"),
        ("quoted", "\"text\""),
        ("doubly", "\"{\\\"a\\\": 1}\""),
        ("digits", "\"42\""),
        ("number", "42"),
        ("flag", "true"),
        ("list", "[\"a\", 1.5]"),
        ("map", "{\"k\": null}"),
        ("none", "null"),
        ("tiny", "1e-7"),
        (keys::SPAN_TYPE, "\"CHAIN\""),
        (keys::SPAN_INPUTS, "{\"a\": [1, 2.50]}"),
        (keys::TRACE_REQUEST_ID, "\"tr-07070707070707070707070707070707\""),
    ] {
        assert_eq!(attributes[key], text, "{key}");
    }
}

#[test]
fn the_info_gets_what_mlflow_derives_from_spans() {
    let info = &written()["info"];
    let metadata = &info["trace_metadata"];
    assert_eq!((&metadata[keys::TRACE_SESSION], &metadata[keys::TRACE_USER]), (&json!("s-1"), &json!("7")));
    let parsed = |key: &str| serde_json::from_str::<Value>(metadata[key].as_str().unwrap()).unwrap();
    assert_eq!(parsed(keys::TRACE_USAGE), json!({"input_tokens": 12, "output_tokens": 3, "total_tokens": 15}));
    assert_eq!(parsed(keys::TRACE_COST), json!({"input_cost": 0.0, "output_cost": 0.0, "total_cost": 0.5}));
    assert_eq!(info["execution_duration_ms"], 500);
}

#[test]
fn the_producers_own_trace_tags_win() {
    let root =
        identified(&TRACE_ID, &ROOT, &[]).with("mlflow.traceTag.mlflow.traceName", "mine").with("mlflow.traceTag.n", 7);
    let messages = [root.0];
    let trace: Value = serde_json::from_slice(&trace_json::write(&info(), &mapped(&messages), &[])).unwrap();
    assert_eq!(trace["info"]["tags"], json!({"mlflow.traceName": "mine", "service.name": "shop", "n": "7"}));
}

#[test]
fn events_links_and_states_are_kept() {
    let child = &written()["data"]["spans"][1];
    assert_eq!(
        child["events"],
        json!([{
            "name": "exception", "time_unix_nano": START + 1, "attributes": {"exception.message": "bad", "bytes": "AQ=="},
        }])
    );
    assert_eq!(
        child["links"],
        json!([{
            "trace_id": "tr-03030303030303030303030303030303", "span_id": "0404040404040404", "attributes": {"n": 1},
        }])
    );
    assert_eq!(child["status"], json!({"code": "STATUS_CODE_ERROR", "message": "bad"}));
}

#[test]
fn a_trace_that_is_read_and_written_again_is_the_same() {
    let first = written();
    let payload = trace_json::read(first.to_string().as_bytes()).unwrap();
    let payload = Payload::parse(&payload).unwrap();
    let spans: Vec<_> = payload.groups.iter().flat_map(|group| &group.spans).collect();
    let spans: Vec<_> = spans.into_iter().map(|span| (span.clone(), mapping::span(span))).collect();
    let tags =
        payload.groups.iter().flat_map(|group| tags::of_resource(&resource_attributes(&group.resource).unwrap()));
    let info = TraceInfo { tags: tags.collect(), ..info() };
    let second: Value = serde_json::from_slice(&trace_json::write(&info, &spans, &[])).unwrap();
    assert_eq!(second["info"], first["info"]);
    for (second, first) in
        second["data"]["spans"].as_array().unwrap().iter().zip(first["data"]["spans"].as_array().unwrap())
    {
        let mut first = first.clone();
        if first["parent_span_id"].is_null() {
            // The name that only the info had is on the root now.
            first["attributes"][keys::TRACE_NAME_ATTRIBUTE] = "\"root\"".into();
        }
        assert_eq!(second, &first);
    }
}

#[test]
fn what_only_the_info_knows_goes_to_the_root_and_a_resource() {
    let trace = json!({
        "info": {
            "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "12"}},
            "trace_metadata": {keys::TRACE_SESSION: "s-1", keys::TRACE_USER: "u-1"},
            "tags": {keys::TRACE_NAME: "named", "mlflow.source": "x", "service.name": "shop"},
        },
        "data": {"spans": [{
            "trace_id": "tr-07070707070707070707070707070707", "span_id": "0101010101010101", "parent_span_id": null,
            "name": "root", "start_time_unix_nano": "5", "end_time_unix_nano": null, "status": {"code": "OK"},
            "attributes": {keys::TRACE_REQUEST_ID: "\"tr-07070707070707070707070707070707\""},
        }]},
    });
    let body = trace.to_string();
    assert_eq!(trace_json::experiment(body.as_bytes()).as_deref(), Some("12"));
    let payload = trace_json::read(body.as_bytes()).unwrap();
    let payload = Payload::parse(&payload).unwrap();
    let (group, span) = (&payload.groups[0], &payload.groups[0].spans[0]);
    assert_eq!((span.trace_id, span.span_id), (&TRACE_ID[..], &ROOT[..]));
    assert_eq!((span.start, span.end, span.status.code), (5, 0, 1));
    let attributes: Vec<_> =
        span.attributes.iter().map(|attribute| (attribute.key.get(), attribute.value.as_str())).collect();
    let expected = [(keys::TRACE_NAME_ATTRIBUTE, "named"), ("session.id", "s-1"), ("user.id", "u-1")];
    assert_eq!(attributes, expected.map(|(key, text)| (key, Some(text))));
    let resource = resource_attributes(&group.resource).unwrap();
    assert_eq!(tags::of_resource(&resource), [("service.name".to_owned(), "shop".to_owned())]);
}

#[test]
fn what_is_no_trace_is_refused_with_the_place() {
    for body in ["", "{", "[]", "{\"info\": {}}", "{\"info\": {}, \"data\": {\"spans\": [{}]}}"] {
        let error = trace_json::read(body.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("a trace in MLflow's JSON") && error.contains("line"), "{error}");
    }
    let span = json!({"trace_id": "%", "span_id": "AQEBAQEBAQE=", "start_time_unix_nano": 1});
    let body = json!({"info": {}, "data": {"spans": [span]}}).to_string();
    assert!(trace_json::read(body.as_bytes()).unwrap_err().to_string().contains("an id in base64 or hexadecimal"));
    assert_eq!(trace_json::experiment(b"{}"), None);
}
