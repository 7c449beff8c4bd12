//! What waits for one destination: the pending entries of the journal, a few at a time, and the payloads that a source has lent.
//! Retries and new payloads alternate.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use super::status::DestinationStatus;
use crate::driver::{Loan, Settled};
use crate::journal::{Consumer, EntryId, Journal, JournalEntry};
use crate::payload::Encoding;

/// The most entries to read at once.
const READ: usize = 16;
/// The most bytes to read at once.
const READ_BYTES: usize = 4 << 20;
/// With this many failed entries, no new ones are sent.
const MAX_FAILED: usize = 16;
/// With this many bytes in flight or failed, no more entries are read.
const HELD_BYTES: usize = 16 << 20;
/// How long to wait for new entries before the journal is read anyway.
const PATIENCE: Duration = Duration::from_secs(5);

/// A payload, and who keeps it until it is delivered.
#[derive(Debug)]
pub(super) enum Item {
    /// The journal.
    Entry(JournalEntry),
    /// The source that has lent it.
    Loan(Loan),
}

/// A payload that is being sent.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) item: Item,
    /// Failures while the destination accepted others.
    pub(super) refusals: u32,
    /// The number of payloads that the destination had accepted at the last failure.
    pub(super) taken_before: Option<u64>,
}

pub(super) struct Queue {
    journal: Journal,
    consumer: Consumer,
    state: DestinationStatus,
    /// The next entry to read.
    next: EntryId,
    newest: watch::Receiver<EntryId>,
    loans: mpsc::UnboundedReceiver<Loan>,
    fresh: VecDeque<Attempt>,
    failed: VecDeque<Attempt>,
    /// The bytes of entries that were read and are not done.
    held: usize,
    /// Whether a failed entry is next.
    failed_next: bool,
}

impl Queue {
    pub(super) fn new(
        journal: Journal,
        consumer: Consumer,
        loans: mpsc::UnboundedReceiver<Loan>,
        state: DestinationStatus,
    ) -> Self {
        let newest = journal.newest();
        let (fresh, failed) = (VecDeque::new(), VecDeque::new());
        Self { journal, consumer, state, next: 0, newest, loans, fresh, failed, held: 0, failed_next: false }
    }

    /// The next payload to send. None: there is none, or the journal cannot be read now. Failed and new payloads
    /// alternate, so that one that always fails does not block the others.
    pub(super) async fn next(&mut self) -> Option<Attempt> {
        self.failed_next = !self.failed_next;
        if self.failed.len() >= MAX_FAILED || (self.failed_next && !self.failed.is_empty()) {
            return self.failed.pop_front();
        }
        if self.fresh.is_empty() && self.held < HELD_BYTES {
            self.read().await;
        }
        while let Ok(loan) = self.loans.try_recv() {
            self.borrow(loan);
        }
        self.fresh.pop_front().or_else(|| self.failed.pop_front())
    }

    fn borrow(&mut self, loan: Loan) {
        self.fresh.push_back(Attempt { item: Item::Loan(loan), refusals: 0, taken_before: None });
    }

    async fn read(&mut self) {
        if self.next > *self.newest.borrow_and_update() {
            return;
        }
        let (journal, consumer, next) = (self.journal.clone(), self.consumer, self.next);
        let read = tokio::task::spawn_blocking(move || journal.pending(consumer, next, READ, READ_BYTES));
        let Ok(Ok(entries)) = read.await else { return };
        self.next = entries.last().map_or(self.next, |entry| entry.id + 1);
        for entry in &entries {
            self.state.read(entry.id, entry.received_ms);
            self.held += entry.payload.len();
        }
        let attempts =
            entries.into_iter().map(|entry| Attempt { item: Item::Entry(entry), refusals: 0, taken_before: None });
        self.fresh.extend(attempts);
    }

    /// The destination is done with an entry of the journal.
    pub(super) fn done(&mut self, entry: &JournalEntry) {
        self.state.done(entry.id);
        self.held = self.held.saturating_sub(entry.payload.len());
    }

    /// Gives a payload back to its source.
    pub(super) fn settle(&mut self, loan: Loan, settled: Settled) {
        self.state.returned();
        loan.lender.settle(settled);
    }

    /// Drops a payload that its source wants back. Returns the payload if it does not.
    pub(super) fn wanted(&self, attempt: Attempt) -> Option<Attempt> {
        match &attempt.item {
            Item::Loan(loan) if loan.lender.is_withdrawn() => {
                self.state.returned();
                None
            }
            _ => Some(attempt),
        }
    }

    /// Queues a payload for a retry.
    pub(super) fn again(&mut self, attempt: Attempt) {
        self.failed.push_back(attempt);
    }

    /// Completes when there may be new payloads.
    pub(super) async fn more(&mut self) {
        tokio::select! {
            // An error means that the journal is closed; the caller checks that.
            _ = timeout(PATIENCE, self.newest.changed()) => {}
            Some(loan) = self.loans.recv() => self.borrow(loan),
        }
    }
}

// === impl Item ===

impl Item {
    /// The bytes and how they are encoded.
    pub(super) fn payload(&self) -> (Bytes, Encoding) {
        match self {
            Self::Entry(JournalEntry { payload, context, .. }) | Self::Loan(Loan { payload, context, .. }) => {
                (payload.clone(), context.encoding)
            }
        }
    }
}
