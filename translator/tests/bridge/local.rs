//! The local folder: one file a trace, whatever came before and whatever comes later.

use std::collections::BTreeMap;

use openinference_mlflow_translator::Bridge;
use openinference_mlflow_translator::contract::{Answer, Context, Response};
use serde_json::Value;

use crate::model::reply;
use crate::spans::{app, span};

/// The folder: path below the data directory → file.
type Folder = BTreeMap<String, Vec<u8>>;

fn run(folder: &mut Folder, payloads: &[Vec<u8>]) -> Bridge {
    let mut bridge = Bridge::open(r#"{"destination": "local"}"#).unwrap();
    let mut now = 0;
    for payload in payloads {
        bridge.ingest(payload, &Context::default(), now).unwrap();
        now += 20_000;
        serve(&mut bridge, folder, now);
    }
    bridge
}

fn serve(bridge: &mut Bridge, folder: &mut Folder, now: u64) {
    loop {
        let requests = bridge.poll(now);
        if requests.is_empty() {
            return;
        }
        for request in requests {
            let name = request.path.rsplit('/').next().unwrap();
            let answer = match request.method {
                "PUT" => {
                    folder.insert(request.path.clone(), request.body.clone());
                    reply(200, String::new())
                }
                _ => match folder.iter().find(|(path, _)| path.ends_with(name)) {
                    Some((_, body)) => {
                        Answer::Response(Response { status: 200, headers: Vec::new(), body: body.clone() })
                    }
                    None => reply(404, String::new()),
                },
            };
            bridge.complete(request.id, &answer, now);
        }
    }
}

fn spans(file: &[u8]) -> Vec<String> {
    let trace: Value = serde_json::from_slice(file).unwrap();
    let spans = trace["data"]["spans"].as_array().unwrap();
    let mut names: Vec<_> = spans.iter().map(|span| span["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_trace_is_a_file_in_its_experiments_folder() {
    let mut folder = Folder::new();
    let bridge = run(&mut folder, &[app(vec![span(1, 1, 0), span(1, 2, 1)])]);
    let path = format!("traces/Default/tr-{}.json", "01".repeat(16));
    assert_eq!(folder.keys().collect::<Vec<_>>(), [&path]);
    assert_eq!(spans(&folder[&path]), ["span 1", "span 2"]);
    assert_eq!(bridge.stats().open_receipts, 0);
}

#[test]
fn late_spans_join_the_file_also_after_a_restart() {
    let mut folder = Folder::new();
    run(&mut folder, &[app(vec![span(1, 1, 0)]), app(vec![span(1, 2, 1)])]);
    run(&mut folder, &[app(vec![span(1, 3, 1)])]);
    assert_eq!(folder.len(), 1);
    assert_eq!(spans(folder.values().next().unwrap()), ["span 1", "span 2", "span 3"]);
}

#[test]
fn a_damaged_file_is_not_overwritten() {
    let mut folder = Folder::new();
    let path = format!("traces/Default/tr-{}.json", "01".repeat(16));
    folder.insert(path.clone(), b"{torn".to_vec());
    let mut bridge = run(&mut folder, &[app(vec![span(1, 1, 0)])]);
    assert_eq!(folder[&path], b"{torn");
    assert_eq!(bridge.stats().spans_quarantined, 1);
    assert!(!bridge.events().is_empty());
}

#[test]
fn an_experiments_name_becomes_a_folder_that_every_system_takes() {
    let mut folder = Folder::new();
    let mut bridge = Bridge::open(r#"{"destination": "local", "experiment_name": "../a:b/é"}"#).unwrap();
    bridge.ingest(&app(vec![span(1, 1, 0)]), &Context::default(), 0).unwrap();
    bridge.flush(0);
    serve(&mut bridge, &mut folder, 0);
    let path = folder.keys().next().unwrap();
    assert!(path.starts_with("traces/%2E%2E%2Fa%3Ab%2F%C3%A9/tr-"), "{path}");
}

#[test]
fn feedback_is_in_the_file_of_the_trace_that_it_is_about_beside_what_was_there() {
    let mut folder = Folder::new();
    run(&mut folder, &[app(vec![span(1, 1, 0)])]);
    let (path, file) = folder.first_key_value().unwrap();
    let mut trace: Value = serde_json::from_slice(file).unwrap();
    trace["info"]["assessments"] = serde_json::json!([{"assessment_id": "a-mine", "assessment_name": "mine"}]);
    let path = path.clone();
    folder.insert(path.clone(), trace.to_string().into_bytes());
    let judge = crate::feedback::carrier(2, (1, 1), "", 1.0, None);
    for _ in 0..2 {
        let bridge = run(&mut folder, &[app(vec![judge.clone()])]);
        assert_eq!(bridge.stats().open_receipts, 0);
        let trace: Value = serde_json::from_slice(&folder[&path]).unwrap();
        let found = trace["info"]["assessments"].as_array().unwrap();
        let names: Vec<_> = found.iter().map(|assessment| assessment["assessment_name"].as_str().unwrap()).collect();
        assert_eq!(names, ["mine", "helpful"]);
        assert_eq!(spans(&folder[&path]), ["span 1"]);
    }
}

#[test]
fn feedback_before_its_trace_waits_for_the_traces_file() {
    let mut folder = Folder::new();
    let judge = crate::feedback::carrier(2, (1, 1), "", 1.0, None);
    let bridge = run(&mut folder, &[app(vec![judge.clone()])]);
    assert_eq!((folder.len(), bridge.stats().open_receipts), (1, 1));
    let bridge = run(&mut folder, &[app(vec![judge]), app(vec![span(1, 1, 0)])]);
    assert_eq!((folder.len(), bridge.stats().open_receipts), (2, 0));
    let path = format!("traces/Default/tr-{}.json", "01".repeat(16));
    let trace: Value = serde_json::from_slice(&folder[&path]).unwrap();
    assert_eq!(trace["info"]["assessments"][0]["feedback"]["value"], 1.0);
}
