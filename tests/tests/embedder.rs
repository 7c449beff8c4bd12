//! A second embedder: nothing but `wit/`, wasmtime and a plain HTTP client drive the component through one delivery to a
//! real MLflow server. This is what "embeddable" means; keep it short.
//!
//! Needs the `mlflow` command of `make setup`: `OPENINFERENCE_MLFLOW_TEST_MLFLOW`, or `.venv/bin/mlflow`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod mlflow;

use std::time::{SystemTime, UNIX_EPOCH};

use openinference_mlflow_component_encoded::COMPONENT;
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store};

#[allow(missing_docs, unreachable_pub, rust_2018_idioms, clippy::all)]
mod bindings {
    wasmtime::component::bindgen!({ path: "../wit", world: "translator" });
}
use bindings::Translator;
use bindings::exports::openinference_mlflow::translator::delivery::{Answer, Context, Event, Request, Response};
use bindings::exports::openinference_mlflow::translator::types::Encoding;

#[test]
fn a_plain_program_delivers_a_trace_to_mlflow() {
    let server = mlflow::Server::start();
    let engine = Engine::default();
    let component = Component::new(&engine, COMPONENT).unwrap();
    let mut store = Store::new(&engine, ());
    let guest = Translator::instantiate(&mut store, &component, &Linker::new(&engine)).unwrap();
    let delivery = guest.openinference_mlflow_translator_delivery();
    let bridge_type = delivery.bridge();
    let settings = r#"{"experiment_name": "embedded", "settle_ms": 0}"#;
    let bridge = bridge_type.call_open(&mut store, settings).unwrap().unwrap();

    let payload = include_bytes!("../fixtures/otlp/js_openai_chat_tools.pb");
    let context = Context {
        encoding: Encoding::Protobuf,
        experiment_id: None,
        experiment_name: None,
        run_id: None,
        workspace: None,
    };
    let accepted = bridge_type.call_ingest(&mut store, bridge, payload, &context, now()).unwrap().unwrap();

    let mut done = false;
    for _ in 0..50 {
        for request in bridge_type.call_poll(&mut store, bridge, now()).unwrap() {
            let answer = perform(&server.uri, &request);
            bridge_type.call_complete(&mut store, bridge, request.id, &answer, now()).unwrap();
        }
        for event in bridge_type.call_events(&mut store, bridge).unwrap() {
            done |= matches!(event, Event::Done(receipt) if receipt == accepted.receipt);
        }
        if done {
            break;
        }
    }
    assert!(done, "the payload's receipt is not done");
    let stats = bridge_type.call_stats(&mut store, bridge).unwrap();
    assert_eq!((stats.spans_delivered, stats.open_spans), (u64::from(accepted.spans), 0));

    let found = server.search("embedded", "span.type = 'LLM'");
    assert_eq!(found.len(), 1, "{found:?}");
}

/// One request over plain HTTP.
fn perform(uri: &str, request: &Request) -> Answer {
    let mut outgoing =
        ureq::http::Request::builder().method(request.method.as_str()).uri(format!("{uri}/{}", request.path));
    for (name, value) in &request.headers {
        outgoing = outgoing.header(name, value);
    }
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    match agent.run(outgoing.body(request.body.clone()).unwrap()) {
        Ok(mut answer) => Answer::Response(Response {
            status: answer.status().as_u16(),
            headers: answer
                .headers()
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
                .collect(),
            body: answer.body_mut().read_to_vec().unwrap_or_default(),
        }),
        Err(error) => Answer::NoAnswer(error.to_string()),
    }
}

fn now() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}
