//! The database behind the journal: opened, written and read in transactions. What its tables hold is in `totals`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use bytes::Bytes;
use redb::{Builder, Database, ReadableDatabase};

use super::record::{self, Entry};
use super::totals::{ENTRIES, FORMAT, OWED, Tables, Totals, size};
use super::{EntryId, Owner};
use crate::folder::sync;
use crate::wasm::Context;

/// A journal that holds more is written so that it opens at once after a kill.
pub(super) const QUICK_REPAIR_BYTES: u64 = 64 << 20;
/// A file that is larger is not verified whole when it is opened; each record is verified when it is read.
const VERIFIED_WHOLE: u64 = 256 << 20;
/// Memory for pages, in bytes.
const CACHE: usize = 32 << 20;

/// The database, open.
pub(super) struct Store {
    database: Database,
}

/// What was settled, with the size of each payload.
pub(super) type Settled = HashMap<(Owner, EntryId), u64>;

/// The database cannot do what it should.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoreError {
    /// What is in the file makes no sense.
    #[error("the file is damaged: {0}")]
    Damaged(String),
    /// The system refuses; the database has to be opened again.
    #[error("{0}")]
    Io(io::Error),
    /// A later version wrote it.
    #[error("the journal has format {0}")]
    Format(u64),
}

/// An entry to be written.
pub(super) struct NewEntry<'a> {
    pub(super) received_ms: u64,
    pub(super) payload: &'a Bytes,
    pub(super) context: &'a Context,
}

// === impl Store ===

impl Store {
    /// Open the database or make one, for these destinations alone, under the numbers by which they are known. Verifies the file when it is small or `verify` says
    /// so.
    pub(super) fn open(
        path: &Path,
        names: &[String],
        known: &BTreeMap<String, Owner>,
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
        let totals = store.settle_on(names, known, totals)?;
        if length == 0 {
            // The file is there after a crash only when its folder says so.
            sync(path.parent().unwrap_or(path)).map_err(StoreError::Io)?;
        }
        Ok((store, totals))
    }

    /// Writes new entries, and what was settled, in one durable transaction. The first entry gets the next id, the
    /// others follow it. Returns what there is then.
    pub(super) fn commit(
        &self,
        totals: &Totals,
        entries: &[NewEntry<'_>],
        settled: &Settled,
    ) -> Result<Totals, StoreError> {
        let ids = totals.next..;
        let records = ids.zip(entries).map(|(id, entry)| {
            let NewEntry { received_ms, payload, context } = entry;
            (id, record::encode(id, *received_ms, payload, context), size(payload.len()))
        });
        self.write(totals, records, settled)
    }

    /// Takes records over that another file held, under the ids that they have.
    pub(super) fn take_over(&self, totals: &Totals, records: Vec<(EntryId, Vec<u8>)>) -> Result<Totals, StoreError> {
        let sized = records.into_iter().map(|(id, record)| {
            let payload = record::decode(&record).map_or(0, |entry| size(entry.payload.len()));
            (id, record, payload)
        });
        self.write(totals, sized, &Settled::new())
    }

    fn write(
        &self,
        totals: &Totals,
        records: impl Iterator<Item = (EntryId, Vec<u8>, u64)>,
        settled: &Settled,
    ) -> Result<Totals, StoreError> {
        let mut totals = totals.clone();
        guarded(|| {
            let mut transaction = self.database.begin_write()?;
            let mut tables = Tables::open(&transaction)?;
            for (owner, entry) in settled.keys() {
                totals.remove(&mut tables, *owner, *entry)?;
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

    /// What is owed from this id on: so many entries, and no more after so many bytes, but one at least.
    pub(super) fn owed(
        &self,
        owner: Owner,
        from: EntryId,
        most: usize,
        most_bytes: usize,
        skipped: &HashSet<EntryId>,
    ) -> Result<Vec<Entry>, StoreError> {
        let found = guarded(|| {
            let transaction = self.database.begin_read()?;
            let (owed, entries) = (transaction.open_table(OWED)?, transaction.open_table(ENTRIES)?);
            let mut found = Vec::new();
            let mut bytes = 0;
            for row in owed.range((owner.0, from)..=(owner.0, EntryId::MAX))? {
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

    pub(super) fn entry(&self, id: EntryId) -> Result<Option<Entry>, StoreError> {
        let found = guarded(|| {
            let entries = self.database.begin_read()?.open_table(ENTRIES)?;
            let found = entries.get(id)?.map(|record| record::decode(record.value()).ok_or(id));
            Ok(found.transpose())
        });
        found?.map_err(unreadable)
    }

    /// Entries are owed to these destinations from here on, and to nobody else.
    fn settle_on(
        &self,
        names: &[String],
        known: &BTreeMap<String, Owner>,
        mut totals: Totals,
    ) -> Result<Totals, StoreError> {
        guarded(|| {
            let transaction = self.database.begin_write()?;
            // Made, so that readers find them.
            drop(Tables::open(&transaction)?);
            totals.settle_on(&transaction, names, known)?;
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
    StoreError::Damaged(format!("entry {id} is not as it was written"))
}

/// What redb does not expect of a damaged file makes it panic; here that is damage like any other.
fn guarded<T>(work: impl FnOnce() -> Result<T, redb::Error>) -> Result<T, StoreError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done.map_err(StoreError::from),
        Err(_) => Err(StoreError::Damaged("the database cannot make sense of it".to_owned())),
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
