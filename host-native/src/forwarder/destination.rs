//! Forwards to one destination: reads pending entries, sends them, and handles the outcome.

use std::sync::Arc;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::backoff::Backoff;
use super::client::{Client, Sent};
use super::outcome::Outcome;
use super::queue::{Attempt, Queue};
use super::status::DestinationStatus;
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
        quarantine: Quarantine,
        metrics: Metrics,
    ) -> Self {
        let queue = Queue::new(journal.clone(), consumer, state.clone());
        let (backoff, under_way) = (Backoff::default(), JoinSet::new());
        Self { state, consumer, client, queue, journal, quarantine, backoff, under_way, taken: 0, metrics }
    }

    pub(super) async fn run(mut self) {
        while !self.journal.is_closed() {
            while self.under_way.len() < self.backoff.concurrency(CONCURRENCY) && self.is_open() {
                let Some(attempt) = self.queue.next().await else { break };
                let client = Arc::clone(&self.client);
                self.under_way.spawn(async move {
                    let JournalEntry { payload, context, .. } = &attempt.entry;
                    let sent = client.send(payload.clone(), context.encoding).await;
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
            Outcome::Taken => self.done(&attempt.entry, Forwarded::Delivered),
            Outcome::Partly { rejected, message } => {
                tracing::warn!(rejected, "{} rejected spans of a payload: {message}", self.state.name());
                self.done(&attempt.entry, Forwarded::Partly);
            }
            Outcome::Refused(reason) => {
                self.quarantine(&attempt.entry, &reason).await;
                self.well();
            }
            Outcome::Later { reason, wait, answered } => {
                if answered && attempt.taken_before.is_some_and(|taken| self.taken > taken) {
                    attempt.refusals += 1;
                }
                attempt.taken_before = Some(self.taken);
                if attempt.refusals >= MAX_REFUSALS {
                    let reason = format!("{reason} (repeatedly, while it accepted other payloads)");
                    return self.quarantine(&attempt.entry, &reason).await;
                }
                if self.state.set_trouble(Some(reason.clone())).is_none() {
                    tracing::warn!(
                        "{} does not accept payloads: {reason}; keeping them in the journal",
                        self.state.name()
                    );
                }
                self.backoff.failed(Instant::now(), wait);
                self.queue.again(attempt);
            }
        }
    }

    fn done(&mut self, entry: &JournalEntry, how: Forwarded) {
        self.leaves(entry, how);
        self.journal.mark_delivered(self.consumer, entry.id, entry.payload.len());
        self.taken += 1;
        self.well();
    }

    fn well(&mut self) {
        self.backoff.succeeded();
        if self.state.set_trouble(None).is_some() {
            tracing::info!("{} accepts payloads again", self.state.name());
        }
    }

    /// The destination is done with a payload.
    fn leaves(&mut self, entry: &JournalEntry, how: Forwarded) {
        self.queue.done(entry);
        self.metrics.forwarded(self.state.name(), how);
    }

    async fn quarantine(&mut self, entry: &JournalEntry, reason: &str) {
        self.leaves(entry, Forwarded::Refused);
        let (journal, consumer, id) = (self.journal.clone(), self.consumer, entry.id);
        let (folder, entry) = (self.quarantine.clone(), entry.clone());
        let name = self.state.name().to_owned();
        let reason = Arc::from(format!("{name} rejected it: {reason}"));
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
