//! How far the end of the program has come.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// A phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Phase {
    /// Messages are read.
    Running,
    /// Nothing more is read; what is open is being delivered.
    Draining,
    /// The members commit what is settled, and leave their groups.
    Ending,
}

/// The current phase. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Phases(Arc<AtomicU8>);

impl Phases {
    pub(super) fn now(&self) -> Phase {
        match self.0.load(Ordering::Relaxed) {
            0 => Phase::Running,
            1 => Phase::Draining,
            _ => Phase::Ending,
        }
    }

    pub(super) fn enter(&self, phase: Phase) {
        self.0.store(phase as u8, Ordering::Relaxed);
    }
}
