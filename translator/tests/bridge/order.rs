//! Order and repetition do not matter: any order of payloads, any split of spans over them, any of them twice and any
//! pause between them end in the same traces.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::trace::v1::Span;
use proptest::prelude::*;

use crate::drive::Host;
use crate::model::Stored;
use crate::spans::{failed, model, payload, plain, silent, span};

/// A forest: each span of a trace hangs below an earlier one, or is a root, or hangs below one that never comes.
fn forest() -> impl Strategy<Value = Vec<(usize, Span)>> {
    let shape = (1..4u8, 0..12u8, any::<bool>(), 0..5u8, 0..2usize);
    prop::collection::vec(shape, 1..25).prop_map(|shapes| {
        let mut spans: Vec<(usize, Span)> = Vec::new();
        let mut counts = [0u8; 4];
        for (trace, parent, error, kind, resource) in shapes {
            let count = &mut counts[usize::from(trace)];
            *count += 1;
            let parent = match (*count, parent) {
                (1, 0..9) => 0,
                (1, _) | (_, 11) => 200,
                (count, parent) => parent % (count - 1) + 1,
            };
            let mut span = span(trace, *count, parent);
            if error {
                span = failed(span);
            }
            span = match kind {
                0 | 1 => plain(span),
                2 => model(span),
                3 => silent(span),
                _ => span,
            };
            spans.push((resource, span));
        }
        spans
    })
}

/// How a forest arrives: in which order, which spans twice, and how long the pauses are.
#[derive(Clone, Debug)]
struct Arrivals {
    order: Vec<usize>,
    cuts: Vec<u64>,
}

fn arrivals(spans: usize) -> impl Strategy<Value = Arrivals> {
    let twice: Vec<usize> = (0..spans).chain(0..spans).collect();
    let pause = prop_oneof![4 => Just(0u64), 2 => 1..600u64, 1 => 600..12_000u64];
    let order = (Just(twice).prop_shuffle(), spans..=2 * spans).prop_map(move |(order, length)| {
        // Every span at least once.
        let mut order = order[..length].to_vec();
        order.extend((0..spans).filter(|span| !order.contains(span)).collect::<Vec<_>>());
        order
    });
    (order, prop::collection::vec(pause, 2 * spans)).prop_map(|(order, cuts)| Arrivals { order, cuts })
}

fn deliver(spans: &[(usize, Span)], arrivals: &Arrivals) -> BTreeMap<Vec<u8>, Stored> {
    let resources: [&[(&str, &str)]; 2] = [&[("service.name", "a")], &[("service.name", "b"), ("zone", "z")]];
    let mut host = Host::new("{}");
    let mut receipts = 0;
    for (index, pause) in arrivals.order.iter().zip(&arrivals.cuts) {
        let (resource, span) = &spans[*index];
        host.ingest(&payload(resources[*resource], vec![span.clone()]));
        receipts += 1;
        if *pause > 0 {
            host.pass(*pause);
        }
    }
    host.finish();
    assert_eq!(host.done.len(), receipts, "every receipt is done");
    assert_eq!(host.bridge.stats().open_spans, 0);
    host.server.traces
}

const BORROWED: [(&str, [&str; 2]); 2] = [
    ("input.value", ["mlflow.spanInputs", "mlflow.message.format"]),
    ("output.value", ["mlflow.spanOutputs", "mlflow.message.format"]),
];

/// What must not depend on the order: the spans and what they gained, and the trace as a whole.
fn essence(traces: &BTreeMap<Vec<u8>, Stored>) -> BTreeMap<Vec<u8>, impl PartialEq + std::fmt::Debug + use<>> {
    let essence = traces.iter().map(|(id, trace)| {
        let spans: BTreeMap<_, _> = trace
            .spans
            .clone()
            .into_iter()
            .map(|(id, mut span)| {
                // Tags travel on the root as far as they are known when it goes; later ones follow by trace info.
                span.attributes.retain(|attribute| !attribute.key.starts_with("mlflow.traceTag."));
                // So does what the bridge fills a span that lacks values with: the model calls known when it is sent.
                for (value, borrowed) in BORROWED {
                    if !span.attributes.iter().any(|attribute| attribute.key == value) {
                        span.attributes.retain(|attribute| !borrowed.contains(&attribute.key.as_str()));
                    }
                }
                (id, span)
            })
            .collect();
        (
            id.clone(),
            (
                spans,
                trace.experiment.clone(),
                trace.state.clone(),
                trace.name.clone(),
                trace.time,
                trace.previews.clone(),
            ),
        )
    });
    essence.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn any_arrival_ends_in_the_same_traces(
        (spans, one, other) in forest().prop_flat_map(|spans| {
            let count = spans.len();
            (Just(spans), arrivals(count), arrivals(count))
        })
    ) {
        let (one, other) = (deliver(&spans, &one), deliver(&spans, &other));
        prop_assert_eq!(essence(&one), essence(&other));
    }

    #[test]
    fn nothing_is_lost_whatever_the_server_answers(
        spans in forest(),
        answers in prop::collection::vec(0..12u8, 0..40),
    ) {
        use openinference_mlflow_translator::contract::Answer;
        use crate::model::reply;
        let mut host = Host::new(r#"{"batch_spans": 3, "concurrency": 2}"#);
        let mut answers = answers.into_iter();
        host.server.fault(move |_| match answers.next()? {
            0 => Some(Answer::NoAnswer("reset".into())),
            1 => Some(reply(500, "{}".into())),
            2 => Some(reply(503, String::new())),
            3 => Some(reply(429, String::new())),
            4 => Some(reply(401, String::new())),
            5 => Some(reply(302, "moved".into())),
            6 => Some(reply(400, "\u{0}garbage".into())),
            7 => Some(reply(504, "<html>".into())),
            _ => None,
        });
        for (_, span) in &spans {
            host.ingest(&payload(&[], vec![span.clone()]));
        }
        host.finish();
        let stored: usize = host.server.traces.values().map(|trace| trace.spans.len()).sum();
        // A span that meets one 500 after the other while MLflow takes others is quarantined.
        prop_assert!(host.quarantined.iter().all(|each| each.reason.contains("(500)")), "{:?}", host.quarantined);
        prop_assert_eq!(stored + host.quarantined.len(), spans.len());
        prop_assert_eq!(host.done.len(), spans.len());
    }
}
