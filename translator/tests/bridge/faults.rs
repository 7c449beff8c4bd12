//! Servers that fail: nothing is lost, one bad span never costs another, and an outage is no storm.

use openinference_mlflow_translator::contract::{Answer, Context, Encoding, Rejection, Response};

use crate::drive::Host;
use crate::model::reply;
use crate::spans::{app, span};

fn unreachable() -> Answer {
    Answer::NoAnswer("connection refused".into())
}

#[test]
fn an_outage_is_waited_out_and_said_once() {
    let mut host = Host::new("{}");
    host.server.fault(|_| Some(unreachable()));
    for trace in 1..=20 {
        host.ingest(&app(vec![span(trace, 1, 0)]));
    }
    host.pass(3_600_000);
    let tries = host.server.log.len();
    assert!((60..400).contains(&tries), "{tries} requests in an hour");
    assert_eq!(host.topics(), ["unreachable"]);
    assert!(host.done.is_empty());
    host.server.heal();
    host.pass(60_000);
    assert_eq!(host.server.traces.len(), 20);
    assert_eq!(host.done.len(), 20);
    assert!(host.topics().contains(&"server"));
}

#[test]
fn one_poisonous_span_is_quarantined_and_all_others_arrive() {
    let mut host = Host::new("{}");
    host.server.poison = Some("span 77");
    for trace in 1..=10 {
        let spans = (1..=20).map(|id| span(trace, id, u8::from(id > 1))).collect();
        host.ingest(&app(spans));
    }
    host.ingest(&app(vec![span(5, 77, 1)]));
    host.finish();
    let stored: usize = host.server.traces.values().map(|trace| trace.spans.len()).sum();
    assert_eq!((stored, host.quarantined.len()), (200, 1));
    assert_eq!(host.quarantined[0].span_id, "4d".repeat(8));
    assert_eq!(host.done.len(), 11);
    assert!(host.server.batches.len() < 30, "{} requests", host.server.batches.len());
}

#[test]
fn a_span_that_makes_the_server_fail_is_found_while_others_are_taken() {
    let mut host = Host::new("{}");
    host.server.fault(|request| {
        let poisonous = request.body.windows(7).any(|window| window == b"span 77");
        (request.path == "v1/traces" && poisonous).then(|| reply(500, "{}".into()))
    });
    let spans = (1..=60).map(|id| span(1, id, u8::from(id > 1))).chain([span(1, 77, 1)]).collect();
    host.ingest(&app(spans));
    host.finish();
    assert_eq!(host.server.traces[&vec![1; 16]].spans.len(), 60);
    assert_eq!(host.quarantined.len(), 1);
    assert_eq!(host.done.len(), 1);
}

#[test]
fn a_server_that_fails_on_everything_loses_nothing_and_is_not_flooded() {
    let mut host = Host::new("{}");
    host.server.fault(|request| (request.path == "v1/traces").then(|| reply(500, "{}".into())));
    for trace in 1..=100 {
        host.ingest(&app(vec![span(trace, 1, 0), span(trace, 2, 1)]));
    }
    host.pass(3_600_000);
    assert!(host.server.log.len() < 600, "{} requests in an hour", host.server.log.len());
    assert!(host.quarantined.is_empty(), "nothing is given up in an outage");
    host.server.heal();
    host.pass(120_000);
    assert_eq!(host.server.traces.len(), 100);
    assert!(host.server.traces.values().all(|trace| trace.spans.len() == 2));
    assert_eq!(host.done.len(), 100);
}

#[test]
fn retry_after_is_honoured() {
    let mut host = Host::new("{}");
    let mut first = true;
    host.server.fault(move |request| {
        let answer = (first && request.path == "v1/traces").then(|| {
            let headers = vec![("retry-after".into(), "90".into())];
            Answer::Response(Response { status: 503, headers, body: Vec::new() })
        });
        first &= answer.is_none();
        answer
    });
    host.ingest(&app(vec![span(1, 1, 0)]));
    host.pass(80_000);
    assert_eq!(host.server.batches.len(), 0);
    host.pass(20_000);
    assert_eq!(host.server.batches, [1]);
}

#[test]
fn rejected_credentials_hold_everything_and_say_what_to_check() {
    let mut host = Host::new("{}");
    host.server.fault(|_| Some(reply(401, "You are not authenticated".into())));
    host.ingest(&app(vec![span(1, 1, 0)]));
    host.pass(600_000);
    assert_eq!(host.topics(), ["unauthorized"]);
    assert!(host.notices[0].message.contains("MLFLOW_TRACKING_TOKEN"));
    host.server.heal();
    host.pass(60_000);
    assert_eq!(host.done.len(), 1);
}

#[test]
fn a_proxys_refusal_is_not_held_against_the_spans() {
    for answer in [reply(403, "<html>".into()), reply(400, String::new()), reply(405, "no".into())] {
        let mut host = Host::new("{}");
        let refusal = answer.clone();
        host.server.fault(move |request| (request.path == "v1/traces").then(|| refusal.clone()));
        host.ingest(&app(vec![span(1, 1, 0), span(1, 2, 1)]));
        host.pass(600_000);
        assert!(host.quarantined.is_empty(), "{answer:?}");
        assert!(host.topics().contains(&"not-mlflow"), "{answer:?}");
        host.server.heal();
        host.pass(60_000);
        assert_eq!(host.done.len(), 1);
    }
}

#[test]
fn a_garbage_answer_of_status_200_is_an_acceptance_only_from_mlflow() {
    let mut host = Host::new("{}");
    host.server.fault(|request| {
        (request.path == "v1/traces").then(|| {
            let headers = vec![("content-type".into(), "text/html".into())];
            Answer::Response(Response { status: 200, headers, body: b"<html>log in".to_vec() })
        })
    });
    host.ingest(&app(vec![span(1, 1, 0)]));
    host.pass(60_000);
    assert!(host.done.is_empty());
    host.server.heal();
    host.pass(60_000);
    assert_eq!(host.server.traces.len(), 1);
}

#[test]
fn a_request_that_is_too_large_is_cut_down() {
    let mut host = Host::new("{}");
    host.server.fault(|request| (request.body.len() > 2_000).then(|| reply(413, "<html>too large".into())));
    let spans = (1..=50).map(|id| span(1, id, u8::from(id > 1))).collect();
    host.ingest(&app(spans));
    host.finish();
    assert_eq!(host.server.traces[&vec![1; 16]].spans.len(), 50);
    assert!(host.quarantined.is_empty());
}

#[test]
fn an_old_server_is_not_sent_what_it_would_garble() {
    let mut host = Host::new("{}");
    host.server.version = "3.5.1".into();
    host.ingest(&app(vec![span(1, 1, 0)]));
    host.pass(100_000);
    assert!(host.server.batches.is_empty());
    assert_eq!(host.topics(), ["too-old"]);
    host.server.version = "3.6.0".into();
    host.pass(100_000);
    assert_eq!(host.server.batches, [1]);
    assert_eq!(host.server.traces[&vec![1; 16]].name.as_deref(), Some("span 1"), "before 3.14 tags need a trace info");
}

#[test]
fn a_full_bridge_refuses_and_takes_again_when_there_is_room() {
    let mut host = Host::new(r#"{"max_bytes": 1048576}"#);
    host.server.fault(|_| Some(unreachable()));
    let mut big = span(1, 1, 0);
    big.name = "x".repeat(100_000);
    let mut accepted = 0;
    let full = loop {
        big.trace_id = vec![accepted + 1; 16];
        match host.bridge.ingest(&app(vec![big.clone()]), &Context::default(), host.now) {
            Ok(_) => accepted += 1,
            Err(rejection) => break rejection,
        }
        assert!(accepted < 50, "never full");
    };
    assert!(matches!(full, Rejection::Full(milliseconds) if milliseconds > 0));
    assert!(host.bridge.stats().held_bytes <= 1_048_576);
    host.server.heal();
    host.pass(60_000);
    assert_eq!(host.server.traces.len(), usize::from(accepted));
    host.ingest(&app(vec![span(200, 1, 0)]));
}

#[test]
fn an_unreadable_payload_is_refused_whole() {
    let mut host = Host::new("{}");
    let mut payload = app(vec![span(1, 1, 0), span(1, 2, 1)]);
    payload.truncate(payload.len() - 3);
    let rejection = host.bridge.ingest(&payload, &Context::default(), host.now);
    assert!(matches!(rejection, Err(Rejection::Malformed(_))));
    host.finish();
    assert!(host.server.traces.is_empty());
    assert_eq!(host.bridge.stats().held_bytes, 0);
}

#[test]
fn an_empty_payload_is_done_at_once() {
    let mut host = Host::new("{}");
    let receipt = host.ingest(&[]).receipt;
    assert!(host.done.contains(&receipt));
}

#[test]
fn a_span_without_a_valid_id_is_rejected_and_the_rest_goes_on() {
    let mut host = Host::new("{}");
    let mut nameless = span(1, 2, 1);
    nameless.span_id = Vec::new();
    let mut long = span(1, 3, 1);
    long.trace_id = vec![1; 17];
    let accepted = host.ingest(&app(vec![nameless, span(1, 1, 0), long]));
    assert_eq!((accepted.spans, accepted.rejected_spans), (1, 2));
    assert!(!accepted.message.is_empty());
    host.finish();
    assert_eq!((host.server.traces[&vec![1; 16]].spans.len(), host.quarantined.len()), (1, 2));
    assert!(host.done.contains(&accepted.receipt));
}

#[test]
fn what_was_repaired_to_read_a_json_body_is_told() {
    let mut host = Host::new("{}");
    let body = br#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0102030405060708090a0b0c0d0e0f10",
        "spanId":"0102030405060708","name":"half \ud83d","startTimeUnixNano":"1","endTimeUnixNano":"2"}]}]}]}"#;
    let context = Context { encoding: Encoding::Json, ..Context::default() };
    host.ingest_for(body, &context);
    assert_eq!(host.repairs, ["lone-surrogate"]);
}

#[test]
fn the_servers_version_is_told() {
    let mut host = Host::new("{}");
    host.ingest(&app(vec![span(1, 1, 0)]));
    host.finish();
    assert_eq!(host.notices[0].message, "delivering to MLflow 3.17");
}
