//! The journal: what was acknowledged is on disk until everybody who is owed it has it.
//!
//! # Invariants
//!
//! 1. [`append`](Journal::append) answers `Ok` only when the payload is on disk and the disk was told to keep it
//!    (`fsync`). Whoever asks meanwhile waits for the same `fsync`: one transaction takes all that are there.
//! 2. An entry is owed to every destination there is when it is written. It stays until each of them has settled it,
//!    and no longer. Each destination has its own progress; none waits for another.
//! 3. Ids grow in the order of commits, so that a reader that goes through them in order misses none.
//! 4. [`settle`](Journal::settle) is written down a moment later, with what comes next. A crash in between repeats a
//!    delivery and never loses one.
//! 5. The journal never holds more than its limit; beyond it, `append` refuses. It never drops an entry by itself.
//! 6. A disk that fails or is full refuses new payloads, and is tried again each second: no restart is needed. Of what
//!    is damaged every entry whose checksum is right is taken over, and then it is moved aside whole.
//! 7. One process has the journal, by an exclusive lock on `lock`.
//!
//! # On disk
//!
//! `<data-dir>/journal/journal.redb` is a [redb](https://docs.rs/redb) database with these tables:
//!
//! | table | key | value |
//! |---|---|---|
//! | `entries` | id | a record |
//! | `owed` | (destination's number, id) | the payload's size |
//! | `owners` | destination's name | its number |
//! | `totals` | `format`, `next`, `bytes`, `entries`, `owed/<number>`, `owed_bytes/<number>` | format version 1, the next id, sums |
//!
//! A record holds all that is needed to find it in a damaged file without redb ([`record`]). A value is contiguous in
//! the file, in pages of a power of two times 4 KiB: the file may be twice as large as what it holds. redb uses the
//! space of entries that are gone again, and gives it back to the system when it is at the file's end.
//!
//! # Opening
//!
//! After a kill, redb verifies the whole database, unless the last transaction was told to leave behind what makes that
//! needless (quick repair), which costs each transaction a second `fsync`. Measured with 2 GiB in 500,000 entries on a
//! virtual disk: 34 s to open against 1.6 s, and 10 against 21 ms a transaction. So a journal of more than
//! [`store::QUICK_REPAIR_BYTES`] is written so that it opens at once, and a smaller one, which is what a journal is
//! when the destinations keep up, so that it is written fast and verified whole when it is opened.

pub mod age;
mod error;
pub mod held_back;
mod lock;
mod record;
mod salvage;
mod store;
mod totals;
mod writer;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot, watch};

pub use error::{AppendError, OpenError, Unavailable};
pub use record::Entry;

use crate::wasm::Context;
use held_back::HeldBack;
use lock::Lock;
use store::{Settled, Store, StoreError};
use totals::{Sum, Totals};
use writer::{Append, Command, Writer};

/// Names an entry, for as long as the journal exists.
pub type EntryId = u64;

/// The name of the destination behind the bridge, whichever it is.
pub const MLFLOW: &str = "mlflow";

/// How many appends may wait for the writer before their senders do.
const QUEUE: usize = 256;

/// What the journal may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Payloads with what belongs to them, in bytes; the file may be twice as large.
    pub max_bytes: u64,
    /// An entry that is older was not taken by somebody for too long.
    pub max_age: Duration,
}

/// One of those that entries are owed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Owner(u32);

/// How much is in the journal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JournalStats {
    /// Entries that somebody is owed.
    pub entries: u64,
    /// Their size, in bytes.
    pub bytes: u64,
    /// The most that this may be.
    pub max_bytes: u64,
    /// Why new payloads are refused; none: they are not.
    pub fault: Option<String>,
    /// For each destination, in the order in which they were named.
    pub owed: Vec<Owed>,
}

/// What one destination is owed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Owed {
    /// The destination's name.
    pub name: String,
    /// Entries that it has not settled.
    pub entries: u64,
    /// When the oldest of them was received, in milliseconds since the Unix epoch.
    pub oldest_ms: Option<u64>,
}

/// The journal. Cheap to clone; its thread ends when the last clone is gone.
#[derive(Debug, Clone)]
pub struct Journal {
    shared: Arc<Shared>,
    commands: mpsc::Sender<Command>,
}

/// What readers and the writer share.
#[derive(Debug)]
struct Shared {
    /// None while the disk fails.
    store: RwLock<Option<Store>>,
    /// Settled, and not yet written down: readers skip them.
    settled: Mutex<Settled>,
    /// The sums as of the last commit.
    totals: Mutex<Totals>,
    fault: Mutex<Option<String>>,
    /// The size of the smallest payload that was refused because there was no room for it, in bytes.
    refused: AtomicU64,
    /// What should be set aside and cannot be now.
    held_back: HeldBack,
    /// A fault that a reader met; the writer sees to it.
    seen_by_readers: Mutex<Option<StoreError>>,
    /// The newest entry on disk; told again whenever reading may have become possible again.
    newest: watch::Sender<EntryId>,
    names: Vec<String>,
    limits: Limits,
    folder: PathBuf,
}

// === impl Journal ===

impl Journal {
    /// Open the journal in this folder, or make one, and start its thread. `names` are those that entries are owed to;
    /// whoever was owed something before and is not among them is owed nothing any more. Must be called within a tokio
    /// runtime.
    ///
    /// # Errors
    /// Another process has it, or the folder cannot be used. Damage is no error: it is said in the log.
    pub fn open(folder: &Path, limits: Limits, names: &[String]) -> Result<(Self, Vec<Owner>), OpenError> {
        let lock = Lock::take(folder)?;
        let (store, totals) = salvage::open(folder, names, lock.first_time())?;
        let owners = names.iter().filter_map(|name| totals.owner(name)).collect();
        let (commands, queue) = mpsc::channel(QUEUE);
        let shared = Arc::new(Shared {
            newest: watch::Sender::new(totals.newest()),
            store: RwLock::new(Some(store)),
            settled: Mutex::default(),
            totals: Mutex::new(totals),
            fault: Mutex::default(),
            refused: AtomicU64::new(u64::MAX),
            held_back: HeldBack::default(),
            seen_by_readers: Mutex::default(),
            names: names.to_vec(),
            limits,
            folder: folder.to_path_buf(),
        });
        Writer::start(Arc::clone(&shared), queue, lock).map_err(|cause| OpenError::folder(folder, cause))?;
        Ok((Self { shared, commands }, owners))
    }

    /// Write a payload down, and say so to `answer` when it is on disk, or why it is not: from the journal's thread, in
    /// the order of ids. Waits while too many others do.
    pub async fn append(
        &self,
        payload: Bytes,
        context: Context,
        answer: impl FnOnce(Result<EntryId, AppendError>) + Send + 'static,
    ) {
        let append = Append { payload, context, answer: Box::new(answer) };
        if let Err(mpsc::error::SendError(Command::Append(append))) = self.commands.send(Command::Append(append)).await
        {
            (append.answer)(Err(AppendError::Closed));
        }
    }

    /// A destination needs an entry no more; `payload` is the size of its payload in bytes.
    pub fn settle(&self, owner: Owner, entry: EntryId, payload: usize) {
        let payload = u64::try_from(payload).unwrap_or(u64::MAX);
        guard(self.shared.settled.lock()).insert((owner, entry), payload);
        // A full queue will be worked on, and this with it.
        let _ = self.commands.try_send(Command::Settle);
    }

    /// Nobody needs an entry any more.
    pub fn withdraw(&self, entry: EntryId, payload: usize) {
        let owners = guard(self.shared.totals.lock()).owners();
        owners.into_iter().for_each(|owner| self.settle(owner, entry, payload));
    }

    /// What the destination is owed from this id on, oldest first: at most so many entries, and no more after so many
    /// bytes. Reads the disk.
    ///
    /// # Errors
    /// The disk fails; [`newest`](Self::newest) changes when it is worth another attempt.
    pub fn owed(&self, owner: Owner, from: EntryId, most: usize, most_bytes: usize) -> Result<Vec<Entry>, Unavailable> {
        // Held for this statement alone: nobody waits for the disk to settle something.
        let settled =
            guard(self.shared.settled.lock()).keys().filter(|(by, _)| *by == owner).map(|(_, id)| *id).collect();
        self.read(|store| store.owed(owner, from, most, most_bytes, &settled))
    }

    /// One entry, if it is still there. Reads the disk.
    ///
    /// # Errors
    /// The disk fails.
    pub fn entry(&self, entry: EntryId) -> Result<Option<Entry>, Unavailable> {
        self.read(|store| store.entry(entry))
    }

    /// The newest entry that is on disk. Changes with each commit, and when a disk that failed can be read again.
    pub fn newest(&self) -> watch::Receiver<EntryId> {
        self.shared.newest.subscribe()
    }

    /// How many entries the destination is owed.
    pub fn owed_count(&self, owner: Owner) -> u64 {
        self.sum(owner).entries
    }

    /// Whether the destination is owed anything that does not wait to be set aside.
    pub fn owes(&self, owner: Owner) -> bool {
        self.owed_count(owner) > u64::try_from(self.held_back_of(owner)).unwrap_or(u64::MAX)
    }

    /// How much it holds, in bytes, as its limit counts them.
    pub fn bytes(&self) -> u64 {
        guard(self.shared.totals.lock()).bytes
    }

    /// The size of the payloads that the destination is owed, in bytes.
    pub fn owed_bytes(&self, owner: Owner) -> u64 {
        self.sum(owner).bytes
    }

    fn sum(&self, owner: Owner) -> Sum {
        // Both at once, so that nothing is counted as settled that is counted as gone.
        let settled = guard(self.shared.settled.lock());
        let owed = guard(self.shared.totals.lock()).owed(owner);
        settled.iter().filter(|((by, _), _)| *by == owner).fold(owed, |Sum { entries, bytes }, (_, payload)| Sum {
            entries: entries.saturating_sub(1),
            bytes: bytes.saturating_sub(*payload),
        })
    }

    /// Why new payloads are refused; none: they are not.
    pub fn fault(&self) -> Option<String> {
        let fault = guard(self.shared.fault.lock()).clone();
        fault.or_else(|| {
            let (bytes, limit) = (guard(self.shared.totals.lock()).bytes, self.shared.limits.max_bytes);
            // None was refused as long as this is the greatest number there is.
            let refused = self.shared.refused.load(Ordering::Relaxed);
            let full = refused < u64::MAX && bytes.saturating_add(refused) > limit;
            full.then(|| format!("it holds {bytes} bytes of the {limit} that --journal-max-bytes allows"))
        })
    }

    /// How much there is. Reads the disk.
    pub fn stats(&self) -> JournalStats {
        let totals = guard(self.shared.totals.lock()).clone();
        let fault = self.fault();
        let owed = self.shared.names.iter().filter_map(|name| {
            let owner = totals.owner(name)?;
            let oldest = self.owed(owner, 0, 1, 0).ok().and_then(|entries| Some(entries.first()?.received_ms));
            Some(Owed { name: name.clone(), entries: self.owed_count(owner), oldest_ms: oldest })
        });
        let owed = owed.collect();
        JournalStats {
            entries: totals.entries,
            bytes: totals.bytes,
            max_bytes: self.shared.limits.max_bytes,
            fault,
            owed,
        }
    }

    /// What the journal may hold.
    pub fn limits(&self) -> Limits {
        self.shared.limits
    }

    /// Whether the journal was closed.
    pub fn is_closed(&self) -> bool {
        self.commands.is_closed()
    }

    /// Write down what was settled, and let go of the file. Later appends are refused.
    pub async fn close(&self) {
        let (closed, done) = oneshot::channel();
        if self.commands.send(Command::Close(closed)).await.is_ok() {
            // An error means that it was closed already.
            let _ = done.await;
        }
    }

    fn read<T>(&self, read: impl FnOnce(&Store) -> Result<T, StoreError>) -> Result<T, Unavailable> {
        let store = self.shared.store.read().unwrap_or_else(PoisonError::into_inner);
        let Some(store) = store.as_ref() else { return Err(Unavailable) };
        read(store).map_err(|error| {
            *guard(self.shared.seen_by_readers.lock()) = Some(error);
            let _ = self.commands.try_send(Command::Settle);
            Unavailable
        })
    }
}

/// A lock whose holder panicked guards values that are whole all the same: each is changed in one step.
fn guard<T>(lock: Result<T, PoisonError<T>>) -> T {
    lock.unwrap_or_else(PoisonError::into_inner)
}
