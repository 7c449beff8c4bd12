//! When spans are sent, and as what.

use std::collections::BTreeSet;

use opentelemetry_proto::tonic::trace::v1::Span;

use crate::drive::Host;
use crate::model::reply;
use crate::spans::{app, failed, omitted, payload, plain, span, text};

#[test]
fn a_whole_trace_goes_in_one_request_after_the_settling_time() {
    let mut host = Host::new("{}");
    host.ingest(&app(vec![span(1, 2, 1), span(1, 3, 2)]));
    host.pass(400);
    assert!(host.server.batches.is_empty(), "children went without their root");
    let receipt = host.ingest(&app(vec![span(1, 1, 0)])).receipt;
    host.pass(499);
    assert!(host.server.batches.is_empty(), "did not settle");
    host.pass(2);
    assert_eq!(host.server.batches, [3]);
    assert!(host.done.contains(&receipt));
    let trace = &host.server.traces[&vec![1; 16]];
    assert_eq!((trace.state.as_str(), trace.name.as_deref()), ("OK", Some("span 1")));
}

#[test]
fn many_traces_share_requests() {
    let mut host = Host::new(r#"{"batch_spans": 10}"#);
    for trace in 1..=25 {
        host.ingest(&app(vec![span(trace, 1, 0)]));
    }
    host.finish();
    assert_eq!(host.server.batches, [10, 10, 5]);
}

#[test]
fn an_unfinished_trace_goes_out_in_parts() {
    let mut host = Host::new("{}");
    host.ingest(&app(vec![span(1, 2, 1)]));
    host.pass(11_000);
    assert_eq!(host.server.batches, [1], "the first part");
    assert_eq!(host.server.traces[&vec![1; 16]].state, "IN_PROGRESS");
    host.ingest(&app(vec![span(1, 3, 1)]));
    host.pass(11_000);
    host.ingest(&app(vec![failed(span(1, 1, 0))]));
    host.pass(1_000);
    assert_eq!(host.server.batches, [1, 1, 1]);
    assert_eq!(host.server.traces[&vec![1; 16]].state, "ERROR");
    assert_eq!(host.done.len(), 3);
}

#[test]
fn a_trace_without_a_root_is_closed_when_it_is_idle() {
    let mut host = Host::new(r#"{"idle_ms": 60000}"#);
    host.ingest(&app(vec![span(1, 2, 1), failed(span(1, 3, 2))]));
    host.pass(59_000);
    assert_eq!(host.server.traces[&vec![1; 16]].state, "IN_PROGRESS");
    host.pass(2_000);
    let trace = &host.server.traces[&vec![1; 16]];
    assert_eq!(trace.state, "OK", "the outermost span had no error");
    assert!(trace.tags.contains_key("openinference_mlflow.no_root"));
    assert_eq!(trace.name.as_deref(), Some("span 2"));
    assert!(host.topics().contains(&"closed-without-root"));
}

#[test]
fn a_root_that_comes_after_the_trace_was_closed_wins() {
    let mut host = Host::new(r#"{"idle_ms": 60000}"#);
    host.ingest(&app(vec![span(1, 2, 1)]));
    host.pass(61_000);
    assert_eq!(host.server.traces[&vec![1; 16]].state, "OK");
    host.ingest(&app(vec![failed(span(1, 1, 0))]));
    host.pass(1_000);
    let trace = &host.server.traces[&vec![1; 16]];
    assert_eq!((trace.state.as_str(), trace.name.as_deref()), ("ERROR", Some("span 1")));
}

#[test]
fn a_late_span_is_sent_when_it_comes() {
    let mut host = Host::new("{}");
    host.ingest(&app(vec![span(1, 1, 0)]));
    host.pass(1_000);
    host.ingest(&app(vec![span(1, 2, 1)]));
    host.pass(1_000);
    assert_eq!(host.server.batches, [1, 1]);
    assert_eq!(host.server.traces[&vec![1; 16]].spans.len(), 2);
}

#[test]
fn the_same_span_twice_is_one_span_and_both_receipts_are_done() {
    let mut host = Host::new("{}");
    let twice = app(vec![span(1, 1, 0), span(1, 1, 0)]);
    host.ingest(&twice);
    host.ingest(&twice);
    host.pass(2_000);
    assert_eq!(host.server.batches, [1]);
    host.ingest(&twice);
    host.pass(2_000);
    assert_eq!(host.server.batches, [1], "a repetition after the delivery is not sent");
    assert_eq!(host.done.len(), 3);
    assert_eq!(host.bridge.stats().spans_duplicate, 5);
}

#[test]
fn the_version_with_the_later_end_wins_also_after_delivery() {
    let early = span(1, 1, 0);
    let mut late = early.clone();
    late.end_time_unix_nano += 5;
    for order in [[&early, &late], [&late, &early]] {
        for apart in [false, true] {
            let mut host = Host::new("{}");
            for version in order {
                host.ingest(&app(vec![version.clone()]));
                if apart {
                    host.pass(2_000);
                }
            }
            host.finish();
            let stored = &host.server.traces[&vec![1; 16]].spans[&vec![1; 8]];
            assert_eq!(stored.end_time_unix_nano, late.end_time_unix_nano);
            assert_eq!(host.done.len(), 2);
        }
    }
}

#[test]
fn a_root_that_is_not_openinference_lends_the_trace_neither_name_nor_preview() {
    let mut host = Host::new("{}");
    host.ingest(&app(vec![plain(span(1, 1, 0)), span(1, 2, 1), span(1, 3, 2)]));
    host.finish();
    let trace = &host.server.traces[&vec![1; 16]];
    assert_eq!(trace.name.as_deref(), Some("span 2"));
    assert!(trace.previews.0.as_deref().unwrap().contains("in 2"));
    assert_eq!(host.done.len(), 1);
}

#[test]
fn the_tags_of_every_resource_reach_the_trace_and_the_roots_win() {
    let mut host = Host::new("{}");
    host.ingest(&payload(&[("service.name", "worker"), ("host.name", "b")], vec![span(1, 2, 1)]));
    host.ingest(&payload(&[("service.name", "front")], vec![span(1, 1, 0)]));
    host.finish();
    let tags = &host.server.traces[&vec![1; 16]].tags;
    assert_eq!(tags["service.name"], "front");
    assert_eq!(tags["host.name"], "b");
}

#[test]
fn the_noise_filter_sends_openinference_spans_below_their_nearest_ancestor() {
    let mut host = Host::new(r#"{"openinference_only": true}"#);
    let spans = vec![plain(span(1, 1, 0)), span(1, 2, 1), plain(span(1, 3, 2)), span(1, 4, 3), plain(span(2, 9, 0))];
    host.ingest(&app(spans));
    host.finish();
    let spans = &host.server.traces[&vec![1; 16]].spans;
    assert_eq!(spans.len(), 2);
    assert!(spans[&vec![2; 8]].parent_span_id.is_empty());
    assert_eq!(spans[&vec![4; 8]].parent_span_id, vec![2; 8]);
    assert!(!host.server.traces.contains_key(&vec![2; 16]));
    assert_eq!(host.done.len(), 1);
}

#[test]
fn what_a_host_omits_stays_away_and_its_children_move_up() {
    let mut host = Host::new(r#"{"omit_marked_spans": true}"#);
    let left_out = [span(1, 1, 0), span(1, 3, 2), span(1, 4, 3), span(2, 9, 0)].map(omitted);
    let kept = [span(1, 2, 1), span(1, 5, 4)];
    // A child is there before it is known that its parent is left out.
    host.ingest(&app(kept.to_vec()));
    host.ingest(&app(left_out.to_vec()));
    host.finish();
    let spans = &host.server.traces[&vec![1; 16]].spans;
    assert_eq!(spans.len(), 2);
    assert!(spans[&vec![2; 8]].parent_span_id.is_empty(), "it is the root now");
    assert_eq!(spans[&vec![5; 8]].parent_span_id, vec![2; 8]);
    assert!(!host.server.traces.contains_key(&vec![2; 16]), "nothing of it is kept");
    assert_eq!((host.done.len(), host.quarantined.len()), (2, 0));
}

#[test]
fn what_the_producer_set_on_a_root_is_not_set_again() {
    let mut root = span(1, 1, 0);
    root.attributes.push(text("mlflow.traceTag.mlflow.traceName", "mine"));
    let mut host = Host::new("{}");
    host.ingest(&app(vec![root]));
    host.finish();
    let attributes = &host.server.traces[&vec![1; 16]].spans[&vec![1; 8]].attributes;
    let named = attributes.iter().filter(|attribute| attribute.key == "mlflow.traceTag.mlflow.traceName");
    assert_eq!(named.count(), 1);
}

#[test]
fn a_flush_sends_everything_at_once() {
    let mut host = Host::new("{}");
    host.ingest(&app(vec![span(1, 2, 1), span(2, 1, 0)]));
    host.bridge.flush(host.now);
    host.pass(0);
    assert_eq!(host.server.batches, [2]);
    assert_eq!(host.bridge.stats().open_receipts, 0);
}

#[test]
fn spans_that_are_their_own_ancestors_are_sent_all_the_same() {
    let mut host = Host::new(r#"{"idle_ms": 20000}"#);
    host.ingest(&app(vec![span(1, 1, 2), span(1, 2, 1), span(1, 3, 3)]));
    host.finish();
    assert_eq!(host.server.traces[&vec![1; 16]].spans.len(), 3);
    assert_eq!(host.done.len(), 1);
}

#[test]
fn a_newer_version_that_is_filtered_leaves_nothing_outstanding() {
    let mut host = Host::new(r#"{"openinference_only": true}"#);
    let mut newer = plain(span(1, 1, 0));
    newer.end_time_unix_nano += 1;
    host.ingest(&app(vec![span(1, 1, 0)]));
    host.ingest(&app(vec![newer]));
    host.finish();
    assert_eq!((host.done.len(), host.bridge.stats().open_receipts), (2, 0));
}

#[test]
fn every_received_span_is_accounted_for() {
    let mut host = Host::new("{}");
    let early = span(1, 1, 0);
    let mut late = early.clone();
    late.end_time_unix_nano += 5;
    let mut nameless = span(1, 9, 1);
    nameless.span_id = Vec::new();
    host.ingest(&app(vec![early.clone(), late, early, span(1, 2, 1), nameless]));
    host.finish();
    let stats = host.bridge.stats();
    assert_eq!(stats.spans_received, stats.spans_delivered + stats.spans_duplicate + stats.spans_quarantined);
    assert_eq!((stats.spans_delivered, stats.spans_duplicate, stats.spans_quarantined), (2, 2, 1));
}

#[test]
fn a_trace_without_openinference_is_named_after_its_root() {
    let mut host = Host::new("{}");
    host.ingest(&app(vec![plain(span(1, 1, 0)), plain(span(1, 2, 1))]));
    host.finish();
    assert_eq!(host.server.traces[&vec![1; 16]].name.as_deref(), Some("span 1"));
}

#[test]
fn of_several_roots_the_first_to_start_stands_for_the_trace_however_they_come() {
    for apart in [false, true] {
        for order in [[1, 2], [2, 1]] {
            let mut host = Host::new("{}");
            for id in order {
                host.ingest(&app(vec![if id == 1 { span(1, 1, 0) } else { failed(span(1, 2, 0)) }]));
                if apart {
                    host.pass(2_000);
                }
            }
            host.finish();
            let trace = &host.server.traces[&vec![1; 16]];
            assert_eq!((trace.state.as_str(), trace.name.as_deref()), ("OK", Some("span 1")), "{order:?} {apart}");
        }
    }
}

#[test]
fn what_the_producer_set_on_a_root_survives_a_trace_info() {
    let mut root = plain(span(1, 1, 0));
    root.attributes.push(text("mlflow.traceTag.mlflow.traceName", "mine"));
    let mut host = Host::new("{}");
    host.ingest(&app(vec![root, span(1, 2, 1)]));
    host.finish();
    let trace = &host.server.traces[&vec![1; 16]];
    assert_eq!(trace.name.as_deref(), Some("mine"));
    assert!(trace.previews.0.is_some());
}

#[test]
fn a_trace_whose_root_came_another_way_is_not_closed() {
    let mut host = Host::new(r#"{"idle_ms": 60000, "experiment_name": "mine"}"#);
    host.ingest(&app(vec![span(1, 2, 1)]));
    host.pass(20_000);
    let stored = host.server.traces.get_mut(&vec![1; 16]).unwrap();
    (stored.state, stored.experiment) = ("ERROR".into(), "0".into());
    host.finish();
    let trace = &host.server.traces[&vec![1; 16]];
    assert_eq!((trace.state.as_str(), trace.experiment.as_str()), ("ERROR", "0"));
    assert!(!trace.tags.contains_key("openinference_mlflow.no_root"));
    assert!(!host.topics().contains(&"closed-without-root"));
}

#[test]
fn a_trace_is_closed_in_the_experiment_where_another_sender_began_it() {
    let mut host = Host::new(r#"{"idle_ms": 60000, "experiment_name": "mine"}"#);
    host.ingest(&app(vec![span(1, 2, 1)]));
    host.pass(20_000);
    host.server.traces.get_mut(&vec![1; 16]).unwrap().experiment = "0".into();
    host.finish();
    let trace = &host.server.traces[&vec![1; 16]];
    assert_eq!((trace.state.as_str(), trace.experiment.as_str()), ("OK", "0"));
}

#[test]
fn a_trace_is_tagged_with_and_linked_to_the_prompts_of_all_its_spans_also_of_late_ones() {
    for apart in [false, true] {
        let mut host = Host::new("{}");
        for spans in [vec![linked(1, "b"), linked(2, "a")], vec![linked(3, "b"), linked(4, "c")]] {
            host.ingest(&app(spans));
            host.pass(if apart { 2_000 } else { 0 });
        }
        host.finish();
        let trace = &host.server.traces[&vec![1; 16]];
        let links: Vec<serde_json::Value> = serde_json::from_str(&trace.tags["mlflow.linkedPrompts"]).unwrap();
        let named = |name: &str| serde_json::json!({"name": name, "version": "3"});
        assert_eq!(links, [named("a"), named("b"), named("c")]);
        assert!(trace.prompts.iter().eq(["a/3", "b/3", "c/3"]));
        assert_eq!(host.done.len(), 2);
    }
}

#[test]
fn links_to_prompts_that_mlflow_refuses_cost_nothing_else() {
    let mut host = Host::new("{}");
    host.server.fault(|request| request.path.ends_with("link-prompts").then(|| reply(404, "{}".into())));
    host.ingest(&app(vec![linked(1, "a")]));
    host.pass(2_000);
    assert_eq!((host.done.len(), host.topics()), (1, vec!["server", "trace-info"]));
    assert_eq!(host.server.log.iter().filter(|request| request.ends_with("link-prompts")).count(), 1);
}

#[test]
fn a_server_that_knows_no_links_to_prompts_is_not_asked_for_any() {
    let mut host = Host::new("{}");
    host.server.version = "3.6.0".into();
    host.ingest(&app(vec![linked(1, "a")]));
    host.finish();
    assert_eq!((host.done.len(), &host.server.traces[&vec![1; 16]].prompts), (1, &BTreeSet::new()));
}

/// A span that renders version 3 of a prompt of MLflow's registry.
fn linked(id: u8, name: &str) -> Span {
    let mut span = span(1, id, u8::from(id > 1));
    let prompt = [("prompt.vendor", "mlflow"), ("prompt.id", name), ("llm.prompt_template.version", "3")];
    span.attributes.extend(prompt.map(|(key, value)| text(key, value)));
    span
}
