//! Feedback becomes assessments: one each, whatever the order, the repetitions and the server's answers.

use std::collections::BTreeMap;

use openinference_mlflow_translator::contract::{Answer, Context, Encoding, Quarantined};
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::Link;
use proptest::prelude::*;
use serde_json::Value;

use crate::drive::Host;
use crate::model::{Stored, reply};
use crate::spans::{SECOND, app, omitted, span, text};

/// The span with feedback of this scope (`""`, `"trace."` or `"session."`) on it.
fn judged(mut span: Span, scope: &str, name: &str, score: f64, identifier: Option<&str>) -> Span {
    let key = |field: &str| format!("{scope}annotations.0.annotation.{field}");
    let value = Some(AnyValue { value: Some(Any::DoubleValue(score)) });
    span.attributes.push(KeyValue { key: key("score"), value, ..KeyValue::default() });
    span.attributes.extend([
        text(&key("name"), name),
        text(&key("annotator_kind"), "HUMAN"),
        text(&key("metadata"), &format!(r#"{{"score was {score}": true}}"#)),
    ]);
    span.attributes.extend(identifier.map(|identifier| text(&key("identifier"), identifier)));
    span
}

/// A span of its own trace that brings feedback on a span of another, which it links to. Later ones have later ends.
pub(crate) fn carrier(trace: u8, target: (u8, u8), scope: &str, score: f64, identifier: Option<&str>) -> Span {
    let mut span = span(trace, 1, 0);
    span.end_time_unix_nano += u64::from(trace) * SECOND;
    span.attributes = vec![text("openinference.span.kind", "EVALUATOR")];
    span.links.push(Link { trace_id: vec![target.0; 16], span_id: vec![target.1; 8], ..Link::default() });
    judged(span, scope, "helpful", score, identifier)
}

fn of(host: &Host, trace: u8) -> Vec<Value> {
    host.server
        .traces
        .get(&vec![trace; 16])
        .map(|trace| trace.assessments.values().cloned().collect())
        .unwrap_or_default()
}

fn values(host: &Host, trace: u8) -> Vec<f64> {
    let mut values: Vec<_> = of(host, trace).iter().map(|found| found["feedback"]["value"].as_f64().unwrap()).collect();
    values.sort_by(f64::total_cmp);
    values
}

#[test]
fn feedback_on_a_span_becomes_an_assessment_of_it_after_the_span_went() {
    let mut host = Host::new("{}");
    let receipt = host.ingest(&app(vec![span(1, 1, 0), judged(span(1, 2, 1), "", "helpful", 0.5, Some("me"))])).receipt;
    host.finish();
    let [found] = &of(&host, 1)[..] else { panic!("{:?}", host.server.traces) };
    assert_eq!((&found["assessment_name"], &found["feedback"]["value"]), (&"helpful".into(), &0.5.into()));
    assert_eq!(found["source"], serde_json::json!({"source_type": "HUMAN", "source_id": "me"}));
    assert_eq!((&found["span_id"], &found["metadata"]["score was 0.5"]), (&"02".repeat(8).into(), &"true".into()));
    assert!(host.done.contains(&receipt) && host.quarantined.is_empty());
}

#[test]
fn feedback_on_an_omitted_span_goes_to_the_trace_and_on_others_to_them() {
    let mut host = Host::new(r#"{"omit_marked_spans": true}"#);
    let about_other = omitted(carrier(2, (1, 1), "", 0.25, None));
    let about_itself = omitted(judged(span(1, 2, 1), "trace.", "helpful", 0.5, None));
    host.ingest(&app(vec![span(1, 1, 0), about_itself, about_other]));
    host.finish();
    assert_eq!((values(&host, 1), host.quarantined.len()), (vec![0.25, 0.5], 0));
    assert!(!host.server.traces.contains_key(&vec![2; 16]));
}

#[test]
fn a_carrier_names_what_it_judges_by_its_link_and_not_by_its_parent() {
    let mut host = Host::new("{}");
    let mut carrier = carrier(1, (1, 2), "", 1.0, None);
    carrier.parent_span_id = vec![1; 8];
    carrier.span_id = vec![9; 8];
    host.ingest(&app(vec![span(1, 1, 0), span(1, 2, 1), carrier]));
    host.finish();
    assert_eq!(of(&host, 1)[0]["span_id"], "02".repeat(8));
    assert_eq!(host.server.traces[&vec![1; 16]].spans.len(), 3, "the carrier is sent as a span too");
}

#[test]
fn a_link_on_a_span_that_is_judged_work_is_another_link() {
    let mut host = Host::new("{}");
    let mut linked = carrier(2, (1, 1), "", 1.0, None);
    linked.attributes[0] = text("openinference.span.kind", "LLM");
    host.ingest(&app(vec![span(1, 1, 0), linked]));
    host.finish();
    assert_eq!((of(&host, 1).len(), of(&host, 2).len()), (0, 1));
}

#[test]
fn feedback_waits_for_its_trace_and_its_receipt_waits_too() {
    let mut host = Host::new("{}");
    let receipt = host.ingest(&app(vec![carrier(2, (1, 1), "", 1.0, None)])).receipt;
    host.pass(60_000);
    assert!(!host.done.contains(&receipt), "done, and its feedback is nowhere");
    let tries = host.server.log.iter().filter(|line| line.ends_with("/assessments")).count();
    assert!((2..20).contains(&tries), "{tries} tries in a minute");
    host.ingest(&app(vec![span(1, 1, 0)]));
    host.pass(1_000);
    assert_eq!(values(&host, 1), [1.0]);
    assert!(host.done.contains(&receipt));
}

#[test]
fn feedback_on_a_trace_that_never_comes_is_quarantined_with_its_carrier_and_may_be_replayed() {
    let mut host = Host::new("{}");
    let receipt = host.ingest(&app(vec![carrier(2, (1, 1), "", 1.0, None)])).receipt;
    host.finish();
    let [Quarantined { trace_id, reason, payload, .. }] = &host.quarantined[..] else {
        panic!("{:?}", host.quarantined)
    };
    assert_eq!(*trace_id, "02".repeat(16));
    assert!(reason.contains(&"01".repeat(16)), "{reason}");
    assert!(host.done.contains(&receipt));
    assert_eq!(host.server.traces[&vec![2; 16]].spans.len(), 1, "the carrier itself is in MLflow");

    let payload = payload.clone();
    let mut later = Host::new("{}");
    later.server = host.server;
    later.ingest(&app(vec![span(1, 1, 0)]));
    later.ingest(&payload);
    later.finish();
    assert_eq!(values(&later, 1), [1.0]);
}

#[test]
fn the_same_feedback_again_is_one_assessment_also_for_another_bridge() {
    let payload = app(vec![judged(span(1, 1, 0), "", "helpful", 0.5, None)]);
    let mut host = Host::new("{}");
    host.ingest(&payload);
    host.ingest(&payload);
    host.finish();
    host.ingest(&payload);
    host.finish();
    let mut later = Host::new("{}");
    later.server = host.server;
    let receipt = later.ingest(&payload).receipt;
    later.finish();
    assert_eq!(values(&later, 1), [0.5]);
    assert!(later.done.contains(&receipt) && later.quarantined.is_empty());
}

#[test]
fn two_opinions_stay_two_and_an_identifier_lets_the_later_one_replace_the_earlier() {
    let (early, late) = (carrier(2, (1, 1), "", 0.0, Some("judge")), carrier(3, (1, 1), "", 1.0, Some("judge")));
    let other = carrier(4, (1, 1), "", 0.25, None);
    for order in [[&early, &late, &other], [&other, &late, &early]] {
        for pause in [0, 5_000] {
            let mut host = Host::new("{}");
            host.ingest(&app(vec![span(1, 1, 0)]));
            for carrier in order {
                host.ingest(&app(vec![carrier.clone()]));
                host.pass(pause);
            }
            host.finish();
            assert_eq!(values(&host, 1), [0.25, 1.0], "{pause} ms apart");
            let all = of(&host, 1);
            let replaced = all.iter().find(|found| found["source"]["source_id"] == "judge").unwrap();
            assert!(
                replaced["metadata"].get("score was 0").is_none(),
                "of the earlier one nothing is left: {replaced}"
            );
        }
    }
}

#[test]
fn feedback_on_a_trace_has_no_span() {
    let mut host = Host::new("{}");
    host.ingest(&app(vec![span(1, 1, 0), carrier(2, (1, 1), "trace.", 1.0, None)]));
    host.finish();
    let [found] = &of(&host, 1)[..] else { panic!("{:?}", of(&host, 1)) };
    assert!(found.get("span_id").is_none(), "{found}");
}

#[test]
fn feedback_on_a_session_goes_to_the_newest_trace_of_it_that_mlflow_knows() {
    let in_session = |mut span: Span| {
        span.attributes.push(text("session.id", "it's one"));
        span
    };
    let mut host = Host::new("{}");
    let mut newer = span(2, 1, 0);
    newer.start_time_unix_nano += 60 * SECOND;
    newer.end_time_unix_nano += 60 * SECOND;
    host.ingest(&app(vec![in_session(span(1, 1, 0)), in_session(newer), span(4, 1, 0)]));
    host.pass(5_000);
    let carrier = in_session(carrier(3, (1, 1), "session.", 1.0, None));
    host.ingest(&app(vec![carrier.clone()]));
    host.finish();
    let [found] = &of(&host, 2)[..] else { panic!("{:?}", host.server.traces) };
    assert_eq!(found["metadata"]["mlflow.trace.session"], "it's one");
    assert!(found.get("span_id").is_none() && host.quarantined.is_empty());

    let mut newest = span(5, 1, 0);
    newest.start_time_unix_nano += 120 * SECOND;
    newest.end_time_unix_nano += 120 * SECOND;
    let mut later = Host::new("{}");
    later.server = host.server;
    later.ingest(&app(vec![in_session(newest)]));
    later.pass(5_000);
    later.ingest(&app(vec![carrier]));
    later.finish();
    assert_eq!([of(&later, 2).len(), of(&later, 5).len(), of(&later, 3).len()], [1, 0, 0], "it stays where it is");
    assert!(later.quarantined.is_empty());
}

#[test]
fn feedback_on_a_session_of_which_nothing_else_is_known_stays_on_its_own_trace() {
    for session in ["alone", "it's \"both\""] {
        let mut host = Host::new("{}");
        let mut carrier = carrier(3, (1, 1), "session.", 1.0, None);
        carrier.attributes.push(text("session.id", session));
        host.ingest(&app(vec![carrier]));
        host.finish();
        assert_eq!(of(&host, 3)[0]["metadata"]["mlflow.trace.session"], session);
    }
}

#[test]
fn an_assessment_that_the_server_never_takes_is_quarantined_in_the_end_though_nothing_else_is_sent() {
    let mut host = Host::new("{}");
    host.server.fault(|request| {
        (request.method == "POST" && request.path.ends_with("/assessments")).then(|| reply(500, "{}".into()))
    });
    let receipt = host.ingest(&app(vec![span(1, 1, 0), judged(span(1, 2, 1), "", "helpful", 0.5, Some("me"))])).receipt;
    host.pass(600_000);
    assert!(host.quarantined.is_empty(), "it may be an outage");
    host.pass(7_200_000);
    assert_eq!(host.quarantined.len(), 1);
    assert!(host.done.contains(&receipt) && of(&host, 1).is_empty());
}

#[test]
fn an_assessment_that_makes_the_server_fail_is_quarantined_while_others_are_taken() {
    let mut host = Host::new("{}");
    host.server.fault(|request| {
        let poisonous = request.body.windows(6).any(|window| window == b"poison");
        (request.method == "POST" && request.path.ends_with("/assessments") && poisonous)
            .then(|| reply(500, "{}".into()))
    });
    host.ingest(&app(vec![judged(span(1, 1, 0), "", "poison", 0.5, None)]));
    host.pass(20_000);
    assert!(host.quarantined.is_empty(), "nothing shows that the rest of the server works");
    for trace in 2..30 {
        host.ingest(&app(vec![span(trace, 1, 0)]));
        host.pass(5_000);
    }
    assert_eq!(host.quarantined.len(), 1);
    assert_eq!(host.done.len(), 29);
}

#[test]
fn a_server_without_assessments_costs_the_feedback_and_not_the_spans() {
    for status in [404, 405] {
        let mut host = Host::new("{}");
        host.server.fault(move |request| {
            request.path.ends_with("/assessments").then(|| reply(status, "<html>no such page</html>".into()))
        });
        for trace in 1..10 {
            host.ingest(&app(vec![judged(span(trace, 1, 0), "", "helpful", 0.5, None)]));
            host.pass(1_000);
        }
        assert_eq!(host.server.traces.len(), 9, "the gate was shut");
        host.finish();
        assert_eq!((host.quarantined.len(), host.done.len()), (9, 9));
        assert!(host.topics().iter().all(|topic| *topic != "not-mlflow"), "{:?}", host.topics());
    }
}

#[test]
fn a_flood_of_feedback_leaves_room_for_spans() {
    let mut host = Host::new("{}");
    host.ingest(&app(vec![span(1, 1, 0)]));
    host.pass(5_000);
    let judges = (0..200).map(|number| {
        let mut judge = carrier(2, (1, 1), "", f64::from(number), None);
        judge.span_id = vec![number + 1; 8];
        judge
    });
    host.ingest(&app(judges.collect()));
    host.ingest(&app(vec![span(3, 1, 0)]));
    host.server.log.clear();
    host.bridge.flush(host.now);
    host.pass(0);
    let spans = host.server.log.iter().position(|line| line.ends_with("v1/traces")).unwrap();
    assert!(spans < 4, "{spans} requests before the first spans: {:?}", host.server.log);
    assert_eq!(values(&host, 1).len(), 200);
}

#[test]
fn what_waits_is_counted_and_let_go() {
    let mut host = Host::new(r#"{"remember_ms": 1000}"#);
    host.ingest(&app(vec![carrier(2, (1, 1), "", 1.0, None)]));
    host.pass(5_000);
    let waiting = host.bridge.stats().held_bytes;
    assert!(waiting > 500, "{waiting} bytes for an assessment and its carrier");
    host.finish();
    assert_eq!(host.bridge.stats().held_bytes, 0);
}

#[test]
fn assessments_in_a_traces_json_go_to_the_server_as_they_are() {
    let trace = serde_json::json!({
        "info": {"trace_id": format!("tr-{}", "01".repeat(16)), "assessments": [{
            "assessment_id": "a-of-another-writer", "assessment_name": "expected", "expectation": {"value": "yes"},
            "feedback": {"value": "yes"}, "source": {"source_type": "HUMAN"},
        }]},
        "data": {"spans": [{"trace_id": "01".repeat(16), "span_id": "02".repeat(8), "name": "root",
            "start_time_unix_nano": 1_000_000, "end_time_unix_nano": 2_000_000}]},
    });
    let mut host = Host::new("{}");
    let context = Context { encoding: Encoding::TraceJson, ..Context::default() };
    for _ in 0..2 {
        host.ingest_for(trace.to_string().as_bytes(), &context);
        host.finish();
    }
    let [found] = &of(&host, 1)[..] else { panic!("{:?}", host.server.traces) };
    assert_eq!(
        (&found["assessment_id"], &found["expectation"]["value"]),
        (&"a-of-another-writer".into(), &"yes".into())
    );
    assert_eq!(host.done.len(), 2);
}

/// Traces 1 to 3 of two spans, and feedback on them: on the spans themselves, by carriers, of each scope.
fn conversation() -> impl Strategy<Value = Vec<Span>> {
    let feedback = (1..4u8, 1..3u8, 0..4u8, prop::option::of(0..2u8), any::<bool>());
    prop::collection::vec(feedback, 1..8).prop_map(|all| {
        let mut spans: Vec<_> = (1..4).flat_map(|trace| [span(trace, 1, 0), span(trace, 2, 1)]).collect();
        for (carrier_trace, (trace, id, score, identifier, of_trace)) in (10..).zip(all) {
            let scope = if of_trace { "trace." } else { "" };
            let identifier = identifier.map(|number| format!("judge {number}"));
            spans.push(carrier(carrier_trace, (trace, id), scope, f64::from(score), identifier.as_deref()));
        }
        spans[0] = judged(spans[0].clone(), "", "inline", 1.0, None);
        spans
    })
}

/// An order in which every span comes once or twice, and the pauses between.
fn arrivals(spans: usize) -> impl Strategy<Value = Vec<(usize, u64)>> {
    let pause = prop_oneof![3 => Just(0u64), 2 => 1..600u64, 1 => 600..12_000u64];
    let twice: Vec<usize> = (0..spans).chain(0..spans).collect();
    (Just(twice).prop_shuffle(), prop::collection::vec(pause, 2 * spans))
        .prop_map(|(order, pauses)| order.into_iter().zip(pauses).collect())
}

fn deliver(spans: &[Span], arrivals: &[(usize, u64)], mut faults: impl Iterator<Item = u8> + 'static) -> Host {
    let mut host = Host::new(r#"{"concurrency": 2, "idle_ms": 1000000}"#);
    // One more would cost a span or an assessment on which MLflow fails each time, while it takes others.
    let (mut of_spans, mut of_assessments) = (0..2, 0..4);
    host.server.fault(move |request| match faults.next()? {
        0 => Some(Answer::NoAnswer("reset".into())),
        1 if request.path == "v1/traces" => of_spans.next().map(|_| reply(500, "{}".into())),
        1 => of_assessments.next().map(|_| reply(500, "{}".into())),
        2 => Some(reply(503, String::new())),
        3 => Some(reply(429, String::new())),
        4 => Some(reply(302, "moved".into())),
        _ => None,
    });
    for (index, pause) in arrivals {
        host.ingest(&app(vec![spans[*index].clone()]));
        host.pass(*pause);
    }
    host.finish();
    host
}

fn assessments(traces: &BTreeMap<Vec<u8>, Stored>) -> BTreeMap<Vec<u8>, BTreeMap<String, Value>> {
    traces.iter().map(|(id, trace)| (id.clone(), trace.assessments.clone())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn any_arrival_ends_in_the_same_assessments_whatever_the_server_answers(
        (spans, one, other) in conversation().prop_flat_map(|spans| {
            let count = spans.len();
            (Just(spans), arrivals(count), arrivals(count))
        }),
        faults in prop::collection::vec(0..12u8, 0..40),
    ) {
        let one = deliver(&spans, &one, std::iter::empty());
        let other = deliver(&spans, &other, faults.into_iter());
        prop_assert_eq!(assessments(&one.server.traces), assessments(&other.server.traces));
        for host in [one, other] {
            prop_assert_eq!(host.done.len(), 2 * spans.len());
            prop_assert_eq!(host.quarantined.len(), 0);
            prop_assert_eq!(host.bridge.stats().open_receipts, 0);
        }
    }
}

#[test]
fn feedback_that_the_host_leaves_out_has_no_part_in_the_times_of_its_trace() {
    let mut host = Host::new("{}");
    let mut root = span(1, 1, 0);
    // Raw JSON, for which MLflow needs a trace info.
    root.attributes
        .push(text("output.value", r#"{"type": "message", "content": [{"type": "text", "text": "Paris"}]}"#));
    let took = (root.end_time_unix_nano - root.start_time_unix_nano) / 1_000_000;
    let mut carrier = carrier(1, (1, 1), "", 1.0, None);
    carrier.span_id = vec![9; 8];
    carrier.parent_span_id = vec![1; 8];
    carrier.end_time_unix_nano += 1_000 * SECOND;
    let value = Some(AnyValue { value: Some(Any::BoolValue(true)) });
    let omit = KeyValue { key: "openinference_mlflow.omit".into(), value, ..KeyValue::default() };
    carrier.attributes.push(omit);
    host.ingest(&app(vec![root, carrier]));
    host.finish();
    let stored = &host.server.traces[&vec![1; 16]];
    assert_eq!((stored.spans.len(), stored.assessments.len()), (1, 1));
    assert_eq!(stored.time.1, took);
}
