//! A table of Unity Catalog takes spans and nothing else.

use openinference_mlflow_translator::Bridge;
use opentelemetry_proto::tonic::common::v1::any_value::Value;

use crate::drive::Host;
use crate::feedback::carrier;
use crate::spans::{app, model, span, text};

const TABLE: &str = "main.traces.agent_otel_spans";

fn host() -> Host {
    let mut host = Host::new(&format!(r#"{{"spans_table": "{TABLE}", "experiment_name": "agent"}}"#));
    host.server.tables.insert(TABLE.into());
    host
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
    assert_eq!((host.done.len(), host.server.traces.len(), host.bridge.stats().open_traces), (2, 2, 0));
}

#[test]
fn objects_travel_as_mlflows_own_client_sends_them() {
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
    assert!(host.server.log.len() < 20, "{}", host.server.log.len());
    host.server.tables.insert(TABLE.into());
    host.finish();
    assert_eq!((host.done.len(), host.server.traces.len()), (1, 1));
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
fn a_table_is_named_in_full() {
    for table in ["traces", "main.traces", "main..spans", "a.b.c.d", "a.b.\u{e9}"] {
        let error = Bridge::open(&format!(r#"{{"spans_table": "{table}"}}"#)).map(drop).expect_err(table);
        assert!(error.to_string().contains("`catalog.schema.table`"), "{error}");
    }
}
