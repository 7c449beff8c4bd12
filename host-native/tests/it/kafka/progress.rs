//! Which offsets are committed, and when.

use std::time::Duration;

use openinference_mlflow::exporter::Destination;
use openinference_mlflow::payload::PayloadContext;
use openinference_mlflow::wasm::{Answer, Request};

use crate::support::fake_bridge::{FakeBridges, Gate, Inbox, TRAP_ONCE};
use crate::support::kafka::{Cluster, GROUP, Gateway};
use crate::support::until;
use openinference_mlflow::quarantine::Quarantine;

const SECOND: Duration = Duration::from_secs(1);

/// Answers nobody who sends a text that begins with `slow`, before it is opened.
struct SlowForSome {
    slow: Gate,
    others: Inbox,
}

impl Destination for SlowForSome {
    async fn perform(&self, request: Request) -> Answer {
        match request.body.starts_with(b"slow") {
            true => self.slow.perform(request).await,
            false => self.others.perform(request).await,
        }
    }
}

#[tokio::test]
async fn given_messages_then_all_are_delivered_and_committed_and_the_next_start_reads_none_of_them() {
    let (cluster, dir, inbox) = (Cluster::with_partitions(2), tempfile::tempdir().unwrap(), Inbox::default());
    (0..40).for_each(|number| cluster.send(number % 2, format!("message {number:02}").as_bytes()));
    cluster.flush();
    let gateway = Gateway::start(&cluster.settings(), &dir, inbox.clone());
    until("all are committed", || async { cluster.committed(2) == [Some(20), Some(20)] }).await;
    let expected: Vec<_> = (0..40).map(|number| format!("message {number:02}")).collect();
    assert_eq!(inbox.texts(), expected);
    until("the lag is known", || async { gateway.state().lag == [(0, Some(0)), (1, Some(0))].into() }).await;
    let state = gateway.state();
    assert_eq!((state.messages, state.refused, state.inflight_bytes, state.trouble), (40, 0, 0, None));
    gateway.stop(SECOND).await;

    let later = Inbox::default();
    let gateway = Gateway::start(&cluster.settings(), &dir, later.clone());
    cluster.send(1, b"the last");
    cluster.flush();
    until("it is committed", || async { cluster.committed(2) == [Some(20), Some(21)] }).await;
    assert_eq!(later.texts(), ["the last"]);
    gateway.stop(SECOND).await;
    // Nothing was written to disk.
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn given_a_message_that_mlflow_does_not_have_then_no_offset_after_it_is_committed() {
    let (cluster, dir) = (Cluster::with_partitions(1), tempfile::tempdir().unwrap());
    let (slow, others) = (Gate::shut(), Inbox::default());
    for text in ["first", "slow", "third", "fourth"] {
        cluster.send(0, text.as_bytes());
    }
    cluster.flush();
    let gateway = Gateway::start(&cluster.settings(), &dir, SlowForSome { slow: slow.clone(), others: others.clone() });
    until("the others are delivered", || async { others.texts() == ["first", "fourth", "third"] }).await;
    until("what is before it is committed", || async { cluster.committed(1) == [Some(1)] }).await;
    // It stays so over several commits.
    tokio::time::sleep(2 * SECOND).await;
    assert_eq!(cluster.committed(1), [Some(1)]);
    slow.open();
    until("all is committed", || async { cluster.committed(1) == [Some(4)] }).await;
    gateway.stop(SECOND).await;
}

#[tokio::test]
async fn given_a_gateway_that_stops_before_the_delivery_then_nothing_is_committed_and_the_next_one_delivers() {
    let (cluster, dir, inbox) = (Cluster::with_partitions(1), tempfile::tempdir().unwrap(), Inbox::default());
    for text in ["one", "two"] {
        cluster.send(0, text.as_bytes());
    }
    cluster.flush();
    let gateway = Gateway::start(&cluster.settings(), &dir, Gate::shut());
    until("they are read", || async { gateway.state().messages == 2 }).await;
    gateway.stop(Duration::ZERO).await;
    assert_eq!(cluster.committed(1), [None]);
    let gateway = Gateway::start(&cluster.settings(), &dir, inbox.clone());
    until("all is committed", || async { cluster.committed(1) == [Some(2)] }).await;
    assert_eq!(inbox.texts(), ["one", "two"]);
    gateway.stop(SECOND).await;
}

#[tokio::test]
async fn given_a_delivery_that_ends_while_the_gateway_stops_then_it_is_committed() {
    let (cluster, dir, gate) = (Cluster::with_partitions(1), tempfile::tempdir().unwrap(), Gate::shut());
    cluster.send(0, b"one");
    cluster.flush();
    let gateway = Gateway::start(&cluster.settings(), &dir, gate.clone());
    until("it is read", || async { gateway.state().messages == 1 }).await;
    let open = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        gate.open();
    };
    tokio::join!(gateway.stop(20 * SECOND), open);
    assert_eq!(cluster.committed(1), [Some(1)]);
}

#[tokio::test]
async fn given_a_slow_mlflow_then_the_partitions_are_paused_and_all_arrives_in_the_end() {
    let (cluster, dir, gate) = (Cluster::with_partitions(2), tempfile::tempdir().unwrap(), Gate::shut());
    let limit = 10_000;
    let settings = openinference_mlflow::settings::Kafka { max_inflight_bytes: limit, ..cluster.settings() };
    let gateway = Gateway::start(&settings, &dir, gate.clone());
    (0..200).for_each(|number| cluster.send(number % 2, format!("{number:0500}").as_bytes()));
    cluster.flush();
    until("it pauses", || async { gateway.state().paused }).await;
    tokio::time::sleep(SECOND).await;
    let bytes = gateway.state().inflight_bytes;
    assert!((limit..limit + 1_000).contains(&bytes), "{bytes}");
    gate.open();
    until("all is committed", || async { cluster.committed(2) == [Some(100), Some(100)] }).await;
    let texts = gate.inbox.texts();
    assert_eq!((texts.len(), texts[199].parse()), (200, Ok(199)));
    until("it goes on", || async { !gateway.state().paused }).await;
    gateway.stop(SECOND).await;
}

#[tokio::test]
async fn given_a_trap_then_every_open_message_is_delivered_by_the_next_instance() {
    let (cluster, dir, inbox) = (Cluster::with_partitions(1), tempfile::tempdir().unwrap(), Inbox::default());
    for text in ["one", TRAP_ONCE, "three"] {
        cluster.send(0, text.as_bytes());
    }
    cluster.flush();
    let (bridges, quarantine) = (FakeBridges::default(), Quarantine::below(dir.path()));
    let gateway = Gateway::start_with(&cluster.settings(), quarantine, bridges.clone(), inbox.clone());
    until("all is committed", || async { cluster.committed(1) == [Some(3)] }).await;
    let mut texts = inbox.texts();
    texts.dedup();
    assert_eq!(texts, ["one", "three", TRAP_ONCE]);
    assert!(bridges.opened.load(std::sync::atomic::Ordering::SeqCst) > 1);
    assert_eq!((gateway.state().refused, gateway.status.group()), (0, GROUP));
    gateway.stop(SECOND).await;
}

#[tokio::test]
async fn given_headers_then_the_payload_is_for_the_destination_that_they_name() {
    let (cluster, dir, inbox) = (Cluster::with_partitions(1), tempfile::tempdir().unwrap(), Inbox::default());
    let headers = [
        ("X-MLflow-Experiment-Id", "7"),
        ("x-mlflow-experiment-name", "agents"),
        ("x-mlflow-run-id", "ab"),
        ("x-mlflow-workspace", "team"),
    ];
    headers.iter().for_each(|header| cluster.send_with(0, Some(header.0.as_bytes()), &[*header]));
    cluster.flush();
    let (bridges, quarantine) = (FakeBridges::default(), Quarantine::below(dir.path()));
    let gateway = Gateway::start_with(&cluster.settings(), quarantine, bridges.clone(), inbox.clone());
    until("all is committed", || async { cluster.committed(1) == [Some(4)] }).await;
    let contexts = bridges.contexts.lock().unwrap().clone();
    let named: Vec<_> = contexts
        .iter()
        .map(|context| {
            let PayloadContext { experiment_id, experiment_name, run_id, workspace, .. } = context;
            [experiment_id, experiment_name, run_id, workspace].map(Option::as_deref)
        })
        .collect();
    let expected: Vec<_> =
        (0..4).map(|at| std::array::from_fn(|place| (place == at).then_some(headers[at].1))).collect();
    assert_eq!(named, expected);
    gateway.stop(SECOND).await;
}
