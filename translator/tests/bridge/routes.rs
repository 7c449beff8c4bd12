//! Which experiment, run and workspace a trace goes to.

use openinference_mlflow_translator::contract::Context;

use crate::drive::Host;
use crate::model::reply;
use crate::spans::{app, payload, span};

fn named(name: &str) -> Context {
    Context { experiment_name: Some(name.into()), ..Context::default() }
}

#[test]
fn an_experiment_that_is_missing_is_created_once() {
    let mut host = Host::new(r#"{"experiment_name": "my app / é"}"#);
    for trace in 1..=3 {
        host.ingest(&app(vec![span(trace, 1, 0)]));
    }
    host.finish();
    let id = &host.server.experiments["my app / é"].0;
    assert!(host.server.traces.values().all(|trace| trace.experiment == *id));
    let creations = host.server.log.iter().filter(|line| line.ends_with("experiments/create")).count();
    assert_eq!((creations, host.server.traces.len()), (1, 3));
}

#[test]
fn somebody_else_may_create_the_experiment_meanwhile() {
    let mut host = Host::new(r#"{"experiment_name": "shared"}"#);
    let mut asked = 0;
    host.server.fault(move |request| {
        asked += usize::from(request.path.contains("get-by-name"));
        (asked == 1 && request.path.contains("get-by-name"))
            .then(|| reply(404, r#"{"error_code":"RESOURCE_DOES_NOT_EXIST"}"#.into()))
    });
    host.server.experiments.insert("shared".into(), ("7".into(), "active".into()));
    host.ingest(&app(vec![span(1, 1, 0)]));
    host.finish();
    assert_eq!(host.server.traces[&vec![1; 16]].experiment, "7");
}

#[test]
fn the_payloads_header_wins_over_settings_and_those_over_the_project() {
    let project = |trace| payload(&[("openinference.project.name", "project")], vec![span(trace, 1, 0)]);
    let mut host = Host::new(r#"{"experiment_name": "configured"}"#);
    host.ingest_for(&project(1), &named("asked"));
    host.ingest(&project(2));
    host.finish();
    assert_eq!(host.server.traces[&vec![1; 16]].experiment, host.server.experiments["asked"].0);
    assert_eq!(host.server.traces[&vec![2; 16]].experiment, host.server.experiments["configured"].0);

    let mut host = Host::new("{}");
    host.ingest(&project(1));
    host.ingest(&app(vec![span(2, 1, 0)]));
    host.finish();
    assert_eq!(host.server.traces[&vec![1; 16]].experiment, host.server.experiments["project"].0);
    assert_eq!(host.server.traces[&vec![2; 16]].experiment, "0");
}

#[test]
fn a_trace_stays_in_its_first_experiment() {
    let mut host = Host::new("{}");
    host.ingest_for(&app(vec![span(1, 1, 0)]), &named("first"));
    host.pass(2_000);
    host.ingest_for(&app(vec![span(1, 2, 1)]), &named("second"));
    host.finish();
    assert!(!host.server.experiments.contains_key("second"));
    assert_eq!(host.server.traces[&vec![1; 16]].spans.len(), 2);
}

#[test]
fn no_request_mixes_experiments_or_runs() {
    let mut host = Host::new("{}");
    for trace in 1..=6 {
        let run_id = (trace % 2 == 0).then(|| "run".to_owned());
        let context = Context { run_id, ..named(if trace <= 3 { "a" } else { "b" }) };
        host.ingest_for(&app(vec![span(trace, 1, 0)]), &context);
    }
    host.finish();
    assert_eq!(host.server.batches.len(), 4);
    for (id, trace) in &host.server.traces {
        let name = if id[0] <= 3 { "a" } else { "b" };
        assert_eq!(trace.experiment, host.server.experiments[name].0);
        assert_eq!(trace.runs.contains("run"), id[0] % 2 == 0);
    }
}

#[test]
fn a_run_that_is_missing_or_deleted_is_said_once_and_costs_no_span() {
    for (stage, word) in [(None, "does not exist"), (Some("deleted"), "mlflow runs restore"), (Some("active"), "")] {
        let mut host = Host::new(r#"{"run_id": "4711"}"#);
        host.server.runs.extend(stage.map(|stage| ("4711".to_owned(), stage.to_owned())));
        for trace in 1..=3 {
            host.ingest(&app(vec![span(trace, 1, 0)]));
            host.pass(60_000);
        }
        host.finish();
        assert_eq!(host.server.traces.len(), 3);
        let said: Vec<_> = host.notices.iter().filter(|notice| notice.topic == "run").collect();
        assert_eq!(said.len(), usize::from(stage != Some("active")), "{said:?}");
        assert!(said.iter().all(|notice| notice.message.contains("run 4711") && notice.message.contains(word)));
        assert_eq!(host.server.log.iter().filter(|request| request.contains("runs/get")).count(), 1);
    }
}

#[test]
fn nothing_is_written_to_a_deleted_experiment_and_nothing_is_lost() {
    let mut host = Host::new("{}");
    host.server.experiments.insert("gone".into(), ("9".into(), "deleted".into()));
    host.ingest_for(&app(vec![span(1, 1, 0), span(1, 2, 1)]), &named("gone"));
    host.ingest(&app(vec![span(2, 1, 0)]));
    host.finish();
    assert!(!host.server.traces.contains_key(&vec![1; 16]));
    assert!(host.server.traces.contains_key(&vec![2; 16]), "the good went with the bad");
    assert_eq!(host.quarantined.len(), 2);
    assert!(host.quarantined[0].reason.contains("restore"), "{}", host.quarantined[0].reason);
    assert_eq!(host.done.len(), 2);

    let again = host.quarantined.clone();
    host.server.experiments.insert("gone".into(), ("9".into(), "active".into()));
    for span in again {
        host.ingest_for(&span.payload, &named("gone"));
    }
    host.finish();
    assert_eq!(host.server.traces[&vec![1; 16]].spans.len(), 2, "what was quarantined can be sent again");
}

#[test]
fn an_unknown_experiment_id_sets_its_spans_aside_with_the_reason() {
    let mut host = Host::new(r#"{"experiment_id": "4711"}"#);
    host.ingest(&app(vec![span(1, 1, 0)]));
    host.finish();
    assert_eq!(host.quarantined.len(), 1);
    assert!(host.quarantined[0].reason.contains("experiment 4711 does not exist"));
    assert!(host.server.batches.is_empty());
}

#[test]
fn a_contradictory_server_is_not_asked_without_end() {
    let mut host = Host::new(r#"{"experiment_name": "odd"}"#);
    host.server.fault(|request| match request.path.as_str() {
        path if path.contains("get-by-name") => Some(reply(404, r#"{"error_code":"RESOURCE_DOES_NOT_EXIST"}"#.into())),
        path if path.ends_with("create") => Some(reply(400, r#"{"error_code":"RESOURCE_ALREADY_EXISTS"}"#.into())),
        _ => None,
    });
    host.ingest(&app(vec![span(1, 1, 0)]));
    host.pass(600_000);
    assert!(host.server.log.len() < 100, "{} requests", host.server.log.len());
    assert_eq!(host.bridge.stats().open_spans, 1, "the span is held");
    host.server.heal();
    host.pass(600_000);
    assert_eq!(host.bridge.stats().open_spans, 0);
}
