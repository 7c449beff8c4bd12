//! How much is accepted and not delivered, for others to look at. Whoever keeps the payloads says so after each change;
//! looking costs it nothing.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// What waits for one destination. Clones show the same.
#[derive(Debug, Clone, Default)]
pub struct Queue(Arc<Mutex<Waiting>>);

/// How much waits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Payloads.
    pub payloads: u64,
    /// Their bytes.
    pub bytes: u64,
    /// When the oldest of them was accepted.
    pub oldest: Option<SystemTime>,
}

impl Queue {
    /// How much waits now.
    pub fn now(&self) -> Waiting {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// So much waits now.
    pub fn set(&self, waiting: Waiting) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = waiting;
    }
}
