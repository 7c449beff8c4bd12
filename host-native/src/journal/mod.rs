//! The journal stores each acknowledged payload on disk until every destination has it.
//!
//! # Invariants
//!
//! 1. [`append`](Journal::append) answers `Ok` only after the payload is on disk and synced (`fsync`). Payloads that arrive
//!    during an `fsync` share the next one: a single transaction takes all that wait.
//! 2. An entry is pending for every consumer that exists when it is written. It stays until each of them has marked it as
//!    delivered, and no longer. Each consumer has its own progress; none waits for another.
//! 3. Ids grow in the order of commits, so a reader that goes through them in order misses none.
//! 4. [`mark_delivered`](Journal::mark_delivered) is written with the next transaction, or a moment later. A crash in
//!    between repeats a delivery and never loses one.
//! 5. The journal never exceeds its size limit; beyond it, `append` refuses. It never drops an entry.
//! 6. While the disk fails or is full, the journal refuses new payloads and retries each second; no restart is needed. From a
//!    damaged file it recovers every entry with a valid checksum, and then renames the file.
//! 7. An exclusive lock on `lock` ensures that only one process uses the journal.
//!
//! # On disk
//!
//! `<data-dir>/journal/journal.redb` is a [redb](https://docs.rs/redb) database with these tables:
//!
//! | table | key | value |
//! |---|---|---|
//! | `entries` | id | a record |
//! | `owed` | (consumer's number, id) | the payload's size: the entry is pending for that consumer |
//! | `owners` | consumer's name | its number |
//! | `totals` | `format`, `next`, `bytes`, `entries`, `owed/<number>`, `owed_bytes/<number>` | format version 1, the next id, sums |
//!
//! A record contains everything that is needed to find it in a damaged file without redb ([`record`]). redb stores a value
//! contiguously, in pages of a power of two times 4 KiB, so the file may be twice as large as its contents. redb reuses the
//! space of removed entries, and returns it to the system when it is at the end of the file.
//!
//! # Opening
//!
//! After a kill, redb verifies the whole database, unless the last transaction enabled quick repair, which costs each
//! transaction a second `fsync`. Measured with 2 GiB in 500,000 entries on a virtual disk: 34 s to open instead of 1.6 s, and
//! 10 ms a transaction instead of 21 ms. So a journal larger than [`store::QUICK_REPAIR_BYTES`] uses quick repair. A smaller
//! one, which is the normal case while the destinations keep up, is written faster and verified when it is opened.

mod error;
mod lock;
mod pending_quarantine;
mod record;
mod salvage;
mod store;
mod totals;
mod writer;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::{Mutex, RwLock};
use tokio::sync::{mpsc, oneshot, watch};

pub use error::{AppendError, OpenError, Unavailable};
pub use pending_quarantine::{PendingEntry, PendingKey};
pub use record::JournalEntry;

use crate::payload::PayloadContext;
use lock::Lock;
use pending_quarantine::PendingQuarantine;
use store::{Delivered, Store, StoreError};
use totals::{Sum, Totals};
use writer::{Append, Command, Writer};

/// The id of an entry. It is never reused.
pub type EntryId = u64;

/// The name of the consumer behind the bridge, for MLflow and for the local folder.
pub const MLFLOW: &str = "mlflow";

/// The most appends in the queue of the writer. Further senders wait.
const QUEUE: usize = 256;

/// Limits of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalLimits {
    /// The most bytes of records. The file may be twice as large.
    pub max_bytes: u64,
    /// The longest that a consumer may leave an entry pending.
    pub max_age: Duration,
}

/// Somebody that takes entries: the bridge, or a forward destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Consumer(u32);

/// The contents of the journal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JournalStats {
    /// Entries that are pending for at least one consumer.
    pub entries: u64,
    /// Their size, in bytes.
    pub bytes: u64,
    /// The size limit, in bytes.
    pub max_bytes: u64,
    /// Why new payloads are refused. None: they are accepted.
    pub fault: Option<String>,
    /// Per consumer, in the order of the names.
    pub pending: Vec<ConsumerStats>,
}

/// What is pending for one consumer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConsumerStats {
    /// The consumer's name.
    pub name: String,
    /// Entries that are pending for it.
    pub entries: u64,
    /// When the oldest of them was received, in milliseconds since the Unix epoch.
    pub oldest_ms: Option<u64>,
}

/// The journal. Cheap to clone; its thread ends when the last clone is dropped.
#[derive(Debug, Clone)]
pub struct Journal {
    shared: Arc<Shared>,
    commands: mpsc::Sender<Command>,
}

/// State that readers and the writer share.
#[derive(Debug)]
struct Shared {
    /// None while the disk fails.
    store: RwLock<Option<Store>>,
    /// Marked as delivered and not yet committed. Readers skip these entries.
    delivered: Mutex<Delivered>,
    /// The totals after the last commit.
    totals: Mutex<Totals>,
    fault: Mutex<Option<String>>,
    /// The size in bytes of the smallest payload that was refused for lack of space.
    refused: AtomicU64,
    /// Entries that wait for space in the quarantine.
    pending_quarantine: PendingQuarantine,
    /// A fault that a reader found, for the writer.
    seen_by_readers: Mutex<Option<StoreError>>,
    /// The newest entry on disk. Also sent when a failed journal can be read again.
    newest: watch::Sender<EntryId>,
    names: Vec<String>,
    limits: JournalLimits,
    folder: PathBuf,
}

// === impl Journal ===

impl Journal {
    /// Opens the journal in this folder, or creates one, and starts its thread. `names` are the consumers. A consumer
    /// that is no longer among them loses its pending entries. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// Another process uses the journal, or the folder cannot be used. Damage is not an error: it is repaired and
    /// logged.
    pub fn open(folder: &Path, limits: JournalLimits, names: &[String]) -> Result<(Self, Vec<Consumer>), OpenError> {
        let lock = Lock::take(folder)?;
        let (store, totals) = salvage::open(folder, names, lock.first_time())?;
        let consumers = names.iter().filter_map(|name| totals.consumer(name)).collect();
        let (commands, queue) = mpsc::channel(QUEUE);
        let shared = Arc::new(Shared {
            newest: watch::Sender::new(totals.newest()),
            store: RwLock::new(Some(store)),
            delivered: Mutex::default(),
            totals: Mutex::new(totals),
            fault: Mutex::default(),
            refused: AtomicU64::new(u64::MAX),
            pending_quarantine: PendingQuarantine::default(),
            seen_by_readers: Mutex::default(),
            names: names.to_vec(),
            limits,
            folder: folder.to_path_buf(),
        });
        Writer::start(Arc::clone(&shared), queue, lock).map_err(|cause| OpenError::folder(folder, cause))?;
        Ok((Self { shared, commands }, consumers))
    }

    /// Appends a payload, and calls `answer` on the journal's thread, in the order of ids, once it is on disk or
    /// refused. Waits while the queue is full.
    pub async fn append(
        &self,
        payload: Bytes,
        context: PayloadContext,
        answer: impl FnOnce(Result<EntryId, AppendError>) + Send + 'static,
    ) {
        let append = Append { payload, context, answer: Box::new(answer) };
        if let Err(mpsc::error::SendError(Command::Append(append))) = self.commands.send(Command::Append(append)).await
        {
            (append.answer)(Err(AppendError::Closed));
        }
    }

    /// Marks an entry as delivered to a consumer. `payload` is the size of the payload in bytes.
    pub fn mark_delivered(&self, consumer: Consumer, entry: EntryId, payload: usize) {
        let payload = u64::try_from(payload).unwrap_or(u64::MAX);
        self.shared.delivered.lock().insert((consumer, entry), payload);
        // If the queue is full, the writer handles this with the other commands.
        let _ = self.commands.try_send(Command::Flush);
    }

    /// Marks an entry as delivered to all consumers.
    pub fn discard(&self, entry: EntryId, payload: usize) {
        let consumers = self.shared.totals.lock().consumers();
        consumers.into_iter().for_each(|consumer| self.mark_delivered(consumer, entry, payload));
    }

    /// The pending entries of a consumer from this id on, oldest first: at most `most` entries, and no more after
    /// `most_bytes` bytes. Reads the disk.
    ///
    /// # Errors
    /// The disk fails. [`newest`](Self::newest) changes when a retry makes sense.
    pub fn pending(
        &self,
        consumer: Consumer,
        from: EntryId,
        most: usize,
        most_bytes: usize,
    ) -> Result<Vec<JournalEntry>, Unavailable> {
        // The lock is held for this statement only, not while the disk is read.
        let delivered =
            self.shared.delivered.lock().keys().filter(|(by, _)| *by == consumer).map(|(_, id)| *id).collect();
        self.read(|store| store.pending(consumer, from, most, most_bytes, &delivered))
    }

    /// An entry, if it still exists. Reads the disk.
    ///
    /// # Errors
    /// The disk fails.
    pub fn entry(&self, entry: EntryId) -> Result<Option<JournalEntry>, Unavailable> {
        self.read(|store| store.entry(entry))
    }

    /// The newest entry on disk. Changes with each commit, and when a failed disk can be read again.
    pub fn newest(&self) -> watch::Receiver<EntryId> {
        self.shared.newest.subscribe()
    }

    /// The number of pending entries of a consumer.
    pub fn pending_count(&self, consumer: Consumer) -> u64 {
        self.sum(consumer).entries
    }

    /// Whether a consumer has pending entries that do not wait for the quarantine.
    pub fn has_deliverable(&self, consumer: Consumer) -> bool {
        self.pending_count(consumer) > u64::try_from(self.pending_quarantine_of(consumer)).unwrap_or(u64::MAX)
    }

    /// The size of all records in bytes, as the limit counts them.
    pub fn bytes(&self) -> u64 {
        self.shared.totals.lock().bytes
    }

    /// The size of the pending payloads of a consumer, in bytes.
    pub fn pending_bytes(&self, consumer: Consumer) -> u64 {
        self.sum(consumer).bytes
    }

    fn sum(&self, consumer: Consumer) -> Sum {
        // Locks both, so that an entry is not subtracted twice.
        let delivered = self.shared.delivered.lock();
        let pending = self.shared.totals.lock().pending(consumer);
        delivered.iter().filter(|((by, _), _)| *by == consumer).fold(pending, |Sum { entries, bytes }, (_, payload)| {
            Sum { entries: entries.saturating_sub(1), bytes: bytes.saturating_sub(*payload) }
        })
    }

    /// Why new payloads are refused; none: they are not.
    pub fn fault(&self) -> Option<String> {
        let fault = self.shared.fault.lock().clone();
        fault.or_else(|| {
            let (bytes, limit) = (self.shared.totals.lock().bytes, self.shared.limits.max_bytes);
            // `u64::MAX` means that none was refused.
            let refused = self.shared.refused.load(Ordering::Relaxed);
            let full = refused < u64::MAX && bytes.saturating_add(refused) > limit;
            full.then(|| format!("the journal is full: {bytes} of {limit} bytes (--journal-max-bytes)"))
        })
    }

    /// Statistics. Reads the disk.
    pub fn stats(&self) -> JournalStats {
        let totals = self.shared.totals.lock().clone();
        let fault = self.fault();
        let pending = self.shared.names.iter().filter_map(|name| {
            let consumer = totals.consumer(name)?;
            let oldest = self.pending(consumer, 0, 1, 0).ok().and_then(|entries| Some(entries.first()?.received_ms));
            Some(ConsumerStats { name: name.clone(), entries: self.pending_count(consumer), oldest_ms: oldest })
        });
        let pending = pending.collect();
        JournalStats {
            entries: totals.entries,
            bytes: totals.bytes,
            max_bytes: self.shared.limits.max_bytes,
            fault,
            pending,
        }
    }

    /// The limits.
    pub fn limits(&self) -> JournalLimits {
        self.shared.limits
    }

    /// Whether the journal was closed.
    pub fn is_closed(&self) -> bool {
        self.commands.is_closed()
    }

    /// Writes pending marks and closes the file. Later appends are refused.
    pub async fn close(&self) {
        let (closed, done) = oneshot::channel();
        if self.commands.send(Command::Close(closed)).await.is_ok() {
            // An error means that the journal is closed already.
            let _ = done.await;
        }
    }

    fn read<T>(&self, read: impl FnOnce(&Store) -> Result<T, StoreError>) -> Result<T, Unavailable> {
        let store = self.shared.store.read();
        let Some(store) = store.as_ref() else { return Err(Unavailable) };
        read(store).map_err(|error| {
            *self.shared.seen_by_readers.lock() = Some(error);
            let _ = self.commands.try_send(Command::Flush);
            Unavailable
        })
    }
}
