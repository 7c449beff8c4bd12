//! One destination at work: reads what it is owed, sends it, and deals with what becomes of it.

use std::sync::Arc;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::client::{Client, Sent};
use super::pace::Pace;
use super::queue::{Attempt, Queue};
use super::{Outcome, State};
use crate::journal::{Entry, Journal, Owner};
use crate::quarantine::SetAsideFolder;
use crate::telemetry::{Forwarded, Metrics};

/// Requests under way at once, for one destination.
const CONCURRENCY: usize = 4;
/// How often a payload is refused that others are taken after, before it is set aside.
const MAX_REFUSALS: u32 = 5;

/// One destination.
pub(super) struct Destination {
    state: State,
    owner: Owner,
    client: Arc<Client>,
    queue: Queue,
    journal: Journal,
    set_aside: SetAsideFolder,
    pace: Pace,
    under_way: JoinSet<(Attempt, Sent)>,
    /// How many payloads it has taken.
    taken: u64,
    metrics: Metrics,
}

// === impl Destination ===

impl Destination {
    pub(super) fn new(
        state: State,
        owner: Owner,
        client: Arc<Client>,
        journal: Journal,
        set_aside: SetAsideFolder,
        metrics: Metrics,
    ) -> Self {
        let queue = Queue::new(journal.clone(), owner, state.clone());
        let (pace, under_way) = (Pace::default(), JoinSet::new());
        Self { state, owner, client, queue, journal, set_aside, pace, under_way, taken: 0, metrics }
    }

    pub(super) async fn run(mut self) {
        while !self.journal.is_closed() {
            while self.under_way.len() < self.pace.concurrency(CONCURRENCY) && self.is_open() {
                let Some(attempt) = self.queue.next().await else { break };
                let client = Arc::clone(&self.client);
                self.under_way.spawn(async move {
                    let Entry { payload, context, .. } = &attempt.entry;
                    let sent = client.send(payload.clone(), context.encoding).await;
                    (attempt, sent)
                });
            }
            let shut_until = self.pace.opens_at().filter(|_| !self.is_open());
            tokio::select! {
                Some(finished) = self.under_way.join_next() => {
                    // One that panicked stays owed, and is sent again at the next start.
                    if let Ok((attempt, sent)) = finished {
                        self.metrics.requested(self.state.name(), sent.status, sent.after);
                        self.settle(attempt, sent.outcome).await;
                    }
                }
                () = async { sleep_until(shut_until.unwrap_or_else(Instant::now)).await }, if shut_until.is_some() => {}
                () = self.queue.more(), if shut_until.is_none() => {}
            }
        }
    }

    fn is_open(&self) -> bool {
        self.pace.is_open(Instant::now())
    }

    async fn settle(&mut self, mut attempt: Attempt, outcome: Outcome) {
        match outcome {
            Outcome::Taken => self.done(&attempt.entry, Forwarded::Delivered),
            Outcome::Partly { rejected, message } => {
                tracing::warn!(rejected, "{} took a payload without some of its spans: {message}", self.state.name());
                self.done(&attempt.entry, Forwarded::Partly);
            }
            Outcome::Refused(reason) => {
                self.set_aside(&attempt.entry, &reason).await;
                self.well();
            }
            Outcome::Later { reason, wait, answered } => {
                if answered && attempt.taken_before.is_some_and(|taken| self.taken > taken) {
                    attempt.refusals += 1;
                }
                attempt.taken_before = Some(self.taken);
                if attempt.refusals >= MAX_REFUSALS {
                    let reason = format!("{reason}, again and again, while it took others");
                    return self.set_aside(&attempt.entry, &reason).await;
                }
                if self.state.set_trouble(Some(reason.clone())).is_none() {
                    tracing::warn!("{} does not take payloads: {reason}; they wait in the journal", self.state.name());
                }
                self.pace.failed(Instant::now(), wait);
                self.queue.again(attempt);
            }
        }
    }

    fn done(&mut self, entry: &Entry, how: Forwarded) {
        self.leaves(entry, how);
        self.journal.settle(self.owner, entry.id, entry.payload.len());
        self.taken += 1;
        self.well();
    }

    fn well(&mut self) {
        self.pace.succeeded();
        if self.state.set_trouble(None).is_some() {
            tracing::info!("{} takes payloads again", self.state.name());
        }
    }

    /// The destination has seen the last of a payload.
    fn leaves(&mut self, entry: &Entry, how: Forwarded) {
        self.queue.done(entry);
        self.metrics.forwarded(self.state.name(), how);
    }

    async fn set_aside(&mut self, entry: &Entry, reason: &str) {
        self.leaves(entry, Forwarded::Refused);
        let (journal, owner, id) = (self.journal.clone(), self.owner, entry.id);
        let (folder, entry) = (self.set_aside.clone(), entry.clone());
        let name = self.state.name().to_owned();
        let reason = Arc::from(format!("{name} refuses it: {reason}"));
        let keep = move || {
            let owed = journal.owed(owner, id, 1, 0).unwrap_or_default();
            if owed.first().is_none_or(|oldest| oldest.id != id) {
                // Its sender was told that it is not readable, and has it still.
                return;
            }
            if journal.held_back() > 0 {
                // What waits for room came before.
                return journal.hold_back(owner, id, Some(&name), &reason);
            }
            match folder.keep_payload_for(Some(&name), &entry.payload, &entry.context, &reason) {
                Ok(path) => {
                    tracing::warn!("a payload was set aside in {}: {reason}", path.display());
                    journal.settle(owner, id, entry.payload.len());
                }
                Err(_) => journal.hold_back(owner, id, Some(&name), &reason),
            }
        };
        // It cannot be cancelled, and if it panics the payload stays owed.
        let _ = tokio::task::spawn_blocking(keep).await;
    }
}
