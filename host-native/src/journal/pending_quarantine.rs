//! Marks on entries that belong in the quarantine but do not fit there now. The journal keeps such an entry until
//! the quarantine takes it.
//!
//! If MLflow refused one span of a payload, the mark covers the whole payload: sending the other spans again changes
//! nothing, because MLflow overwrites a span with itself. Marks live in memory. After a restart the payload is
//! delivered again, and the span is refused again.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use parking_lot::Mutex;

use super::{Consumer, EntryId, Journal};

/// The most marks in memory. Entries beyond that stay in the journal until the next start.
const MAX_MARKS: usize = 1 << 17;

/// The marks, by consumer and entry.
#[derive(Debug, Default)]
pub(super) struct PendingQuarantine(Mutex<BTreeMap<PendingKey, PendingEntry>>);

/// The consumer that did not take an entry, and the entry.
pub type PendingKey = (Consumer, EntryId);

/// Why an entry belongs in the quarantine.
#[derive(Debug, Clone)]
pub struct PendingEntry {
    /// The forward destination; none for MLflow.
    pub destination: Option<Arc<str>>,
    /// The reason.
    pub reason: Arc<str>,
}

// === impl PendingQuarantine ===

impl PendingQuarantine {
    fn add(&self, key: PendingKey, destination: Option<&str>, reason: &Arc<str>) {
        let mut entries = self.0.lock();
        if entries.is_empty() {
            tracing::error!(
                "the quarantine cannot store a payload; the journal keeps it and the gateway retries. /readyz says why; \
                 `openinference-mlflow quarantine drop` or `quarantine replay` makes room"
            );
        }
        if entries.len() < MAX_MARKS {
            // Consecutive entries usually share their reason: keep one copy of the text.
            let last = entries.last_key_value().map(|(_, last)| Arc::clone(&last.reason));
            let reason = last.filter(|last| last == reason).unwrap_or_else(|| Arc::clone(reason));
            entries.insert(key, PendingEntry { destination: destination.map(Arc::from), reason });
        }
    }
}

// === impl Journal ===

impl Journal {
    /// Marks an entry that belongs in the quarantine but does not fit there now. It stays pending for its consumer.
    /// `destination` is the forward destination; none for MLflow.
    pub fn mark_for_quarantine(
        &self,
        consumer: Consumer,
        entry: EntryId,
        destination: Option<&str>,
        reason: &Arc<str>,
    ) {
        self.shared.pending_quarantine.add((consumer, entry), destination, reason);
    }

    /// The number of marked entries.
    pub fn pending_quarantine(&self) -> usize {
        self.shared.pending_quarantine.0.lock().len()
    }

    /// The number of entries that are marked for this consumer.
    pub fn pending_quarantine_of(&self, consumer: Consumer) -> usize {
        self.shared.pending_quarantine.0.lock().range((consumer, 0)..=(consumer, EntryId::MAX)).count()
    }

    /// Whether this entry is marked for this consumer.
    pub fn is_pending_quarantine(&self, consumer: Consumer, entry: EntryId) -> bool {
        self.shared.pending_quarantine.0.lock().contains_key(&(consumer, entry))
    }

    /// The next marked entry.
    pub fn next_pending_quarantine(&self, from: Bound<PendingKey>) -> Option<(PendingKey, PendingEntry)> {
        let entries = self.shared.pending_quarantine.0.lock();
        entries.range((from, Bound::Unbounded)).next().map(|(key, entry)| (*key, entry.clone()))
    }

    /// Removes a mark.
    pub fn unmark_for_quarantine(&self, key: PendingKey) {
        self.shared.pending_quarantine.0.lock().remove(&key);
    }
}
