//! What is known of a destination, for operators to look at.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use crate::driver::Waiting;
use crate::journal::{EntryId, Journal, Owner};

/// One destination, as it is now. Clones show the same.
#[derive(Clone)]
pub struct State(Arc<Shared>);

struct Shared {
    name: String,
    owner: Owner,
    journal: Journal,
    /// Why it takes nothing, while it does not.
    trouble: Mutex<Option<String>>,
    /// When those were received that were read from the journal and are not done: the oldest of all are among them.
    received: Mutex<BTreeMap<EntryId, u64>>,
}

// === impl State ===

impl State {
    pub(super) fn new(name: String, owner: Owner, journal: Journal) -> Self {
        Self(Arc::new(Shared { name, owner, journal, trouble: Mutex::default(), received: Mutex::default() }))
    }

    /// Its URL, without credentials.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Why it takes nothing; none: it does, or was not asked yet.
    pub fn trouble(&self) -> Option<String> {
        self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What waits for it.
    pub fn waiting(&self) -> Waiting {
        let Shared { owner, journal, received, .. } = &*self.0;
        let oldest = received.lock().unwrap_or_else(PoisonError::into_inner).values().next().copied();
        Waiting {
            payloads: journal.owed_count(*owner),
            bytes: journal.owed_bytes(*owner),
            oldest: oldest.map(|millis| UNIX_EPOCH + Duration::from_millis(millis)),
        }
    }

    /// Whether it is owed anything, and takes it.
    pub(super) fn is_working_it_off(&self) -> bool {
        self.0.journal.owes(self.0.owner) && self.trouble().is_none()
    }

    /// Returns what was the trouble before.
    pub(super) fn set_trouble(&self, trouble: Option<String>) -> Option<String> {
        std::mem::replace(&mut *self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner), trouble)
    }

    pub(super) fn read(&self, entry: EntryId, received_ms: u64) {
        self.0.received.lock().unwrap_or_else(PoisonError::into_inner).insert(entry, received_ms);
    }

    pub(super) fn done(&self, entry: EntryId) {
        self.0.received.lock().unwrap_or_else(PoisonError::into_inner).remove(&entry);
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("State").field(&self.0.name).finish()
    }
}
