//! What was answered with 200 arrives: through kills, restarts, a translator that has no room or traps, a disk that is full.

use std::time::Duration;

use bytes::Bytes;
use openinference_mlflow::driver::{self, Accepted, Backlog, Handle, Refused};
use openinference_mlflow::exporter::Destination;
use openinference_mlflow::journal::{Journal, JournalLimits};
use openinference_mlflow::payload::{Encoding, PayloadContext};
use openinference_mlflow::quarantine::{Quarantine, retry};
use tempfile::TempDir;

use crate::support::fake_bridge::{
    FULL, FakeBridges, Inbox, MALFORMED, PARTIAL, REFUSED, Silence, TRAP_IN_INGEST, TRAP_IN_POLL, TRAP_ONCE,
};
use crate::support::until;

fn context() -> PayloadContext {
    let none = None;
    PayloadContext {
        encoding: Encoding::Protobuf,
        experiment_id: none.clone(),
        experiment_name: Some("agents".to_owned()),
        run_id: none.clone(),
        workspace: none,
    }
}

struct Host {
    handle: Handle,
    journal: Journal,
    backlog: Backlog,
}

fn start(dir: &TempDir, destination: impl Destination) -> Host {
    start_with(dir, destination, Quarantine::below(dir.path()))
}

fn open_journal(dir: &TempDir) -> Backlog {
    let limits = JournalLimits { max_bytes: 1 << 20, max_age: Duration::from_secs(3600) };
    let (journal, consumers) = Journal::open(&dir.path().join("journal"), limits, &["mlflow".to_owned()]).unwrap();
    Backlog { journal, consumer: consumers[0] }
}

fn start_with(dir: &TempDir, destination: impl Destination, quarantine: Quarantine) -> Host {
    let backlog = open_journal(dir);
    let journal = backlog.journal.clone();
    retry::watch(journal.clone(), quarantine.clone());
    let handle = driver::start(FakeBridges::default(), destination, quarantine, Some(backlog.clone())).unwrap();
    Host { handle, journal, backlog }
}

impl Host {
    async fn ingest(&self, text: &'static str) -> Result<Accepted, Refused> {
        self.handle.ingest(Bytes::from_static(text.as_bytes()), context()).await
    }

    fn waiting(&self) -> u64 {
        self.journal.pending_count(self.backlog.consumer)
    }

    async fn delivered(&self) {
        until("everything is delivered", || async { self.waiting() == 0 }).await;
    }

    /// Ends as on a signal, with nothing delivered meanwhile.
    async fn stop(self) -> driver::Undelivered {
        let left = self.handle.drain(Duration::ZERO).await.unwrap();
        self.journal.close().await;
        left
    }
}

fn quarantine(dir: &TempDir) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(dir.path().join("quarantine")) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    let payloads = paths.filter(|path| path.extension().is_some_and(|extension| extension == "pb"));
    payloads.map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

#[tokio::test]
async fn given_what_was_not_delivered_at_the_end_then_it_stays_in_the_journal_and_the_next_start_delivers_it() {
    let dir = tempfile::tempdir().unwrap();
    let host = start(&dir, Silence);
    for text in ["one", "two", "three"] {
        host.ingest(text).await.unwrap();
    }
    let left = host.stop().await;
    assert_eq!((left.payloads, left.kept), (3, 3));
    assert!(quarantine(&dir).is_empty());

    let inbox = Inbox::default();
    let host = start(&dir, inbox.clone());
    host.ingest("four").await.unwrap();
    host.delivered().await;
    assert_eq!(inbox.texts(), ["four", "one", "three", "two"]);
}

#[tokio::test]
async fn given_more_in_the_journal_than_is_read_at_once_then_all_of_it_is_delivered() {
    let dir = tempfile::tempdir().unwrap();
    let host = start(&dir, Silence);
    let sent = (0..300).map(|_| host.ingest("the same"));
    for accepted in futures_in_order(sent).await {
        accepted.unwrap();
    }
    host.stop().await;
    let inbox = Inbox::default();
    let host = start(&dir, inbox.clone());
    assert_eq!(host.waiting(), 300);
    host.delivered().await;
    assert_eq!(inbox.texts().len(), 300);
}

async fn futures_in_order<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut results = Vec::new();
    for future in futures {
        results.push(future.await);
    }
    results
}

#[tokio::test]
async fn given_what_the_bridge_says_of_a_payload_then_its_sender_hears_it() {
    let dir = tempfile::tempdir().unwrap();
    let inbox = Inbox::default();
    let host = start(&dir, inbox.clone());
    let partial = host.ingest(PARTIAL).await.unwrap();
    assert_eq!((partial.rejected_spans, partial.message.as_str()), (3, "three have no id"));
    assert!(matches!(host.ingest(MALFORMED).await.unwrap_err(), Refused::Malformed(_)));
    host.delivered().await;
    assert_eq!(inbox.texts(), [PARTIAL]);
    assert!(quarantine(&dir).is_empty());
}

#[tokio::test]
async fn given_a_bridge_without_room_then_payloads_are_accepted_all_the_same_and_wait_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let inbox = Inbox::default();
    let host = start(&dir, inbox.clone());
    host.ingest(FULL).await.unwrap();
    host.ingest("behind it").await.unwrap();
    assert_eq!(host.waiting(), 2);
    assert_eq!(host.stop().await.kept, 2);
    assert!(inbox.texts().is_empty());
}

#[tokio::test]
async fn given_traps_then_the_open_payloads_are_read_again_and_what_traps_twice_is_quarantined() {
    let dir = tempfile::tempdir().unwrap();
    let inbox = Inbox::default();
    let host = start(&dir, inbox.clone());
    for text in ["good", TRAP_ONCE] {
        host.ingest(text).await.unwrap();
    }
    // A payload ingested with the next one would become a suspect for the second time.
    host.delivered().await;
    for text in [TRAP_IN_POLL, "good after"] {
        host.ingest(text).await.unwrap();
    }
    assert!(matches!(host.ingest(TRAP_IN_INGEST).await.unwrap_err(), Refused::Quarantined(_)));
    host.delivered().await;
    let mut delivered = inbox.texts();
    delivered.dedup();
    assert_eq!(delivered, ["good", "good after", TRAP_ONCE]);
    let mut aside = quarantine(&dir);
    aside.sort();
    assert_eq!(aside, [TRAP_IN_INGEST, TRAP_IN_POLL]);
}

#[tokio::test]
async fn given_a_quarantine_that_cannot_be_written_then_the_payload_stays_and_is_quarantined_once_it_can() {
    let dir = tempfile::tempdir().unwrap();
    let in_the_way = dir.path().join("quarantine");
    std::fs::write(&in_the_way, "a file where the folder should be").unwrap();
    let inbox = Inbox::default();
    let host = start(&dir, inbox.clone());
    host.ingest(REFUSED).await.unwrap();
    host.ingest("behind it").await.unwrap();
    until("everything was sent", || async { inbox.texts().len() >= 2 }).await;
    until("the other one is delivered", || async { host.waiting() == 1 }).await;

    std::fs::remove_file(in_the_way).unwrap();
    host.delivered().await;
    assert_eq!(quarantine(&dir), [REFUSED]);
    assert_eq!(inbox.texts(), ["behind it", REFUSED], "each was sent once");
}

#[tokio::test]
async fn given_a_journal_that_is_full_then_senders_are_asked_to_wait() {
    let dir = tempfile::tempdir().unwrap();
    let host = start(&dir, Silence);
    let large = "x".repeat(600_000).leak();
    host.ingest(large).await.unwrap();
    let refused = host.ingest(large).await.unwrap_err();
    assert!(matches!(refused, Refused::JournalFull(wait) if !wait.is_zero()), "{refused}");
}

/// A quarantine that takes nothing, because something fills it.
fn full_quarantine(dir: &TempDir) -> Quarantine {
    let folder = Quarantine::below(dir.path()).limited(Some(20));
    folder.keep_payload(b"this fills it wholly", &context(), "for the test").unwrap();
    folder
}

fn make_room(folder: &Quarantine) {
    let items = folder.entries().unwrap();
    let filler = items.iter().find(|item| item.record.reason == "for the test").unwrap();
    filler.remove().unwrap();
}

#[tokio::test]
async fn given_a_quarantine_without_room_then_what_mlflow_refuses_stays_in_the_journal_until_there_is() {
    let dir = tempfile::tempdir().unwrap();
    let (inbox, folder) = (Inbox::default(), full_quarantine(&dir));
    let host = start_with(&dir, inbox.clone(), folder.clone());
    for text in [REFUSED, "good", TRAP_IN_POLL, "good after"] {
        host.ingest(text).await.unwrap();
    }
    until("the others are delivered", || async { host.waiting() == 2 && host.journal.pending_quarantine() == 2 }).await;
    assert_eq!(quarantine(&dir), ["this fills it wholly"]);
    make_room(&folder);
    host.delivered().await;
    let mut aside = quarantine(&dir);
    aside.sort();
    // Both are not larger than what was removed.
    assert_eq!(aside, [REFUSED, TRAP_IN_POLL]);
    assert_eq!(host.journal.pending_quarantine(), 0);
    let kept = folder.entries().unwrap();
    let refused = kept.iter().find(|item| item.record.reason.contains("422")).unwrap();
    assert_eq!(refused.record.experiment_name.as_deref(), Some("agents"));
    assert!(inbox.texts().contains(&"good after".to_owned()));
}

#[tokio::test]
async fn given_a_quarantine_without_room_and_a_restart_then_what_mlflow_refuses_is_still_there() {
    let dir = tempfile::tempdir().unwrap();
    let folder = full_quarantine(&dir);
    let host = start_with(&dir, Inbox::default(), folder.clone());
    host.ingest(REFUSED).await.unwrap();
    until("it is pending quarantine", || async { host.journal.pending_quarantine() == 1 }).await;
    assert_eq!(host.stop().await.kept, 1);
    make_room(&folder);
    let host = start_with(&dir, Inbox::default(), folder);
    host.delivered().await;
    assert_eq!(quarantine(&dir), [REFUSED]);
}

#[tokio::test]
async fn given_an_unreadable_payload_whose_sender_has_his_answer_then_it_is_quarantined_as_soon_as_there_is_room() {
    let dir = tempfile::tempdir().unwrap();
    let folder = full_quarantine(&dir);
    let journal = open_journal(&dir).journal;
    let (answer, answered) = tokio::sync::oneshot::channel();
    // As when the bridge had no room for it at first.
    journal.append(Bytes::from(MALFORMED), context(), |appended| answer.send(appended).unwrap()).await;
    answered.await.unwrap().unwrap();
    journal.close().await;
    let host = start_with(&dir, Inbox::default(), folder.clone());
    until("it is pending quarantine", || async { host.journal.pending_quarantine() == 1 }).await;
    assert_eq!((host.waiting(), quarantine(&dir)), (1, vec!["this fills it wholly".to_owned()]));
    make_room(&folder);
    host.delivered().await;
    assert_eq!(quarantine(&dir), [MALFORMED]);
}
