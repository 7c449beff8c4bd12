//! The status of a destination, for operators.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use parking_lot::Mutex;

use crate::driver::Waiting;
use crate::journal::{Consumer, EntryId, Journal};

/// The current status of one destination. Clones share it.
#[derive(Clone)]
pub struct DestinationStatus(Arc<Shared>);

struct Shared {
    name: String,
    consumer: Consumer,
    journal: Journal,
    /// The current problem, if any.
    trouble: Mutex<Option<String>>,
    /// The receive times of entries that were read and are not done. The oldest pending entry is among them.
    received: Mutex<BTreeMap<EntryId, u64>>,
    /// The number of payloads that a source has lent.
    lent: AtomicUsize,
}

// === impl DestinationStatus ===

impl DestinationStatus {
    pub(super) fn new(name: String, consumer: Consumer, journal: Journal) -> Self {
        let (trouble, received, lent) = Default::default();
        Self(Arc::new(Shared { name, consumer, journal, trouble, received, lent }))
    }

    /// The URL, without credentials.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Why the destination accepts nothing. None: it does, or was not tried yet.
    pub fn trouble(&self) -> Option<String> {
        self.0.trouble.lock().clone()
    }

    /// What is pending in the journal.
    pub fn waiting(&self) -> Waiting {
        let Shared { consumer, journal, received, .. } = &*self.0;
        let oldest = received.lock().values().next().copied();
        Waiting {
            payloads: journal.pending_count(*consumer),
            bytes: journal.pending_bytes(*consumer),
            oldest: oldest.map(|millis| UNIX_EPOCH + Duration::from_millis(millis)),
        }
    }

    /// Whether payloads are pending and the destination accepts them.
    pub(super) fn is_working_it_off(&self) -> bool {
        let any = self.0.journal.has_deliverable(self.0.consumer) || self.0.lent.load(Ordering::Relaxed) > 0;
        any && self.trouble().is_none()
    }

    /// A source has lent a payload.
    pub(super) fn lent(&self) {
        self.0.lent.fetch_add(1, Ordering::Relaxed);
    }

    /// A source has a payload back.
    pub(super) fn returned(&self) {
        self.0.lent.fetch_sub(1, Ordering::Relaxed);
    }

    /// Returns the previous problem.
    pub(super) fn set_trouble(&self, trouble: Option<String>) -> Option<String> {
        std::mem::replace(&mut *self.0.trouble.lock(), trouble)
    }

    pub(super) fn read(&self, entry: EntryId, received_ms: u64) {
        self.0.received.lock().insert(entry, received_ms);
    }

    pub(super) fn done(&self, entry: EntryId) {
        self.0.received.lock().remove(&entry);
    }
}

impl fmt::Debug for DestinationStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DestinationStatus").field(&self.0.name).finish()
    }
}
