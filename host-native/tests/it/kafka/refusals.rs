//! Messages that cannot be used, and spans that MLflow refuses.

use std::collections::BTreeMap;
use std::time::Duration;

use openinference_mlflow::payload::Encoding;
use openinference_mlflow::quarantine::Quarantine;
use openinference_mlflow::settings::Kafka;
use tempfile::TempDir;

use crate::support::fake_bridge::{FakeBridges, Inbox, MALFORMED, REFUSED, TRAP_IN_INGEST};
use crate::support::kafka::{Cluster, Gateway, MAX_PAYLOAD};
use crate::support::until;

const SECOND: Duration = Duration::from_secs(1);

/// The reason for each quarantined payload.
fn quarantined(dir: &TempDir) -> BTreeMap<String, String> {
    let Ok(entries) = Quarantine::below(dir.path()).entries() else { return BTreeMap::new() };
    let text = |path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
    entries.into_iter().map(|entry| (text(entry.path), entry.record.reason)).collect()
}

/// Bad messages of each kind, with good ones between. Returns the number of messages.
fn send_all_kinds(cluster: &Cluster) -> i64 {
    cluster.send(0, b"good one");
    cluster.send(0, MALFORMED.as_bytes());
    cluster.send_with(0, None, &[]);
    cluster.send(0, REFUSED.as_bytes());
    cluster.send_with(0, Some(b"sent to nobody"), &[("x-mlflow-experiment-id", "agents")]);
    cluster.send(0, TRAP_IN_INGEST.as_bytes());
    cluster.send(0, b"good two");
    cluster.flush();
    7
}

#[tokio::test]
async fn given_bad_messages_then_each_is_quarantined_with_its_reason_and_the_others_are_delivered() {
    let (cluster, dir, inbox) = (Cluster::with_partitions(1), tempfile::tempdir().unwrap(), Inbox::default());
    let sent = send_all_kinds(&cluster);
    let gateway = Gateway::start(&cluster.settings(), &dir, inbox.clone());
    until("all is committed", || async { cluster.committed(1) == [Some(sent)] }).await;
    let quarantined = quarantined(&dir);
    let reason = |text: &str| quarantined.get(text).unwrap_or_else(|| panic!("{text} is not in {quarantined:?}"));
    assert_eq!(quarantined.len(), 4, "{quarantined:?}");
    assert_eq!(reason(MALFORMED), "expected something else");
    assert_eq!(reason(REFUSED), "it answers 422");
    assert!(reason("sent to nobody").contains("x-mlflow-experiment-name"));
    assert!(reason(TRAP_IN_INGEST).contains("twice"));
    let mut texts = inbox.texts();
    texts.dedup();
    assert_eq!(texts, ["good one", "good two", REFUSED]);
    assert_eq!((gateway.state().refused, gateway.state().inflight_bytes), (4, 0));
    let metrics = gateway.metrics.text().unwrap();
    assert!(metrics.contains("refused_payloads_total{transport=\"kafka\",reason=\"empty\"} 1"), "{metrics}");
    gateway.stop(SECOND).await;
}

#[tokio::test]
async fn given_a_dead_letter_topic_then_it_gets_them_with_the_reasons_in_headers() {
    let (cluster, dir, inbox) = (Cluster::with_partitions(1), tempfile::tempdir().unwrap(), Inbox::default());
    cluster.brokers.create_topic("dead", 1, 1).unwrap();
    let settings = Kafka { dead_letter_topic: Some("dead".to_owned()), ..cluster.settings() };
    let sent = send_all_kinds(&cluster);
    let gateway = Gateway::start(&settings, &dir, inbox.clone());
    until("all is committed", || async { cluster.committed(1) == [Some(sent)] }).await;
    let letters: BTreeMap<_, _> = cluster
        .read("dead", 4)
        .into_iter()
        .map(|letter| (String::from_utf8(letter.payload).unwrap(), (letter.key, letter.headers)))
        .collect();
    let headers = |text: &str| -> BTreeMap<&str, &str> {
        letters[text].1.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
    };
    let malformed = headers(MALFORMED);
    assert_eq!(malformed["openinference-mlflow-reason"], "expected something else");
    assert_eq!(malformed["openinference-mlflow-topic"], "otlp_spans");
    assert_eq!((malformed["openinference-mlflow-partition"], malformed["openinference-mlflow-offset"]), ("0", "1"));
    assert_eq!(letters[MALFORMED].0.as_deref(), Some(&b"trace"[..]));
    assert_eq!(headers(REFUSED)["openinference-mlflow-span-id"], "02".repeat(8));
    assert_eq!(headers("sent to nobody")["x-mlflow-experiment-id"], "agents");
    assert!(quarantined(&dir).is_empty());
    gateway.stop(SECOND).await;
}

#[tokio::test]
async fn given_a_quarantine_without_room_then_the_offset_is_not_committed_before_there_is_room() {
    let (cluster, dir, inbox) = (Cluster::with_partitions(1), tempfile::tempdir().unwrap(), Inbox::default());
    for text in ["before", REFUSED, "after"] {
        cluster.send(0, text.as_bytes());
    }
    cluster.flush();
    let quarantine = Quarantine::below(dir.path()).limited(Some(10));
    let bytes = [0; 8];
    let context = openinference_mlflow::payload::PayloadContext::of(Encoding::Protobuf);
    quarantine.keep_payload(&bytes, &context, "it takes the room").unwrap();
    let gateway = Gateway::start_with(&cluster.settings(), quarantine.clone(), FakeBridges::default(), inbox.clone());
    until("its trouble is told", || async {
        gateway.state().trouble.is_some_and(|trouble| trouble.contains("--quarantine-max-bytes"))
    })
    .await;
    assert_eq!(inbox.texts(), ["after", "before", REFUSED]);
    tokio::time::sleep(SECOND).await;
    assert_eq!(cluster.committed(1), [Some(1)]);
    quarantine.entries().unwrap()[0].remove().unwrap();
    until("all is committed", || async { cluster.committed(1) == [Some(3)] }).await;
    assert_eq!(quarantined(&dir).len(), 1);
    assert_eq!(gateway.state().trouble, None);
    gateway.stop(SECOND).await;
}

#[tokio::test]
async fn given_a_message_larger_than_allowed_or_in_another_encoding_then_the_reason_names_the_option() {
    let (cluster, dir, inbox) = (Cluster::with_partitions(1), tempfile::tempdir().unwrap(), Inbox::default());
    // The producer's own limit is a million bytes.
    let settings = Kafka { encoding: Encoding::Json, ..cluster.settings() };
    cluster.send(0, MALFORMED.as_bytes());
    cluster.flush();
    let gateway = Gateway::start(&settings, &dir, inbox.clone());
    until("it is committed", || async { cluster.committed(1) == [Some(1)] }).await;
    let quarantined = quarantined(&dir);
    assert!(quarantined[MALFORMED].contains("--kafka-encoding otlp_proto"), "{quarantined:?}");
    gateway.stop(SECOND).await;
    assert_eq!(MAX_PAYLOAD, 1 << 20);
}
