//! Opens, reads and writes the database of the journal in transactions. `totals` defines its tables.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use bytes::Bytes;
use redb::{Builder, Database, ReadableDatabase};

use super::record::{self, JournalEntry};
use super::totals::{ENTRIES, FORMAT, PENDING, Tables, Totals, size};
use super::{Consumer, EntryId};
use crate::folder::sync;
use crate::payload::PayloadContext;

/// A larger journal uses quick repair, so that it opens fast after a kill.
pub(super) const QUICK_REPAIR_BYTES: u64 = 64 << 20;
/// A larger file is not verified when it is opened. Each record is verified when it is read.
const VERIFIED_WHOLE: u64 = 256 << 20;
/// The size of the page cache, in bytes.
const CACHE: usize = 32 << 20;

/// The open database.
pub(super) struct Store {
    database: Database,
}

/// Entries that were marked as delivered, with the size of each payload.
pub(super) type Delivered = HashMap<(Consumer, EntryId), u64>;

/// A failure of the database.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoreError {
    /// The file is damaged.
    #[error("the file is damaged: {0}")]
    Damaged(String),
    /// An I/O error. The database must be reopened.
    #[error("{0}")]
    Io(io::Error),
    /// A later version wrote it.
    #[error("the journal has format {0}")]
    Format(u64),
}

/// A new entry.
pub(super) struct NewEntry<'a> {
    pub(super) received_ms: u64,
    pub(super) payload: &'a Bytes,
    pub(super) context: &'a PayloadContext,
}

// === impl Store ===

impl Store {
    /// Opens the database or creates one, for these consumers only. `known` are the numbers that consumers have
    /// already. Verifies the file if it is small or if `verify` is set.
    pub(super) fn open(
        path: &Path,
        names: &[String],
        known: &BTreeMap<String, Consumer>,
        verify: bool,
    ) -> Result<(Self, Totals), StoreError> {
        let length = path.metadata().map_or(0, |metadata| metadata.len());
        let database = guarded(|| {
            let mut builder = Builder::new();
            builder.set_cache_size(CACHE).set_check_integrity_on_open(verify || length <= VERIFIED_WHOLE);
            Ok(builder.create(path)?)
        });
        let store = Self { database: database? };
        let (format, totals) = guarded(|| {
            let transaction = store.database.begin_write()?;
            let totals = Totals::read(&transaction)?;
            transaction.abort()?;
            Ok(totals)
        })?;
        if let Some(format) = format.filter(|format| *format != FORMAT) {
            return Err(StoreError::Format(format));
        }
        let totals = store.set_consumers(names, known, totals)?;
        if length == 0 {
            // The file survives a crash only after its folder is synced.
            sync(path.parent().unwrap_or(path)).map_err(StoreError::Io)?;
        }
        Ok((store, totals))
    }

    /// Writes new entries and delivery marks in one durable transaction. The first entry gets the next id, the others
    /// follow. Returns the new totals.
    pub(super) fn commit(
        &self,
        totals: &Totals,
        entries: &[NewEntry<'_>],
        delivered: &Delivered,
    ) -> Result<Totals, StoreError> {
        let ids = totals.next..;
        let records = ids.zip(entries).map(|(id, entry)| {
            let NewEntry { received_ms, payload, context } = entry;
            (id, record::encode(id, *received_ms, payload, context), size(payload.len()))
        });
        self.write(totals, records, delivered)
    }

    /// Copies records of another file under their ids.
    pub(super) fn take_over(&self, totals: &Totals, records: Vec<(EntryId, Vec<u8>)>) -> Result<Totals, StoreError> {
        let sized = records.into_iter().map(|(id, record)| {
            let payload = record::decode(&record).map_or(0, |entry| size(entry.payload.len()));
            (id, record, payload)
        });
        self.write(totals, sized, &Delivered::new())
    }

    fn write(
        &self,
        totals: &Totals,
        records: impl Iterator<Item = (EntryId, Vec<u8>, u64)>,
        delivered: &Delivered,
    ) -> Result<Totals, StoreError> {
        let mut totals = totals.clone();
        guarded(|| {
            let mut transaction = self.database.begin_write()?;
            let mut tables = Tables::open(&transaction)?;
            for (consumer, entry) in delivered.keys() {
                totals.remove(&mut tables, *consumer, *entry)?;
            }
            for (id, record, payload) in records {
                totals.insert(&mut tables, id, &record, payload)?;
            }
            drop(tables);
            totals.write(&transaction)?;
            transaction.set_quick_repair(totals.bytes > QUICK_REPAIR_BYTES);
            transaction.commit()?;
            Ok(totals)
        })
    }

    /// The pending entries from this id on: at most `most`, and no more after `most_bytes` bytes, but at least one.
    pub(super) fn pending(
        &self,
        consumer: Consumer,
        from: EntryId,
        most: usize,
        most_bytes: usize,
        skipped: &HashSet<EntryId>,
    ) -> Result<Vec<JournalEntry>, StoreError> {
        let found = guarded(|| {
            let transaction = self.database.begin_read()?;
            let (pending, entries) = (transaction.open_table(PENDING)?, transaction.open_table(ENTRIES)?);
            let mut found = Vec::new();
            let mut bytes = 0;
            for row in pending.range((consumer.0, from)..=(consumer.0, EntryId::MAX))? {
                let (_, id) = row?.0.value();
                if skipped.contains(&id) {
                    continue;
                }
                if found.len() >= most || (bytes > most_bytes && !found.is_empty()) {
                    break;
                }
                let entry = entries.get(id)?.and_then(|record| record::decode(record.value()));
                bytes += entry.as_ref().map_or(0, |entry| entry.payload.len());
                found.push(entry.ok_or(id));
            }
            Ok(found)
        });
        found?.into_iter().collect::<Result<_, _>>().map_err(unreadable)
    }

    pub(super) fn entry(&self, id: EntryId) -> Result<Option<JournalEntry>, StoreError> {
        let found = guarded(|| {
            let entries = self.database.begin_read()?.open_table(ENTRIES)?;
            let found = entries.get(id)?.map(|record| record::decode(record.value()).ok_or(id));
            Ok(found.transpose())
        });
        found?.map_err(unreadable)
    }

    /// Sets the consumers. Entries of others are removed.
    fn set_consumers(
        &self,
        names: &[String],
        known: &BTreeMap<String, Consumer>,
        mut totals: Totals,
    ) -> Result<Totals, StoreError> {
        guarded(|| {
            let transaction = self.database.begin_write()?;
            // Creates the tables, so that readers find them.
            drop(Tables::open(&transaction)?);
            totals.set_consumers(&transaction, names, known)?;
            totals.write(&transaction)?;
            transaction.commit()?;
            Ok(totals)
        })
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

fn unreadable(id: EntryId) -> StoreError {
    StoreError::Damaged(format!("entry {id} has a wrong checksum"))
}

/// redb may panic on a damaged file. Treats a panic as damage.
fn guarded<T>(work: impl FnOnce() -> Result<T, redb::Error>) -> Result<T, StoreError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done.map_err(StoreError::from),
        Err(_) => Err(StoreError::Damaged("redb panicked".to_owned())),
    }
}

impl From<redb::Error> for StoreError {
    fn from(error: redb::Error) -> Self {
        match error {
            redb::Error::Io(cause) => match cause.kind() {
                ErrorKind::UnexpectedEof | ErrorKind::InvalidData => Self::Damaged(cause.to_string()),
                _ => Self::Io(cause),
            },
            error @ (redb::Error::PreviousIo
            | redb::Error::DatabaseClosed
            | redb::Error::LockPoisoned(_)
            | redb::Error::DatabaseAlreadyOpen) => Self::Io(io::Error::other(error.to_string())),
            error => Self::Damaged(error.to_string()),
        }
    }
}
