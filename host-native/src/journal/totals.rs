//! The tables of the database, and the sums over them. Each transaction that changes an entry changes its sums too.

use std::collections::BTreeMap;

use redb::{ReadableTable, Table, TableDefinition, WriteTransaction};

use super::{Consumer, EntryId};

/// The version of the on-disk format.
pub(super) const FORMAT: u64 = 1;

pub(super) const ENTRIES: TableDefinition<'_, EntryId, &[u8]> = TableDefinition::new("entries");
pub(super) const PENDING: TableDefinition<'_, (u32, EntryId), u64> = TableDefinition::new("owed");
const OWNERS: TableDefinition<'_, &str, u32> = TableDefinition::new("owners");
const TOTALS: TableDefinition<'_, &str, u64> = TableDefinition::new("totals");

/// The tables that a transaction changes entry by entry. Opened once per transaction, because opening a table costs as
/// much as changing it.
pub(super) struct Tables<'transaction> {
    entries: Table<'transaction, EntryId, &'static [u8]>,
    pending: Table<'transaction, (u32, EntryId), u64>,
}

/// The sums, the next id and the consumers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) next: EntryId,
    pub(super) bytes: u64,
    pub(super) entries: u64,
    pending: BTreeMap<Consumer, Sum>,
    consumers: BTreeMap<String, Consumer>,
}

/// What is pending for one consumer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) entries: u64,
    /// The size of their payloads.
    pub(super) bytes: u64,
}

// === impl Tables ===

impl<'transaction> Tables<'transaction> {
    pub(super) fn open(transaction: &'transaction WriteTransaction) -> Result<Self, redb::Error> {
        Ok(Self { entries: transaction.open_table(ENTRIES)?, pending: transaction.open_table(PENDING)? })
    }
}

// === impl Totals ===

impl Totals {
    /// The id of the newest entry, or 0.
    pub(super) fn newest(&self) -> EntryId {
        self.next.saturating_sub(1)
    }

    pub(super) fn pending(&self, consumer: Consumer) -> Sum {
        self.pending.get(&consumer).copied().unwrap_or_default()
    }

    pub(super) fn consumers(&self) -> Vec<Consumer> {
        self.consumers.values().copied().collect()
    }

    pub(super) fn consumer(&self, name: &str) -> Option<Consumer> {
        self.consumers.get(name).copied()
    }

    /// The numbers of the consumers, by name.
    pub(super) fn known(&self) -> BTreeMap<String, Consumer> {
        self.consumers.clone()
    }

    pub(super) fn read(transaction: &WriteTransaction) -> Result<(Option<u64>, Self), redb::Error> {
        let sums = transaction.open_table(TOTALS)?;
        let consumers = transaction.open_table(OWNERS)?;
        let sum = |name: &str| Ok::<_, redb::Error>(sums.get(name)?.map(|sum| sum.value()));
        let mut totals = Self {
            next: sum("next")?.unwrap_or(1),
            bytes: sum("bytes")?.unwrap_or(0),
            entries: sum("entries")?.unwrap_or(0),
            ..Self::default()
        };
        for row in consumers.iter()? {
            let (name, number) = row?;
            let consumer = Consumer(number.value());
            totals.consumers.insert(name.value().to_owned(), consumer);
            let [entries, bytes] = sum_keys(consumer);
            let pending = Sum { entries: sum(&entries)?.unwrap_or(0), bytes: sum(&bytes)?.unwrap_or(0) };
            totals.pending.insert(consumer, pending);
        }
        Ok((sum("format")?, totals))
    }

    /// Sets the consumers. Entries of others are removed. Known consumers keep their numbers, which readers hold.
    pub(super) fn set_consumers(
        &mut self,
        transaction: &WriteTransaction,
        names: &[String],
        known: &BTreeMap<String, Consumer>,
    ) -> Result<(), redb::Error> {
        let gone: Vec<_> = self.consumers.keys().filter(|name| !names.contains(name)).cloned().collect();
        for name in gone {
            let Some(consumer) = self.consumers.remove(&name) else { continue };
            let ids = pending_ids(transaction, consumer)?;
            let mut tables = Tables::open(transaction)?;
            for id in &ids {
                self.remove(&mut tables, consumer, *id)?;
            }
            drop(tables);
            self.pending.remove(&consumer);
            transaction.open_table(OWNERS)?.remove(name.as_str())?;
            for sum in sum_keys(consumer) {
                transaction.open_table(TOTALS)?.remove(sum.as_str())?;
            }
            if !ids.is_empty() {
                let entries = ids.len();
                tracing::warn!(entries, "{name} was removed; discarding its pending payloads");
            }
        }
        let mut next = self.consumers.values().chain(known.values()).map(|consumer| consumer.0 + 1).max().unwrap_or(0);
        for name in names {
            if !self.consumers.contains_key(name) {
                let consumer = known.get(name).copied().unwrap_or_else(|| {
                    next += 1;
                    Consumer(next - 1)
                });
                self.consumers.insert(name.clone(), consumer);
                transaction.open_table(OWNERS)?.insert(name.as_str(), consumer.0)?;
            }
        }
        Ok(())
    }

    pub(super) fn write(&self, transaction: &WriteTransaction) -> Result<(), redb::Error> {
        let mut sums = transaction.open_table(TOTALS)?;
        let fixed = [("format", FORMAT), ("next", self.next), ("bytes", self.bytes), ("entries", self.entries)];
        for (name, sum) in fixed {
            sums.insert(name, sum)?;
        }
        for (consumer, Sum { entries, bytes }) in &self.pending {
            let [entries_sum, bytes_sum] = sum_keys(*consumer);
            sums.insert(entries_sum.as_str(), entries)?;
            sums.insert(bytes_sum.as_str(), bytes)?;
        }
        Ok(())
    }

    pub(super) fn insert(
        &mut self,
        tables: &mut Tables<'_>,
        id: EntryId,
        record: &[u8],
        payload: u64,
    ) -> Result<(), redb::Error> {
        let replaced = tables.entries.insert(id, record)?.map(|old| old.value().len());
        self.entries += u64::from(replaced.is_none());
        self.bytes = self.bytes.saturating_sub(size(replaced.unwrap_or(0))).saturating_add(size(record.len()));
        self.next = self.next.max(id.saturating_add(1));
        for consumer in self.consumers.values() {
            if tables.pending.insert((consumer.0, id), payload)?.is_none() {
                let sum = self.pending.entry(*consumer).or_default();
                sum.entries += 1;
                sum.bytes = sum.bytes.saturating_add(payload);
            }
        }
        Ok(())
    }

    pub(super) fn remove(
        &mut self,
        tables: &mut Tables<'_>,
        consumer: Consumer,
        id: EntryId,
    ) -> Result<(), redb::Error> {
        let payload = tables.pending.remove((consumer.0, id))?.map(|payload| payload.value());
        let Some(payload) = payload else { return Ok(()) };
        if let Some(sum) = self.pending.get_mut(&consumer) {
            sum.entries = sum.entries.saturating_sub(1);
            sum.bytes = sum.bytes.saturating_sub(payload);
        }
        for other in self.consumers.values() {
            if tables.pending.get((other.0, id))?.is_some() {
                return Ok(());
            }
        }
        if let Some(record) = tables.entries.remove(id)? {
            self.entries = self.entries.saturating_sub(1);
            self.bytes = self.bytes.saturating_sub(size(record.value().len()));
        }
        Ok(())
    }
}

fn pending_ids(transaction: &WriteTransaction, consumer: Consumer) -> Result<Vec<EntryId>, redb::Error> {
    let pending = transaction.open_table(PENDING)?;
    pending.range((consumer.0, 0)..=(consumer.0, EntryId::MAX))?.map(|row| Ok(row?.0.value().1)).collect()
}

fn sum_keys(consumer: Consumer) -> [String; 2] {
    [format!("owed/{}", consumer.0), format!("owed_bytes/{}", consumer.0)]
}

pub(super) fn size(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
