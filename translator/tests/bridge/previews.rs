//! What the list of traces shows, and when it takes a request of its own.

use openinference_mlflow_translator::contract::Event;
use opentelemetry_proto::tonic::trace::v1::Span;

use crate::drive::Host;
use crate::model::Stored;
use crate::spans::{app, failed, model, silent, span, text};

pub(crate) fn previews(trace: &Stored) -> (Option<&str>, Option<&str>) {
    (trace.previews.0.as_deref(), trace.previews.1.as_deref())
}

pub(crate) fn infos(host: &Host) -> usize {
    host.server.log.iter().filter(|request| *request == "POST api/3.0/mlflow/traces").count()
}

pub(crate) fn answering(mut span: Span, answer: &str) -> Span {
    span.attributes.push(text("output.value", answer));
    span
}

fn stored<'h>(host: &'h Host, span: u8, key: &str) -> Option<&'h opentelemetry_proto::tonic::common::v1::KeyValue> {
    let span = &host.server.traces[&vec![1; 16]].spans[&vec![span; 8]];
    span.attributes.iter().find(|attribute| attribute.key == key)
}

#[test]
fn a_conversation_needs_no_request_for_its_previews() {
    let mut host = Host::new("{}");
    host.ingest(&app(vec![model(span(1, 1, 0))]));
    host.finish();
    assert_eq!(previews(&host.server.traces[&vec![1; 16]]), (Some("asked 1"), Some("answered 1")));
    assert_eq!(infos(&host), 0);
}

#[test]
fn an_answer_in_plain_text_or_raw_json_is_shown_as_text() {
    let mut host = Host::new("{}");
    let message = r#"{"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Paris"}]}"#;
    for (trace, answer) in [(1, "Paris"), (2, message)] {
        let receipt = host.ingest(&app(vec![answering(span(trace, 1, 0), answer)])).receipt;
        host.finish();
        assert_eq!(previews(&host.server.traces[&vec![trace; 16]]), (Some("in 1"), Some("Paris")));
        assert_eq!(infos(&host), usize::from(trace));
        assert!(host.done.contains(&receipt));
    }
}

#[test]
fn quotes_stay_on_when_the_server_has_better_things_to_do_for_long() {
    let mut host = Host::new("{}");
    host.ingest(&app(vec![span(9, 1, 0)]));
    host.pass(2_000);
    let receipt = host.ingest(&app(vec![answering(span(1, 1, 0), "Paris")])).receipt;
    host.bridge.flush(host.now);
    let requests = host.bridge.poll(host.now);
    host.ingest(&app(vec![span(2, 2, 1)]));
    host.bridge.flush(host.now);
    let answer = host.server.answer(&requests[0]);
    host.bridge.complete(requests[0].id, &answer, host.now);
    let under_way = host.bridge.poll(host.now);
    assert_eq!(under_way.iter().map(|request| request.path.as_str()).collect::<Vec<_>>(), ["v1/traces"]);
    let patience = host.bridge.next_wakeup().unwrap();
    assert!(host.bridge.poll(patience).is_empty(), "spans are under way");
    assert!(host.bridge.events().contains(&Event::Done(receipt)));
    let answer = host.server.answer(&under_way[0]);
    host.bridge.complete(under_way[0].id, &answer, patience);
    assert_eq!(host.bridge.next_wakeup(), Some(patience));
    assert!(host.bridge.poll(patience).is_empty(), "nobody asks any more");
    assert_eq!(previews(&host.server.traces[&vec![1; 16]]), (Some("\"in 1\""), Some("\"Paris\"")));
}

#[test]
fn where_no_spans_wait_trace_infos_take_every_slot() {
    let mut host = Host::new("{}");
    let message = r#"{"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Paris"}]}"#;
    host.ingest(&app((1..=8).map(|trace| answering(span(trace, 1, 0), message)).collect()));
    host.finish();
    assert_eq!(infos(&host), 8);
}

#[test]
fn agents_without_values_show_the_first_request_and_the_last_answer_below_them() {
    let mut host = Host::new("{}");
    let agents = [span(1, 1, 0), span(1, 2, 1), span(1, 5, 1), span(1, 7, 1)].map(silent);
    let calls = [span(1, 3, 2), span(1, 4, 2), span(1, 6, 5)].map(model);
    host.ingest(&app(calls.into_iter().chain(agents).collect()));
    host.finish();
    assert_eq!(previews(&host.server.traces[&vec![1; 16]]), (Some("asked 3"), Some("answered 6")));
    assert_eq!(infos(&host), 0, "MLflow derives them from the root");
    let said = |span: u8| {
        ["mlflow.spanInputs", "mlflow.spanOutputs"]
            .map(|key| stored(&host, span, key).map(|found| format!("{found:?}")))
    };
    for (agent, first, last) in
        [(1, "asked 3", "answered 6"), (2, "asked 3", "answered 4"), (5, "asked 6", "answered 6")]
    {
        let [inputs, outputs] = said(agent).map(Option::unwrap);
        assert!(inputs.contains(first) && outputs.contains(last), "{agent}: {inputs} {outputs}");
    }
    assert_eq!(said(7), [None, None], "no call is below it");
}

#[test]
fn a_root_that_comes_after_its_children_went_shows_what_they_said() {
    let mut host = Host::new("{}");
    host.ingest(&app(vec![model(span(1, 2, 1))]));
    host.pass(11_000);
    host.ingest(&app(vec![model(span(1, 3, 1))]));
    host.pass(11_000);
    assert_eq!(host.server.batches, [1, 1], "two parts");
    host.ingest(&app(vec![silent(span(1, 1, 0))]));
    host.finish();
    assert_eq!(previews(&host.server.traces[&vec![1; 16]]), (Some("asked 2"), Some("answered 3")));
    assert!(stored(&host, 1, "mlflow.spanOutputs").is_some());
    assert_eq!((infos(&host), host.done.len()), (0, 3));
}

#[test]
fn a_late_answer_takes_the_place_of_the_one_that_the_trace_showed() {
    let mut host = Host::new("{}");
    host.ingest(&app(vec![silent(span(1, 1, 0)), model(span(1, 2, 1))]));
    host.pass(2_000);
    host.ingest(&app(vec![model(span(1, 3, 1))]));
    host.finish();
    assert_eq!(previews(&host.server.traces[&vec![1; 16]]), (Some("asked 2"), Some("answered 3")));
    assert_eq!(infos(&host), 1);
}

#[test]
fn printed_objects_give_way_to_what_models_were_asked_and_answered() {
    let mut host = Host::new("{}");
    let mut root = span(1, 1, 0);
    root.attributes[1] = text("input.value", r#"{"messages": ["ChatMessage(_role=<ChatRole.USER: 'user'>)"]}"#);
    host.ingest(&app(vec![answering(root, "StopEvent(result=1)"), model(span(1, 2, 1))]));
    host.finish();
    assert_eq!(previews(&host.server.traces[&vec![1; 16]]), (Some("asked 2"), Some("answered 2")));
    assert_eq!(infos(&host), 1);
}

#[test]
fn a_span_that_failed_without_an_answer_is_given_none() {
    let mut host = Host::new("{}");
    host.ingest(&app(vec![failed(span(1, 1, 0)), model(span(1, 2, 1))]));
    host.finish();
    assert!(stored(&host, 1, "mlflow.spanOutputs").is_none());
    assert_eq!(previews(&host.server.traces[&vec![1; 16]]), (Some("in 1"), None));
}

#[test]
fn a_root_that_says_only_what_it_was_asked_shows_the_last_answer() {
    let mut host = Host::new("{}");
    host.ingest(&app(vec![span(1, 1, 0), model(span(1, 2, 1))]));
    host.finish();
    assert!(format!("{:?}", stored(&host, 1, "mlflow.spanInputs")).contains("in 1"));
    assert_eq!(previews(&host.server.traces[&vec![1; 16]]), (Some("in 1"), Some("answered 2")));
}

#[test]
fn a_receipt_that_waits_for_a_quiet_moment_is_done_although_another_span_speaks_for_the_trace_meanwhile() {
    let mut host = Host::new("{}");
    host.ingest(&app(vec![answering(span(1, 2, 0), "Paris")]));
    host.now += 600;
    while host.server.batches.is_empty() {
        host.step();
    }
    // It starts before the root, hangs below a span that never comes, and has nothing to show.
    let mut earlier = silent(span(1, 1, 200));
    earlier.attributes = vec![text("openinference.span.kind", "TOOL")];
    host.ingest(&app(vec![earlier]));
    host.bridge.flush(host.now);
    host.finish();
    assert_eq!(host.done.len(), 2);
}

/// An answer that MLflow shows as JSON unless a trace info says what it means.
pub(crate) const RAW_ANSWER: &str =
    r#"{"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Paris"}]}"#;

fn given_traces_with_raw_answers(host: &mut Host, traces: u8) {
    for trace in 1..=traces {
        host.ingest(&app(vec![answering(span(trace, 1, 0), RAW_ANSWER)]));
    }
    host.bridge.flush(host.now);
    while host.server.batches.is_empty() {
        host.step();
    }
}

#[test]
fn receipts_are_done_when_the_spans_are_stored_and_previews_are_not() {
    let mut host = Host::new("{}");
    given_traces_with_raw_answers(&mut host, 200);
    assert_eq!((host.done.len(), infos(&host)), (200, 0));
    host.pass(1_000);
    assert_eq!(infos(&host), 200, "the previews follow");
}

#[test]
fn a_host_that_waits_for_optional_requests_gets_receipts_after_the_previews() {
    let mut host = Host::new(r#"{"wait_for_optional": true}"#);
    given_traces_with_raw_answers(&mut host, 8);
    assert_eq!((host.done.len(), infos(&host)), (0, 0));
    host.pass(1_000);
    assert_eq!((host.done.len(), infos(&host)), (8, 8));
}

#[test]
fn a_server_that_fails_on_a_preview_is_not_asked_twice_and_keeps_its_other_requests() {
    let mut host = Host::new("{}");
    host.server.fault(|request| {
        request.path.ends_with("mlflow/traces").then(|| crate::model::reply(500, "Internal Server Error".to_owned()))
    });
    given_traces_with_raw_answers(&mut host, 1);
    let retries = host.bridge.stats().retries;
    host.pass(1_000);
    assert_eq!((host.done.len(), host.bridge.stats().retries), (1, retries), "an outage would shut the gate");
    host.pass(600_000);
    host.server.heal();
    host.finish();
    assert_eq!(infos(&host), 1);
}

#[test]
fn previews_that_find_no_room_for_a_minute_are_dropped() {
    let mut host = Host::new("{}");
    given_traces_with_raw_answers(&mut host, 3);
    let requests = host.bridge.poll(host.now);
    assert_eq!(requests.len(), 3, "one for each trace");
    let deadline = host.now + 61_000;
    let lost = openinference_mlflow_translator::contract::Answer::NoAnswer("connection refused".to_owned());
    for request in &requests {
        host.bridge.complete(request.id, &lost, host.now);
    }
    assert!(host.bridge.poll(deadline).iter().all(|request| request.path == "version"));
    host.now = deadline;
    host.finish();
    assert_eq!((infos(&host), host.done.len()), (0, 3));
}

#[test]
fn more_than_a_thousand_waiting_previews_are_dropped() {
    let mut host = Host::new(r#"{"batch_spans": 5000}"#);
    let spans = (0..1_200_u32).map(|number| {
        let mut span = answering(span(1, 1, 0), RAW_ANSWER);
        span.trace_id[..4].copy_from_slice(&number.to_be_bytes());
        span
    });
    host.ingest(&app(spans.collect()));
    host.bridge.flush(host.now);
    while host.server.batches.is_empty() {
        host.step();
    }
    host.pass(1_000);
    assert_eq!(host.done.len(), 1);
    assert!((1_000..=1_004).contains(&infos(&host)), "{}", infos(&host));
}
