//! Forwards to one destination: takes what waits, sends it, and handles the outcome.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::backoff::Backoff;
use super::client::{Client, Sent};
use super::outcome::Outcome;
use super::queue::{Attempt, Item, Queue};
use super::status::DestinationStatus;
use crate::driver::{Loan, Settled};
use crate::journal::{Consumer, Journal, JournalEntry};
use crate::quarantine::Quarantine;
use crate::telemetry::{Forwarded, Metrics};

/// The most concurrent requests per destination.
const CONCURRENCY: usize = 4;
/// A payload is quarantined after this many failures while the destination accepted others.
const MAX_REFUSALS: u32 = 5;

/// One destination.
pub(super) struct Destination {
    state: DestinationStatus,
    consumer: Consumer,
    client: Arc<Client>,
    queue: Queue,
    journal: Journal,
    quarantine: Quarantine,
    backoff: Backoff,
    under_way: JoinSet<(Attempt, Sent)>,
    /// The number of accepted payloads.
    taken: u64,
    metrics: Metrics,
}

// === impl Destination ===

impl Destination {
    pub(super) fn new(
        state: DestinationStatus,
        consumer: Consumer,
        client: Arc<Client>,
        journal: Journal,
        loans: mpsc::UnboundedReceiver<Loan>,
        quarantine: Quarantine,
        metrics: Metrics,
    ) -> Self {
        let queue = Queue::new(journal.clone(), consumer, loans, state.clone());
        let (backoff, under_way) = (Backoff::default(), JoinSet::new());
        Self { state, consumer, client, queue, journal, quarantine, backoff, under_way, taken: 0, metrics }
    }

    pub(super) async fn run(mut self) {
        while !self.journal.is_closed() {
            while self.under_way.len() < self.backoff.concurrency(CONCURRENCY) && self.is_open() {
                let Some(attempt) = self.queue.next().await else { break };
                let Some(attempt) = self.queue.wanted(attempt) else { continue };
                let client = Arc::clone(&self.client);
                self.under_way.spawn(async move {
                    let (payload, encoding) = attempt.item.payload();
                    let sent = client.send(payload, encoding).await;
                    (attempt, sent)
                });
            }
            let shut_until = self.backoff.opens_at().filter(|_| !self.is_open());
            tokio::select! {
                Some(finished) = self.under_way.join_next() => {
                    // A panic leaves the entry pending until the next start.
                    if let Ok((attempt, sent)) = finished {
                        self.metrics.requested(self.state.name(), sent.status, sent.after);
                        self.finish_attempt(attempt, sent.outcome).await;
                    }
                }
                () = async { sleep_until(shut_until.unwrap_or_else(Instant::now)).await }, if shut_until.is_some() => {}
                () = self.queue.more(), if shut_until.is_none() => {}
            }
        }
    }

    fn is_open(&self) -> bool {
        self.backoff.is_open(Instant::now())
    }

    async fn finish_attempt(&mut self, mut attempt: Attempt, outcome: Outcome) {
        match outcome {
            Outcome::Taken => self.done(attempt.item, Forwarded::Delivered),
            Outcome::Partly { rejected, message } => {
                tracing::warn!(rejected, "{} rejected spans of a payload: {message}", self.state.name());
                self.done(attempt.item, Forwarded::Partly);
            }
            Outcome::Refused(reason) => {
                self.refuse(attempt.item, &reason).await;
                self.well();
            }
            Outcome::Later { reason, wait, answered } => {
                if answered && attempt.taken_before.is_some_and(|taken| self.taken > taken) {
                    attempt.refusals += 1;
                }
                attempt.taken_before = Some(self.taken);
                if attempt.refusals >= MAX_REFUSALS {
                    let reason = format!("{reason} (repeatedly, while it accepted other payloads)");
                    return self.refuse(attempt.item, &reason).await;
                }
                if self.state.set_trouble(Some(reason.clone())).is_none() {
                    tracing::warn!("{} does not accept payloads: {reason}; keeping them", self.state.name());
                }
                self.backoff.failed(Instant::now(), wait);
                self.queue.again(attempt);
            }
        }
    }

    fn done(&mut self, item: Item, how: Forwarded) {
        self.metrics.forwarded(self.state.name(), how);
        match item {
            Item::Entry(entry) => {
                self.queue.done(&entry);
                self.journal.mark_delivered(self.consumer, entry.id, entry.payload.len());
            }
            Item::Loan(loan) => self.queue.settle(loan, Settled::Delivered { refused: Vec::new() }),
        }
        self.taken += 1;
        self.well();
    }

    fn well(&mut self) {
        self.backoff.succeeded();
        if self.state.set_trouble(None).is_some() {
            tracing::info!("{} accepts payloads again", self.state.name());
        }
    }

    async fn refuse(&mut self, item: Item, reason: &str) {
        self.metrics.forwarded(self.state.name(), Forwarded::Refused);
        let reason = format!("{} rejected it: {reason}", self.state.name());
        match item {
            Item::Entry(entry) => self.quarantine(entry, reason.into()).await,
            Item::Loan(loan) => self.queue.settle(loan, Settled::Refused(reason)),
        }
    }

    async fn quarantine(&mut self, entry: JournalEntry, reason: Arc<str>) {
        self.queue.done(&entry);
        let (journal, consumer, id) = (self.journal.clone(), self.consumer, entry.id);
        let (folder, name) = (self.quarantine.clone(), self.state.name().to_owned());
        let keep = move || {
            let owed = journal.pending(consumer, id, 1, 0).unwrap_or_default();
            if owed.first().is_none_or(|oldest| oldest.id != id) {
                // The entry was discarded: the receiver refused it as malformed.
                return;
            }
            if journal.pending_quarantine() > 0 {
                // Entries that wait for space come first.
                return journal.mark_for_quarantine(consumer, id, Some(&name), &reason);
            }
            match folder.keep_payload_for(Some(&name), &entry.payload, &entry.context, &reason) {
                Ok(path) => {
                    tracing::warn!("quarantined a payload in {}: {reason}", path.display());
                    journal.mark_delivered(consumer, id, entry.payload.len());
                }
                Err(_) => journal.mark_for_quarantine(consumer, id, Some(&name), &reason),
            }
        };
        // This cannot be cancelled. After a panic the entry stays pending.
        let _ = tokio::task::spawn_blocking(keep).await;
    }
}
