//! Real files, damaged in every way that a disk may damage them.

use std::fs::{self, OpenOptions};
use std::io::Write;

use tempfile::TempDir;

use super::*;
use crate::payload::Encoding;

const NAMES: [&str; 2] = ["mlflow", "http://phoenix"];

fn names() -> Vec<String> {
    NAMES.iter().map(|name| (*name).to_owned()).collect()
}

fn context() -> PayloadContext {
    PayloadContext {
        encoding: Encoding::Protobuf,
        experiment_id: None,
        experiment_name: Some("agents".to_owned()),
        run_id: None,
        workspace: None,
    }
}

struct Disk(TempDir);

impl Disk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("journal")
    }

    fn file(&self) -> PathBuf {
        self.folder().join("journal.redb")
    }

    fn limited(&self, max_bytes: u64) -> Result<(Journal, Vec<Consumer>), OpenError> {
        Journal::open(&self.folder(), JournalLimits { max_bytes, max_age: Duration::from_secs(3600) }, &names())
    }

    fn open(&self) -> (Journal, Vec<Consumer>) {
        self.limited(1 << 30).unwrap()
    }

    /// What a kill leaves behind: the file as it is, without a goodbye.
    fn killed(&self, journal: &Journal) -> Self {
        let copy = Self::new();
        fs::create_dir(copy.folder()).unwrap();
        let _quiet = journal.shared.store.read();
        for file in ["journal.redb", "lock"] {
            fs::copy(self.folder().join(file), copy.folder().join(file)).unwrap();
        }
        copy
    }

    /// Those of the payloads whose bytes are in the file.
    fn held(&self, numbers: impl Iterator<Item = u32>) -> Vec<Vec<u8>> {
        let bytes = fs::read(self.file()).unwrap();
        let held = |payload: &Vec<u8>| memchr::memmem::find(&bytes, payload).is_some();
        numbers.map(payload).filter(held).collect()
    }

    fn damaged_files(&self) -> usize {
        let names = fs::read_dir(self.folder()).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_str().unwrap().starts_with("damaged-")).count()
    }
}

async fn append(journal: &Journal, payload: Vec<u8>) -> Result<EntryId, AppendError> {
    let (answer, answered) = oneshot::channel();
    journal.append(payload.into(), context(), move |appended| answer.send(appended).unwrap()).await;
    answered.await.unwrap()
}

/// So many payloads that all differ and are larger than a page.
async fn fill(journal: &Journal, entries: u32) {
    for number in 0..entries {
        append(journal, payload(number)).await.unwrap();
    }
}

fn payload(number: u32) -> Vec<u8> {
    let text = format!("<payload {number}>");
    text.into_bytes().into_iter().cycle().take(5_000).collect()
}

fn pending(journal: &Journal, consumer: Consumer) -> Vec<Vec<u8>> {
    journal.pending(consumer, 0, usize::MAX, usize::MAX).unwrap().iter().map(|entry| entry.payload.to_vec()).collect()
}

fn payloads(numbers: impl Iterator<Item = u32>) -> Vec<Vec<u8>> {
    numbers.map(payload).collect()
}

#[tokio::test]
async fn given_a_kill_after_the_answer_then_the_payload_is_there_with_its_context() {
    let disk = Disk::new();
    let (journal, _) = disk.open();
    let id = append(&journal, b"payload".to_vec()).await.unwrap();
    let killed = disk.killed(&journal);
    let (journal, consumers) = killed.open();
    for consumer in consumers {
        let entries = journal.pending(consumer, 0, 10, 1 << 20).unwrap();
        assert_eq!(
            entries.iter().map(|entry| (entry.id, &entry.payload[..])).collect::<Vec<_>>(),
            [(id, &b"payload"[..])]
        );
        assert_eq!(entries[0].context.experiment_name.as_deref(), Some("agents"));
    }
    assert!(append(&journal, b"next".to_vec()).await.unwrap() > id);
    assert_eq!(killed.damaged_files(), 0);
}

#[tokio::test]
async fn given_destinations_then_an_entry_stays_until_the_last_of_them_has_settled_it() {
    let disk = Disk::new();
    let (journal, consumers) = disk.open();
    let id = append(&journal, b"payload".to_vec()).await.unwrap();
    journal.mark_delivered(consumers[0], id, 7);
    assert!(pending(&journal, consumers[0]).is_empty(), "delivered at once for readers");
    assert_eq!(pending(&journal, consumers[1]).len(), 1);
    journal.close().await;

    let (journal, consumers) = disk.open();
    assert_eq!((journal.pending_count(consumers[0]), journal.pending_count(consumers[1])), (0, 1));
    assert_eq!((journal.pending_bytes(consumers[0]), journal.pending_bytes(consumers[1])), (0, 7));
    assert_eq!(journal.stats().entries, 1);
    journal.mark_delivered(consumers[1], id, 7);
    journal.close().await;

    let (journal, _) = disk.open();
    let stats = journal.stats();
    assert_eq!((stats.entries, stats.bytes), (0, 0));
    assert!(journal.entry(id).unwrap().is_none());
}

#[tokio::test]
async fn given_a_destination_that_is_configured_no_more_then_what_it_was_owed_is_released() {
    let disk = Disk::new();
    let (journal, consumers) = disk.open();
    let id = append(&journal, b"payload".to_vec()).await.unwrap();
    journal.mark_delivered(consumers[0], id, 7);
    journal.close().await;
    let limits = JournalLimits { max_bytes: 1 << 20, max_age: Duration::from_secs(1) };
    let (journal, _) = Journal::open(&disk.folder(), limits, &["mlflow".to_owned(), "other".to_owned()]).unwrap();
    let stats = journal.stats();
    assert_eq!((stats.entries, stats.pending[0].entries, stats.pending[1].entries), (0, 0, 0));
    assert_eq!(stats.pending[1].name, "other");
}

#[tokio::test]
async fn given_a_journal_that_is_full_then_it_refuses_until_there_is_room() {
    let disk = Disk::new();
    let (journal, consumers) = disk.limited(9_000).unwrap();
    let first = append(&journal, vec![1; 5_000]).await.unwrap();
    assert_eq!(journal.fault(), None);
    assert!(matches!(append(&journal, vec![2; 10_000]).await, Err(AppendError::Full(_))));
    assert_eq!(journal.fault(), None, "what would never fit says nothing");
    assert!(matches!(append(&journal, vec![2; 5_000]).await, Err(AppendError::Full(_))));
    assert!(journal.fault().unwrap().contains("--journal-max-bytes"));
    for consumer in consumers {
        journal.mark_delivered(consumer, first, 5_000);
    }
    // What was delivered is written down with the next append at the latest.
    while append(&journal, vec![3; 3_000]).await.is_err() {}
    assert_eq!(journal.fault(), None);
    assert!(journal.stats().bytes <= 9_000);
}

#[tokio::test]
async fn given_a_second_process_then_it_is_told_who_has_the_journal() {
    let disk = Disk::new();
    let (journal, _) = disk.open();
    let said = disk.limited(1).unwrap_err().to_string();
    assert!(said.contains("another process") && said.contains("hint:"), "{said}");
    journal.close().await;
    disk.limited(1).unwrap();
}

#[tokio::test]
async fn given_many_senders_at_once_then_they_share_transactions_and_ids_are_in_order() {
    let disk = Disk::new();
    let (journal, consumers) = disk.open();
    let senders = (0..200).map(|number| {
        let journal = journal.clone();
        tokio::spawn(async move { append(&journal, payload(number)).await.unwrap() })
    });
    let mut ids = Vec::new();
    for sender in senders.collect::<Vec<_>>() {
        ids.push(sender.await.unwrap());
    }
    ids.sort_unstable();
    assert_eq!(ids, (1..=200).collect::<Vec<_>>());
    assert_eq!(journal.pending(consumers[0], 150, 10, usize::MAX).unwrap()[0].id, 150);
    assert_eq!(journal.pending(consumers[0], 1, usize::MAX, 12_000).unwrap().len(), 3, "no more after so many bytes");
}

#[tokio::test]
async fn given_a_torn_tail_then_what_is_before_it_is_taken_over() {
    let disk = Disk::new();
    let (journal, _) = disk.open();
    fill(&journal, 60).await;
    let killed = disk.killed(&journal);
    // Zeros from the middle of an entry on, as a disk leaves them that lost what was written last.
    let mut bytes = fs::read(killed.file()).unwrap();
    let torn = memchr::memmem::find(&bytes, &payload(40)).unwrap() + 1_000;
    bytes[torn..].fill(0);
    fs::write(killed.file(), bytes).unwrap();
    let left = killed.held(0..60);
    assert!((1..60).contains(&left.len()), "{} are left", left.len());
    let (journal, consumers) = killed.open();
    assert_eq!(pending(&journal, consumers[0]), left);
    append(&journal, b"next".to_vec()).await.unwrap();
}

#[tokio::test]
async fn given_a_file_that_was_cut_then_what_is_left_is_taken_over() {
    let disk = Disk::new();
    let (journal, _) = disk.open();
    fill(&journal, 60).await;
    let mut most = 0;
    for tenths in [0, 1, 3, 5, 7, 9] {
        let killed = disk.killed(&journal);
        let length = killed.file().metadata().unwrap().len();
        OpenOptions::new().write(true).open(killed.file()).unwrap().set_len(length * tenths / 10).unwrap();
        let left = killed.held(0..60);
        most = most.max(left.len());
        let (journal, consumers) = killed.open();
        assert_eq!(pending(&journal, consumers[1]), left, "cut to {tenths} tenths");
        append(&journal, b"next".to_vec()).await.unwrap();
        assert_eq!(pending(&journal, consumers[1]).len(), left.len() + 1);
    }
    assert!(most > 0, "every cut took all of them");
}

#[tokio::test]
async fn given_flipped_bits_then_at_most_the_entries_they_hit_are_lost() {
    let disk = Disk::new();
    let (journal, _) = disk.open();
    fill(&journal, 40).await;
    let length = disk.file().metadata().unwrap().len();
    let mut salvaged = 0;
    for place in 0..24 {
        let killed = disk.killed(&journal);
        let at = length / 24 * place + 77 * place % 4_096;
        let mut bytes = fs::read(killed.file()).unwrap();
        let at = usize::try_from(at).unwrap();
        bytes[at] ^= 0b100;
        fs::write(killed.file(), bytes).unwrap();
        let (journal, consumers) = killed.open();
        let found = pending(&journal, consumers[0]);
        let lost = payloads(0..40).iter().filter(|payload| !found.contains(payload)).count();
        assert!(lost <= 1, "one bit at {at} cost {lost} entries");
        salvaged += killed.damaged_files();
        append(&journal, b"next".to_vec()).await.unwrap();
    }
    assert!(salvaged > 0, "no bit hit anything");
}

#[tokio::test]
async fn given_an_end_while_a_damaged_file_is_taken_over_then_the_next_start_has_all_of_it() {
    let disk = Disk::new();
    let (journal, _) = disk.open();
    fill(&journal, 20).await;
    let interrupted = disk.killed(&journal);
    let mut bytes = fs::read(interrupted.file()).unwrap();
    bytes[..512].fill(0);
    fs::write(interrupted.file(), bytes).unwrap();
    // Some of it is there already, and does not count.
    fs::write(interrupted.folder().join("taken-over.redb"), b"the beginning of a database").unwrap();
    let (journal, consumers) = interrupted.open();
    assert_eq!(pending(&journal, consumers[0]), payloads(0..20));
    assert_eq!(interrupted.damaged_files(), 1);

    // All of it is there, and the damaged file is out of the way.
    let interrupted = interrupted.killed(&journal);
    fs::rename(interrupted.file(), interrupted.folder().join("taken-over.redb")).unwrap();
    let (journal, consumers) = interrupted.open();
    assert_eq!(pending(&journal, consumers[0]), payloads(0..20));
}

#[tokio::test]
async fn given_a_file_that_is_no_journal_then_it_is_moved_aside_and_a_new_one_begun() {
    let disk = Disk::new();
    fs::create_dir(disk.folder()).unwrap();
    fs::write(disk.file(), b"something else".repeat(1_000)).unwrap();
    let (journal, consumers) = disk.open();
    append(&journal, b"payload".to_vec()).await.unwrap();
    assert_eq!((disk.damaged_files(), pending(&journal, consumers[0]).len()), (1, 1));
}

/// What 34 s are otherwise, for 2 GiB.
#[tokio::test]
async fn given_a_large_journal_after_a_kill_then_it_is_not_verified_whole_before_it_opens() {
    use std::sync::atomic::{AtomicBool, Ordering};

    for (bytes, is_repaired) in [(store::QUICK_REPAIR_BYTES / 8, true), (store::QUICK_REPAIR_BYTES + (4 << 20), false)]
    {
        let disk = Disk::new();
        let (journal, consumers) = disk.open();
        let entries = bytes / (1 << 20);
        for _ in 0..entries {
            append(&journal, vec![7; 1 << 20]).await.unwrap();
        }
        let killed = disk.killed(&journal);
        let looked = Arc::new(AtomicBool::new(false));
        let (seen, mut builder) = (Arc::clone(&looked), redb::Builder::new());
        builder.set_repair_callback(move |_| seen.store(true, Ordering::Relaxed));
        drop(builder.create(killed.file()).unwrap());
        assert_eq!(looked.load(Ordering::Relaxed), is_repaired, "{bytes} bytes");

        let killed = disk.killed(&journal);
        let (journal, _) = killed.open();
        assert_eq!(journal.pending_count(consumers[0]), entries);
    }
}

#[tokio::test]
async fn given_a_file_that_was_deleted_then_a_new_journal_is_begun() {
    let disk = Disk::new();
    let (journal, _) = disk.open();
    fill(&journal, 1).await;
    journal.close().await;
    fs::remove_file(disk.file()).unwrap();
    let (journal, consumers) = disk.open();
    assert!(pending(&journal, consumers[0]).is_empty());
    append(&journal, b"payload".to_vec()).await.unwrap();
}

/// Tells an open journal of damage, and waits until it was taken over.
async fn taken_over(disk: &Disk, journal: &Journal, consumer: Consumer) {
    *journal.shared.seen_by_readers.lock() = Some(StoreError::Damaged("as a reader saw it".to_owned()));
    journal.mark_delivered(consumer, 0, 0);
    while disk.damaged_files() == 0 || journal.pending(consumer, 0, 1, 0).is_err() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn given_damage_that_is_met_while_reading_then_the_rest_is_taken_over_without_a_restart() {
    for damaged in [1, 2] {
        let disk = Disk::new();
        let (journal, consumers) = disk.open();
        fill(&journal, 3).await;
        let mut bytes = fs::read(disk.file()).unwrap();
        let needle = payload(damaged);
        let at = bytes.windows(needle.len()).position(|window| window == needle).unwrap();
        bytes[at + 9] ^= 1;
        // Behind the back of the open database, whose pages are not all in memory.
        let mut file = OpenOptions::new().write(true).open(disk.file()).unwrap();
        file.write_all(&bytes).unwrap();
        taken_over(&disk, &journal, consumers[0]).await;
        let found = pending(&journal, consumers[0]);
        assert_eq!(
            (0..3).map(|number| found.contains(&payload(number))).collect::<Vec<_>>(),
            [true, damaged != 1, damaged != 2]
        );
        assert_eq!(disk.damaged_files(), 1);
        // No number comes twice, although the last one was lost: readers have passed it.
        assert!(append(&journal, b"next".to_vec()).await.unwrap() > 3);
    }
}

#[tokio::test]
async fn given_damage_after_a_destination_has_gone_then_the_others_keep_what_they_are_owed() {
    let disk = Disk::new();
    let limits = JournalLimits { max_bytes: 1 << 30, max_age: Duration::from_secs(3600) };
    let open = |names: &[&str]| {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        Journal::open(&disk.folder(), limits, &names).unwrap()
    };
    let (journal, _) = open(&["mlflow", "http://gone", "http://phoenix"]);
    journal.close().await;
    let (journal, consumers) = open(&["mlflow", "http://phoenix"]);
    append(&journal, b"before".to_vec()).await.unwrap();
    taken_over(&disk, &journal, consumers[0]).await;
    append(&journal, b"after".to_vec()).await.unwrap();
    for consumer in consumers {
        assert_eq!(pending(&journal, consumer), [b"before".to_vec(), b"after".to_vec()]);
    }
}

#[tokio::test]
async fn given_a_journal_of_a_later_version_then_it_is_left_alone() {
    let disk = Disk::new();
    disk.open().0.close().await;
    let database = redb::Database::create(disk.file()).unwrap();
    let transaction = database.begin_write().unwrap();
    let totals: redb::TableDefinition<'_, &str, u64> = redb::TableDefinition::new("totals");
    transaction.open_table(totals).unwrap().insert("format", 2).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let said = disk.limited(1).unwrap_err().to_string();
    assert!(said.contains("format 2") && said.contains("hint:"), "{said}");
    assert_eq!(disk.damaged_files(), 0);
}
