//! The undelivered amount, for others to read. The owner of the payloads updates it after each change.

use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::Mutex;

/// The queue of one destination. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Queue(Arc<Mutex<Waiting>>);

/// An undelivered amount.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Payloads.
    pub payloads: u64,
    /// Their bytes.
    pub bytes: u64,
    /// When the oldest payload was accepted.
    pub oldest: Option<SystemTime>,
}

impl Queue {
    /// The current amount.
    pub fn now(&self) -> Waiting {
        *self.0.lock()
    }

    /// Sets the current amount.
    pub fn set(&self, waiting: Waiting) {
        *self.0.lock() = waiting;
    }
}
