//! The tables of the database, and the sums that are kept beside them: whatever changes an entry changes what it adds up to
//! in the same transaction.

use std::collections::BTreeMap;

use redb::{ReadableTable, Table, TableDefinition, WriteTransaction};

use super::{EntryId, Owner};

/// The version of the tables and what they mean.
pub(super) const FORMAT: u64 = 1;

pub(super) const ENTRIES: TableDefinition<'_, EntryId, &[u8]> = TableDefinition::new("entries");
pub(super) const OWED: TableDefinition<'_, (u32, EntryId), u64> = TableDefinition::new("owed");
const OWNERS: TableDefinition<'_, &str, u32> = TableDefinition::new("owners");
const TOTALS: TableDefinition<'_, &str, u64> = TableDefinition::new("totals");

/// What a transaction changes entry by entry: opened once for all of them, because opening and closing a table costs as
/// much as changing it.
pub(super) struct Tables<'transaction> {
    entries: Table<'transaction, EntryId, &'static [u8]>,
    owed: Table<'transaction, (u32, EntryId), u64>,
}

/// What is in the database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) next: EntryId,
    pub(super) bytes: u64,
    pub(super) entries: u64,
    owed: BTreeMap<Owner, Sum>,
    owners: BTreeMap<String, Owner>,
}

/// What one destination is owed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) entries: u64,
    /// Of their payloads.
    pub(super) bytes: u64,
}

// === impl Tables ===

impl<'transaction> Tables<'transaction> {
    pub(super) fn open(transaction: &'transaction WriteTransaction) -> Result<Self, redb::Error> {
        Ok(Self { entries: transaction.open_table(ENTRIES)?, owed: transaction.open_table(OWED)? })
    }
}

// === impl Totals ===

impl Totals {
    /// The newest entry's id, or 0.
    pub(super) fn newest(&self) -> EntryId {
        self.next.saturating_sub(1)
    }

    pub(super) fn owed(&self, owner: Owner) -> Sum {
        self.owed.get(&owner).copied().unwrap_or_default()
    }

    pub(super) fn owners(&self) -> Vec<Owner> {
        self.owners.values().copied().collect()
    }

    pub(super) fn owner(&self, name: &str) -> Option<Owner> {
        self.owners.get(name).copied()
    }

    /// The numbers of the destinations, by name.
    pub(super) fn known(&self) -> BTreeMap<String, Owner> {
        self.owners.clone()
    }

    pub(super) fn read(transaction: &WriteTransaction) -> Result<(Option<u64>, Self), redb::Error> {
        let sums = transaction.open_table(TOTALS)?;
        let owners = transaction.open_table(OWNERS)?;
        let sum = |name: &str| Ok::<_, redb::Error>(sums.get(name)?.map(|sum| sum.value()));
        let mut totals = Self {
            next: sum("next")?.unwrap_or(1),
            bytes: sum("bytes")?.unwrap_or(0),
            entries: sum("entries")?.unwrap_or(0),
            ..Self::default()
        };
        for row in owners.iter()? {
            let (name, number) = row?;
            let owner = Owner(number.value());
            totals.owners.insert(name.value().to_owned(), owner);
            let [entries, bytes] = owed_sums(owner);
            let owed = Sum { entries: sum(&entries)?.unwrap_or(0), bytes: sum(&bytes)?.unwrap_or(0) };
            totals.owed.insert(owner, owed);
        }
        Ok((sum("format")?, totals))
    }

    /// Entries are owed to these destinations from here on, and to nobody else. Those that are known keep their numbers, which
    /// others hold as well.
    pub(super) fn settle_on(
        &mut self,
        transaction: &WriteTransaction,
        names: &[String],
        known: &BTreeMap<String, Owner>,
    ) -> Result<(), redb::Error> {
        let gone: Vec<_> = self.owners.keys().filter(|name| !names.contains(name)).cloned().collect();
        for name in gone {
            let Some(owner) = self.owners.remove(&name) else { continue };
            let ids = ids_owed(transaction, owner)?;
            let mut tables = Tables::open(transaction)?;
            for id in &ids {
                self.remove(&mut tables, owner, *id)?;
            }
            drop(tables);
            self.owed.remove(&owner);
            transaction.open_table(OWNERS)?.remove(name.as_str())?;
            for sum in owed_sums(owner) {
                transaction.open_table(TOTALS)?.remove(sum.as_str())?;
            }
            if !ids.is_empty() {
                let entries = ids.len();
                tracing::warn!(entries, "{name} is no destination any more, and was still owed payloads: it gets none");
            }
        }
        let mut next = self.owners.values().chain(known.values()).map(|owner| owner.0 + 1).max().unwrap_or(0);
        for name in names {
            if !self.owners.contains_key(name) {
                let owner = known.get(name).copied().unwrap_or_else(|| {
                    next += 1;
                    Owner(next - 1)
                });
                self.owners.insert(name.clone(), owner);
                transaction.open_table(OWNERS)?.insert(name.as_str(), owner.0)?;
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
        for (owner, Sum { entries, bytes }) in &self.owed {
            let [entries_sum, bytes_sum] = owed_sums(*owner);
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
        for owner in self.owners.values() {
            if tables.owed.insert((owner.0, id), payload)?.is_none() {
                let sum = self.owed.entry(*owner).or_default();
                sum.entries += 1;
                sum.bytes = sum.bytes.saturating_add(payload);
            }
        }
        Ok(())
    }

    pub(super) fn remove(&mut self, tables: &mut Tables<'_>, owner: Owner, id: EntryId) -> Result<(), redb::Error> {
        let payload = tables.owed.remove((owner.0, id))?.map(|payload| payload.value());
        let Some(payload) = payload else { return Ok(()) };
        if let Some(sum) = self.owed.get_mut(&owner) {
            sum.entries = sum.entries.saturating_sub(1);
            sum.bytes = sum.bytes.saturating_sub(payload);
        }
        for other in self.owners.values() {
            if tables.owed.get((other.0, id))?.is_some() {
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

fn ids_owed(transaction: &WriteTransaction, owner: Owner) -> Result<Vec<EntryId>, redb::Error> {
    let owed = transaction.open_table(OWED)?;
    owed.range((owner.0, 0)..=(owner.0, EntryId::MAX))?.map(|row| Ok(row?.0.value().1)).collect()
}

fn owed_sums(owner: Owner) -> [String; 2] {
    [format!("owed/{}", owner.0), format!("owed_bytes/{}", owner.0)]
}

pub(super) fn size(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
