//! Media in spans: sent as attachments first, and left where it is when MLflow does not take it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use openinference_mlflow_translator::contract::{Answer, Context, Request};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::json;

use crate::drive::Host;
use crate::model::{Stored, reply};
use crate::spans::{app, span, text};

/// A picture as a file begins, and no two alike.
fn picture(which: u8) -> Vec<u8> {
    let noise = (0..6_000u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 11) as u8 ^ which);
    b"\x89PNG\r\n\x1a\n".iter().copied().chain(noise).collect()
}

/// The same span as a call to a model that is shown pictures.
fn shown(mut span: Span, pictures: &[u8]) -> Span {
    let urls: Vec<_> =
        pictures.iter().map(|which| format!("data:image/png;base64,{}", STANDARD.encode(picture(*which)))).collect();
    let parts: Vec<_> =
        urls.iter().map(|url| json!({"type": "image_url", "image_url": {"url": url, "detail": "low"}})).collect();
    let messages = json!({"messages": [{"role": "user", "content": parts}]}).to_string();
    span.attributes = vec![text("openinference.span.kind", "LLM"), text("input.value", &messages)];
    for (place, url) in urls.iter().enumerate() {
        let part = format!("llm.input_messages.0.message.contents.{place}.message_content");
        span.attributes.push(text("llm.input_messages.0.message.role", "user"));
        span.attributes.push(text(&format!("{part}.type"), "image"));
        span.attributes.push(text(&format!("{part}.image.image.url"), url));
    }
    span
}

fn uploads(host: &Host) -> usize {
    host.server.log.iter().filter(|request| request.starts_with("PUT ")).count()
}

fn stored(host: &Host, trace: u8) -> &Stored {
    &host.server.traces[&vec![trace; 16]]
}

fn texts(trace: &Stored) -> Vec<&str> {
    let values =
        trace.spans.values().flat_map(|span| &span.attributes).filter_map(|attribute| attribute.value.as_ref());
    values
        .filter_map(|value| if let Value::StringValue(text) = value.value.as_ref()? { Some(&**text) } else { None })
        .collect()
}

fn is_inline(trace: &Stored, which: u8) -> bool {
    let encoded = STANDARD.encode(picture(which));
    let held = texts(trace).iter().filter(|text| text.contains(&encoded)).count();
    assert!(held == 0 || held >= 3, "in some attributes and not in others");
    held > 0
}

fn is_upload(request: &Request) -> bool {
    request.method == "PUT"
}

#[test]
fn a_picture_is_an_attachment_before_the_span_that_refers_to_it_is_sent() {
    let mut host = Host::new("{}");
    let receipt = host.ingest(&app(vec![shown(span(1, 1, 0), &[1])])).receipt;
    host.finish();
    let (path, bytes) = host.server.artifacts.first_key_value().unwrap();
    assert_eq!(*bytes, picture(1));
    let trace = "01".repeat(16);
    let id = path.strip_prefix(&format!("0/traces/tr-{trace}/artifacts/attachments/")).unwrap();
    let reference =
        format!("mlflow-attachment://{id}?content_type=image%2Fpng&trace_id=tr-{trace}&size={}", picture(1).len());
    let held = texts(stored(&host, 1));
    assert!(held.contains(&&*reference), "the attribute of the picture");
    assert!(held.iter().filter(|text| text.contains(&reference)).count() >= 3, "and where it was repeated");
    assert!(!is_inline(stored(&host, 1), 1));
    assert!(held.iter().all(|text| text.len() < 1_000));
    let order = |what: &str| host.server.log.iter().position(|request| request.starts_with(what)).unwrap();
    assert!(order("PUT ") < order("POST v1/traces"));
    assert!(host.done.contains(&receipt));
    assert_eq!(host.topics(), ["server", "attachments"]);
}

#[test]
fn a_picture_that_every_call_repeats_is_sent_once_and_again_after_a_restart_to_the_same_place() {
    let calls = |ids: std::ops::RangeInclusive<u8>| ids.map(|id| shown(span(1, id, id - 1), &[1, 2])).collect();
    let mut host = Host::new("{}");
    host.ingest(&app(calls(1..=5)));
    host.pass(20_000);
    host.ingest(&app(calls(6..=8)));
    host.finish();
    assert_eq!((uploads(&host), host.server.artifacts.len()), (2, 2));
    assert_eq!(stored(&host, 1).spans.len(), 8);
    assert!(!is_inline(stored(&host, 1), 1));

    let mut restarted = Host::new("{}");
    restarted.server = host.server;
    restarted.ingest(&app(calls(1..=5)));
    restarted.finish();
    assert_eq!((uploads(&restarted), restarted.server.artifacts.len()), (4, 2));
}

#[test]
fn many_pictures_of_a_trace_all_arrive_beside_other_traces() {
    let mut host = Host::new("{}");
    let pictures: Vec<u8> = (1..=30).collect();
    host.ingest(&app(vec![shown(span(1, 1, 0), &pictures), shown(span(2, 1, 0), &[1]), span(3, 1, 0)]));
    host.finish();
    assert_eq!((uploads(&host), host.server.artifacts.len(), host.done.len()), (31, 31, 1));
    assert!(!is_inline(stored(&host, 1), 30) && !is_inline(stored(&host, 2), 1));
}

#[test]
fn an_experiment_that_was_just_created_takes_attachments_too() {
    let mut host = Host::new(r#"{"experiment_name": "new"}"#);
    host.ingest(&app(vec![shown(span(1, 1, 0), &[1])]));
    host.finish();
    assert!(host.server.artifacts.keys().all(|path| path.starts_with("1/traces/")));
    assert_eq!((host.server.artifacts.len(), is_inline(stored(&host, 1), 1)), (1, false));
}

#[test]
fn media_stays_where_nobody_takes_it() {
    type Change = fn(&mut Host);
    let cases: [(&str, Change); 4] = [
        (r#"{"attachments": false}"#, |_| {}),
        (r#"{"attachment_min_bytes": 7000}"#, |_| {}),
        ("{}", |host| host.server.serves_artifacts = false),
        ("{}", |host| host.server.version = "3.11.1".into()),
    ];
    for (settings, change) in cases {
        let mut host = Host::new(settings);
        change(&mut host);
        host.ingest(&app(vec![shown(span(1, 1, 0), &[1])]));
        host.finish();
        assert_eq!((uploads(&host), is_inline(stored(&host, 1), 1)), (0, true), "{settings}");
        assert_eq!((host.done.len(), host.topics()), (1, vec!["server"]));
    }
}

#[test]
fn spans_of_other_conventions_pass_as_they_are() {
    let mut host = Host::new("{}");
    let mut other = shown(span(1, 2, 1), &[1, 2]);
    for attribute in &mut other.attributes {
        attribute.key = format!("app.{}", attribute.key.replace('.', "_"));
    }
    host.ingest(&app(vec![shown(span(1, 1, 0), &[1]), other]));
    host.finish();
    let texts_of = |id: u8| {
        let mut trace = stored(&host, 1).clone();
        trace.spans.retain(|span, _| *span == vec![id; 8]);
        texts(&trace).concat()
    };
    let encoded = STANDARD.encode(picture(1));
    assert!(!texts_of(1).contains(&encoded) && texts_of(2).contains(&encoded));
    assert!(!texts_of(2).contains("mlflow-attachment://"));
    assert_eq!(uploads(&host), 1);
}

#[test]
fn a_server_that_refuses_media_gets_it_in_the_spans_and_is_not_asked_again_at_once() {
    let disabled =
        r#"{"detail":"Artifact serving is disabled. Run `mlflow server` with `--serve-artifacts` to enable."}"#;
    let refusals =
        [(403, "{}"), (404, "<html>"), (405, ""), (501, "<html>"), (503, disabled), (422, r#"{"detail": "no"}"#)];
    for (status, body) in refusals {
        let mut host = Host::new("{}");
        host.server.fault(move |request| is_upload(request).then(|| reply(status, body.into())));
        for trace in 1..=3 {
            host.ingest(&app(vec![shown(span(trace, 1, 0), &[1])]));
            host.pass(2_000);
            assert!(is_inline(stored(&host, trace), 1), "{status}");
        }
        assert_eq!((uploads(&host), host.done.len(), host.quarantined.len()), (1, 3, 0), "{status}");
        assert_eq!(host.topics(), ["server", "attachments"], "{status}");
        host.pass(60_000);
        host.server.heal();
        host.ingest(&app(vec![shown(span(4, 1, 0), &[1])]));
        host.finish();
        assert!(!is_inline(stored(&host, 4), 1), "a server may learn");
    }
}

#[test]
fn a_piece_that_is_too_large_for_the_server_stays_and_the_others_go() {
    let mut host = Host::new("{}");
    let large = picture(1);
    host.server.fault(move |request| (is_upload(request) && request.body == large).then(|| reply(413, String::new())));
    host.ingest(&app(vec![shown(span(1, 1, 0), &[1, 2])]));
    host.finish();
    let trace = stored(&host, 1);
    let encoded = STANDARD.encode(picture(1));
    assert!(texts(trace).iter().any(|text| text.contains(&encoded)) && !is_inline(trace, 2));
    assert_eq!((host.done.len(), host.quarantined.len()), (1, 0));
}

#[test]
fn an_outage_is_waited_for() {
    let mut host = Host::new("{}");
    let receipt = host.ingest(&app(vec![shown(span(1, 1, 0), &[1])])).receipt;
    host.step();
    host.server.fault(|_| Some(Answer::NoAnswer("connection refused".into())));
    host.pass(600_000);
    assert!(host.server.traces.is_empty() && !host.done.contains(&receipt));
    host.server.heal();
    host.finish();
    assert!(!is_inline(stored(&host, 1), 1) && host.done.contains(&receipt));
}

#[test]
fn an_upload_that_fails_once_and_again_is_tried_again() {
    for failure in [reply(500, "{}".into()), reply(503, "busy".into()), Answer::NoAnswer("timeout".into())] {
        let mut host = Host::new("{}");
        let mut left = 2;
        host.server.fault(move |request| {
            let fails = is_upload(request) && left > 0;
            left -= i32::from(fails);
            fails.then(|| failure.clone())
        });
        host.ingest(&app(vec![shown(span(1, 1, 0), &[1])]));
        host.finish();
        assert_eq!((uploads(&host), is_inline(stored(&host, 1), 1)), (3, false));
    }
}

#[test]
fn uploads_that_always_fail_hold_nothing_up_for_ever() {
    for failure in [reply(500, "{}".into()), reply(504, String::new()), Answer::NoAnswer("timeout".into())] {
        let mut host = Host::new("{}");
        host.server.fault(move |request| is_upload(request).then(|| failure.clone()));
        host.ingest(&app(vec![shown(span(1, 1, 0), &[1, 2]), span(2, 1, 0)]));
        host.pass(120_000);
        assert!(is_inline(stored(&host, 1), 1) && host.server.traces.contains_key(&vec![2; 16]));
        assert_eq!((host.done.len(), host.quarantined.len()), (1, 0));
        assert!(uploads(&host) <= 10, "{}", uploads(&host));
    }
}

#[test]
fn an_upload_that_does_not_come_through_lets_other_traces_go_first() {
    let mut host = Host::new("{}");
    host.server.fault(|request| is_upload(request).then(|| Answer::NoAnswer("timeout".into())));
    host.ingest(&app(vec![shown(span(1, 1, 0), &[1])]));
    while uploads(&host) == 0 {
        host.now += 10;
        host.step();
    }
    host.ingest(&app(vec![span(2, 1, 0)]));
    while !host.server.traces.contains_key(&vec![2; 16]) {
        host.now += 10;
        host.step();
    }
    assert_eq!(uploads(&host), 1);
    host.finish();
    assert!(is_inline(stored(&host, 1), 1));
    assert_eq!(host.done.len(), 2);
}

#[test]
fn a_span_that_mlflow_refuses_leaves_with_its_picture() {
    let mut host = Host::new("{}");
    host.server.poison = Some("span 1");
    host.ingest(&app(vec![shown(span(1, 1, 0), &[1])]));
    host.finish();
    let payload = String::from_utf8_lossy(&host.quarantined[0].payload).into_owned();
    assert!(payload.contains(&STANDARD.encode(picture(1))) && !payload.contains("mlflow-attachment"));
}

#[test]
fn a_newer_version_of_a_span_that_comes_between_brings_its_own_picture() {
    let mut host = Host::new(r#"{"concurrency": 1}"#);
    let mut newer = shown(span(1, 1, 0), &[3]);
    newer.end_time_unix_nano += 1;
    host.ingest(&app(vec![shown(span(1, 1, 0), &[1, 2])]));
    host.pass(400);
    while uploads(&host) == 0 {
        host.now += 10;
        host.step();
    }
    host.ingest(&app(vec![newer]));
    host.finish();
    assert!(!is_inline(stored(&host, 1), 3));
    assert!(host.server.artifacts.values().any(|bytes| *bytes == picture(3)));
    assert_eq!(host.done.len(), 2);
}

#[test]
fn attachments_go_to_the_workspace_of_their_trace() {
    let mut host = Host::new("{}");
    host.server.fault(|request| {
        let workspace = request.headers.iter().any(|(key, value)| *key == "x-mlflow-workspace" && value == "team");
        assert!(!is_upload(request) || workspace);
        None
    });
    let context = Context { workspace: Some("team".into()), ..Context::default() };
    host.ingest_for(&app(vec![shown(span(1, 1, 0), &[1])]), &context);
    host.finish();
    assert_eq!(uploads(&host), 1);
}

#[test]
fn a_lookup_that_is_answered_as_a_creation_too_is_believed_once() {
    let mut host = Host::new(r#"{"experiment_id": "0"}"#);
    host.server.fault(|request| {
        let found = json!({"experiment_id": "0", "experiment": {"experiment_id": "0", "lifecycle_stage": "active"}});
        request.path.contains("experiments/get").then(|| reply(200, found.to_string()))
    });
    host.ingest(&app(vec![shown(span(1, 1, 0), &[1])]));
    host.pass(20_000);
    assert!(is_inline(stored(&host, 1), 1), "nothing says where artifacts go");
    assert_eq!(host.done.len(), 1);
}
