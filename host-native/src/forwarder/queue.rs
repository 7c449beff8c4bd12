//! What a destination is owed, a little at a time: what failed comes first, then the journal in its order.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::State;
use crate::journal::{Entry, EntryId, Journal, Owner};

/// How many entries are read at once …
const READ: usize = 16;
/// … and no more after so many bytes.
const READ_BYTES: usize = 4 << 20;
/// How many may have failed before nothing else is tried.
const MAX_FAILED: usize = 16;
/// How many bytes may be in memory, on their way or failed, before nothing else is read.
const HELD_BYTES: usize = 16 << 20;
/// How long to wait for news of the journal before it is asked all the same.
const PATIENCE: Duration = Duration::from_secs(5);

/// An entry on its way.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) entry: Entry,
    /// How often it was refused although the destination took others.
    pub(super) refusals: u32,
    /// How many the destination had taken when this one failed last.
    pub(super) taken_before: Option<u64>,
}

pub(super) struct Queue {
    journal: Journal,
    owner: Owner,
    state: State,
    /// The next entry to read.
    next: EntryId,
    newest: watch::Receiver<EntryId>,
    fresh: VecDeque<Attempt>,
    failed: VecDeque<Attempt>,
    /// The bytes of all that was read and is not done.
    held: usize,
    /// Whether those that failed are next.
    failed_next: bool,
}

impl Queue {
    pub(super) fn new(journal: Journal, owner: Owner, state: State) -> Self {
        let newest = journal.newest();
        let (fresh, failed) = (VecDeque::new(), VecDeque::new());
        Self { journal, owner, state, next: 0, newest, fresh, failed, held: 0, failed_next: false }
    }

    /// The next entry to send; none when there is none, or the journal cannot be read just now. What failed and what did
    /// not take turns, so that one that always fails holds nobody up.
    pub(super) async fn next(&mut self) -> Option<Attempt> {
        self.failed_next = !self.failed_next;
        if self.failed.len() >= MAX_FAILED || (self.failed_next && !self.failed.is_empty()) {
            return self.failed.pop_front();
        }
        if self.fresh.is_empty() && self.held < HELD_BYTES {
            self.read().await;
        }
        self.fresh.pop_front().or_else(|| self.failed.pop_front())
    }

    async fn read(&mut self) {
        if self.next > *self.newest.borrow_and_update() {
            return;
        }
        let (journal, owner, next) = (self.journal.clone(), self.owner, self.next);
        let read = tokio::task::spawn_blocking(move || journal.owed(owner, next, READ, READ_BYTES));
        let Ok(Ok(entries)) = read.await else { return };
        self.next = entries.last().map_or(self.next, |entry| entry.id + 1);
        for entry in &entries {
            self.state.read(entry.id, entry.received_ms);
            self.held += entry.payload.len();
        }
        let attempts = entries.into_iter().map(|entry| Attempt { entry, refusals: 0, taken_before: None });
        self.fresh.extend(attempts);
    }

    /// The destination has seen the last of it.
    pub(super) fn done(&mut self, entry: &Entry) {
        self.state.done(entry.id);
        self.held = self.held.saturating_sub(entry.payload.len());
    }

    /// Send it again.
    pub(super) fn again(&mut self, attempt: Attempt) {
        self.failed.push_back(attempt);
    }

    /// Completes when there may be more.
    pub(super) async fn more(&mut self) {
        // An error means that the journal is closed, which whoever asks sees.
        let _ = timeout(PATIENCE, self.newest.changed()).await;
    }
}
