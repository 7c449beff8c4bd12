//! A table of Unity Catalog takes spans and nothing else.

use openinference_mlflow_translator::Bridge;
use openinference_mlflow_translator::contract::{Answer, Response};
use opentelemetry_proto::tonic::common::v1::AnyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;

use crate::drive::Host;
use crate::feedback::carrier;
use crate::spans::{app, model, span, text};

const TABLE: &str = "main.traces.agent_otel_spans";

fn host() -> Host {
    let mut host = Host::new(
        r#"{"destination": "unity_catalog", "trace_location": "main.traces.agent", "experiment_name": "agent"}"#,
    );
    host.server.tables.insert(TABLE.into());
    host
}

fn answer(status: u16, body: &str) -> Answer {
    Answer::Response(Response { status, headers: Vec::new(), body: body.as_bytes().to_vec() })
}

#[test]
fn spans_reach_the_table_and_nothing_else_is_asked() {
    let mut host = host();
    host.ingest(&app(vec![span(1, 1, 0), model(span(1, 2, 1))]));
    // Without a root, and with a prompt and a session that MLflow would be told in other requests.
    let mut other = span(2, 2, 1);
    other.attributes.extend([text("session.id", "thread-1"), text("llm.prompt_template.template", "Hi {{name}}")]);
    host.ingest(&app(vec![other]));
    host.finish();
    assert!(host.server.log.iter().all(|line| line == "POST api/2.0/otel/v1/traces"), "{:?}", host.server.log);
    assert!(host.server.traces.values().all(|trace| trace.experiment == TABLE));
    assert_eq!(host.topics(), ["closed-without-root"]);
    assert_eq!((host.done.len(), host.server.traces.len(), host.bridge.stats().open_traces), (2, 2, 0));
}

#[test]
fn a_location_without_a_prefix_is_the_table_of_mlflows_client() {
    let mut host = Host::new(r#"{"destination": "unity_catalog", "trace_location": "main.traces"}"#);
    host.server.tables.insert("main.traces.mlflow_experiment_trace_otel_spans".into());
    host.ingest(&app(vec![span(1, 1, 0)]));
    host.finish();
    assert_eq!((host.done.len(), host.server.traces.len()), (1, 1));
}

#[test]
fn objects_and_arrays_travel_as_otlp_values() {
    let mut host = host();
    host.ingest(&app(vec![model(span(1, 1, 0))]));
    host.finish();
    let span = &host.server.traces[&vec![1; 16]].spans[&vec![1; 8]];
    let value = |key: &str| {
        let found = span.attributes.iter().find(|attribute| attribute.key == key);
        found.and_then(|attribute| attribute.value.as_ref()?.value.clone()).unwrap_or_else(|| panic!("no {key}"))
    };
    assert_eq!(value("mlflow.spanType"), Value::StringValue("LLM".into()));
    assert!(matches!(value("mlflow.spanInputs"), Value::KvlistValue(_)));
}

#[test]
fn a_missing_table_holds_the_spans_until_it_is_there() {
    let mut host = host();
    host.server.tables.clear();
    host.ingest(&app(vec![span(1, 1, 0)]));
    host.pass(60_000);
    assert_eq!((host.topics(), host.done.len(), host.quarantined.len()), (vec!["table"], 0, 0));
    assert!(host.notices[0].message.contains(TABLE), "{}", host.notices[0].message);
    assert!(host.server.log.len() < 20, "{}", host.server.log.len());
    host.server.tables.insert(TABLE.into());
    host.finish();
    assert_eq!((host.done.len(), host.server.traces.len()), (1, 1));
}

#[test]
fn a_token_that_is_not_accepted_holds_the_spans_and_is_named_as_the_workspace_does() {
    let mut host = host();
    host.server.fault(|_| Some(answer(401, "")));
    host.ingest(&app(vec![span(1, 1, 0)]));
    host.pass(60_000);
    assert_eq!((host.topics(), host.quarantined.len()), (vec!["unauthorized"], 0));
    assert!(host.notices[0].message.contains("DATABRICKS_TOKEN"), "{}", host.notices[0].message);
    host.server.heal();
    host.finish();
    assert_eq!(host.done.len(), 1);
}

#[test]
fn a_span_that_is_refused_is_quarantined_alone() {
    let mut host = host();
    host.server.poison = Some("bad");
    let mut bad = span(1, 2, 1);
    bad.name = "bad".into();
    host.ingest(&app(vec![span(1, 1, 0), bad, span(1, 3, 1)]));
    host.finish();
    assert_eq!((host.quarantined.len(), host.server.traces[&vec![1; 16]].spans.len(), host.done.len()), (1, 2, 1));
}

#[test]
fn feedback_stays_on_its_span_and_this_is_said_once() {
    let mut host = host();
    host.ingest(&app(vec![span(1, 1, 0)]));
    host.ingest(&app(vec![carrier(2, (1, 1), "", 0.5, None)]));
    host.ingest(&app(vec![carrier(3, (1, 1), "", 0.7, None)]));
    host.finish();
    assert_eq!(host.topics().iter().filter(|topic| **topic == "assessment").count(), 1);
    assert_eq!((host.done.len(), host.server.traces.len(), host.quarantined.len()), (3, 3, 0));
}

#[test]
fn feedback_whose_span_is_left_out_is_quarantined() {
    let mut host = host();
    let mut omitted = carrier(2, (1, 1), "", 0.5, None);
    omitted.attributes.push(text("openinference_mlflow.omit", ""));
    if let Some(omit) = omitted.attributes.last_mut() {
        omit.value = Some(AnyValue { value: Some(Value::BoolValue(true)) });
    }
    host.ingest(&app(vec![span(1, 1, 0)]));
    host.ingest(&app(vec![omitted]));
    host.ingest(&app(vec![carrier(3, (1, 1), "", 0.7, None)]));
    host.finish();
    assert_eq!((host.done.len(), host.quarantined.len(), host.server.traces.len()), (3, 1, 2));
    assert!(host.quarantined[0].reason.contains("spans alone"), "{}", host.quarantined[0].reason);
}

#[test]
fn a_trace_location_is_named_in_full() {
    for location in ["", "traces", "main..agent", "a.b.c.d", "a.b.\u{e9}", "a.b\\n.c"] {
        let error = Bridge::open(&format!(r#"{{"destination": "unity_catalog", "trace_location": "{location}"}}"#));
        let error = error.map(drop).expect_err(location).to_string();
        assert!(error.contains("`catalog.schema` or"), "{error}");
    }
    assert!(Bridge::open(r#"{"destination": "unity_catalog"}"#).is_err());
}
