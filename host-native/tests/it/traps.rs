//! After a trap the driver opens a new translator, which ingests the open payloads again. A payload that traps twice is
//! quarantined.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use openinference_mlflow::driver::{self, Handle, Refused};
use openinference_mlflow::exporter::Destination;
use openinference_mlflow::quarantine::Quarantine;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::fake_bridge::{
    FakeBridges, Gate, Inbox, MALFORMED, Silence, TRAP_IN_COMPLETE, TRAP_IN_INGEST, TRAP_IN_POLL, TRAP_ONCE,
};
use crate::support::{payload, until};

struct Host {
    handle: Handle,
    bridges: FakeBridges,
    data_dir: TempDir,
}

fn start(destination: impl Destination) -> Host {
    let data_dir = tempfile::tempdir().unwrap();
    let bridges = FakeBridges::default();
    let handle = driver::start(bridges.clone(), destination, Quarantine::below(data_dir.path()), None).unwrap();
    Host { handle, bridges, data_dir }
}

impl Host {
    async fn ingest(&self, text: &'static str) -> Result<driver::Accepted, Refused> {
        self.handle.ingest(Bytes::from_static(text.as_bytes()), payload::nowhere_special()).await
    }

    fn opened(&self) -> usize {
        self.bridges.opened.load(Ordering::SeqCst)
    }

    /// The quarantined payloads, as text.
    fn quarantine(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.data_dir.path().join("quarantine")) else { return Vec::new() };
        let paths = entries.map(|entry| entry.unwrap().path());
        let payloads = paths.filter(|path| path.extension().is_some_and(|extension| extension == "pb"));
        let mut texts: Vec<_> = payloads.map(|path| std::fs::read_to_string(path).unwrap()).collect();
        texts.sort();
        texts
    }

    fn reasons(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.data_dir.path().join("quarantine")).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths
            .filter(|path| path.to_string_lossy().ends_with(".reason.json"))
            .map(|path| serde_json::from_slice::<Value>(&std::fs::read(path).unwrap()).unwrap())
            .map(|reason| reason["reason"].as_str().unwrap().to_owned())
            .collect()
    }
}

#[tokio::test]
async fn given_a_payload_that_traps_once_then_it_is_delivered_by_the_next_guest() {
    let inbox = Inbox::default();
    let host = start(inbox.clone());
    let accepted = host.ingest(TRAP_ONCE).await.unwrap();
    accepted.done.await.unwrap();
    assert_eq!(inbox.texts(), [TRAP_ONCE]);
    assert_eq!(host.opened(), 2);
    assert!(host.quarantine().is_empty());
}

#[tokio::test]
async fn given_a_payload_that_traps_in_ingest_then_it_is_quarantined_and_its_sender_told_not_to_repeat_it() {
    let inbox = Inbox::default();
    let host = start(inbox.clone());
    let refused = host.ingest(TRAP_IN_INGEST).await.unwrap_err();
    assert!(matches!(&refused, Refused::Quarantined(text) if text.contains("quarantine")), "{refused}");
    assert_eq!(host.quarantine(), [TRAP_IN_INGEST]);
    assert!(host.reasons()[0].contains("trap") || host.reasons()[0].contains("stopped"), "{:?}", host.reasons());

    let accepted = host.ingest("a good one").await.unwrap();
    accepted.done.await.unwrap();
    assert_eq!(inbox.texts(), ["a good one"]);
}

#[tokio::test]
async fn given_open_payloads_when_another_one_traps_then_they_are_told_to_the_next_guest_and_delivered() {
    // Nothing is answered at first, so that all stay open.
    let host = start(Silence);
    for text in ["one", "two"] {
        host.ingest(text).await.unwrap();
    }
    host.ingest(TRAP_IN_INGEST).await.unwrap_err();
    // The refusal is answered first, the next guest opened then; who asks it waits for it.
    assert_eq!(host.handle.stats().await.unwrap().open_receipts, 2);
    let ingested: usize = host.bridges.contexts.lock().unwrap().len();
    // Two payloads in the first guest and in the last, and the one that traps in the first, and alone in another.
    assert_eq!((host.opened(), ingested), (3, 2 * 2 + 2));
    assert_eq!(host.quarantine(), [TRAP_IN_INGEST]);
}

#[tokio::test]
async fn given_a_trap_that_names_nobody_then_only_its_payload_is_quarantined() {
    let inbox = Inbox::default();
    let host = start(inbox.clone());
    let good = host.ingest("good before").await.unwrap();
    let bad = host.ingest(TRAP_IN_POLL).await.unwrap();
    let after = host.ingest("good after").await.unwrap();
    good.done.await.unwrap();
    after.done.await.unwrap();
    bad.done.await.unwrap_err();
    assert_eq!(host.quarantine(), [TRAP_IN_POLL]);
    let mut delivered = inbox.texts();
    delivered.dedup();
    assert_eq!(delivered, ["good after", "good before"]);
}

#[tokio::test]
async fn given_several_that_trap_told_together_with_bystanders_then_only_they_are_quarantined() {
    let gate = Gate::shut();
    let host = start(gate.clone());
    let texts = ["one", "trap in complete, first", "two", "trap in complete, second", "three", "four"];
    let mut accepted = Vec::new();
    for text in texts {
        accepted.push((text, host.ingest(text).await.unwrap()));
    }
    // One guest has them all, and the first answer makes it trap.
    gate.open();
    for (text, accepted) in accepted {
        assert_eq!(accepted.done.await.is_err(), text.starts_with("trap"), "{text}");
    }
    assert_eq!(host.quarantine(), ["trap in complete, first", "trap in complete, second"]);
    let mut delivered = gate.inbox.texts();
    delivered.retain(|text| !text.starts_with("trap"));
    delivered.dedup();
    assert_eq!(delivered, ["four", "one", "three", "two"]);
}

#[tokio::test]
async fn given_a_destination_that_is_silent_then_a_bystander_is_acquitted_and_stays_open() {
    let host = start(Silence);
    host.ingest("bystander").await.unwrap();
    let bad = host.ingest(TRAP_IN_POLL).await.unwrap();
    bad.done.await.unwrap_err();
    assert_eq!(host.quarantine(), [TRAP_IN_POLL]);
    assert_eq!(host.handle.stats().await.unwrap().open_receipts, 1);
}

#[tokio::test]
async fn given_a_trap_on_every_answer_then_the_payload_is_quarantined_and_the_host_goes_on() {
    let inbox = Inbox::default();
    let host = start(inbox.clone());
    let bad = host.ingest(TRAP_IN_COMPLETE).await.unwrap();
    bad.done.await.unwrap_err();
    assert_eq!(host.quarantine(), [TRAP_IN_COMPLETE]);
    host.ingest("good").await.unwrap().done.await.unwrap();
}

#[tokio::test]
async fn given_undelivered_payloads_when_the_time_is_up_then_they_are_quarantined_and_counted() {
    let host = start(Silence);
    for text in ["one", "two", "three"] {
        host.ingest(text).await.unwrap();
    }
    let left = host.handle.drain(Duration::from_millis(50)).await.unwrap();
    assert_eq!((left.payloads, left.spans, left.kept), (3, 3, 3));
    assert_eq!(host.quarantine(), ["one", "three", "two"]);
}

#[tokio::test]
async fn given_nothing_undelivered_then_draining_ends_at_once_and_later_payloads_are_refused() {
    let host = start(Inbox::default());
    host.ingest("one").await.unwrap().done.await.unwrap();
    let left = host.handle.drain(Duration::from_secs(3600)).await.unwrap();
    assert_eq!(left, driver::Undelivered::default());
    until("the thread has ended", || async { host.ingest("late").await.is_err() }).await;
    assert_eq!(host.ingest("late").await.unwrap_err(), Refused::Stopped);
    assert!(host.quarantine().is_empty());
}

#[tokio::test]
async fn given_a_malformed_payload_then_its_sender_is_told_and_nothing_is_kept() {
    let host = start(Inbox::default());
    assert!(matches!(host.ingest(MALFORMED).await.unwrap_err(), Refused::Malformed(_)));
    assert_eq!(host.handle.stats().await.unwrap().open_receipts, 0);
    assert!(host.quarantine().is_empty());
}
