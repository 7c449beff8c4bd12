//! Received payloads to other OTLP endpoints, beside MLflow: Phoenix, a collector, anybody.
//!
//! Guarantees: a destination gets every payload that was acknowledged while it was configured, at least once, byte for
//! byte as it was received (a JSON payload for a gRPC destination is transcoded, since gRPC has no JSON); each
//! destination has its own progress through the [`Journal`], so that one that is dead holds nobody up; memory for each is
//! bounded, whatever waits. Headers and credentials for a destination are sent to its origin alone, and appear in no text.
//!
//! | the destination | what becomes of the payload |
//! |---|---|
//! | takes it, wholly or in part | it is done; what was rejected is said |
//! | says that it is not readable, too large or not supported: 400, 413, 415, 422, INVALID_ARGUMENT | it is set aside with the reason |
//! | says anything else, or nothing | it is sent again, after `Retry-After` or RetryInfo or a growing delay. Other payloads wait as well: what is wrong is most likely wrong for them, too |
//! | refuses it again and again while it takes others | it is set aside with the reason |

mod client;
mod endpoint;
mod grpc;
mod http;
mod pace;
mod queue;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

pub use client::ClientError;
pub use endpoint::{BadEndpoint, Endpoint, Protocol};

use crate::deliver::set_aside::SetAsideFolder;
use crate::guest::Translator;
use crate::journal::{Entry, Journal, Owner};
use client::Client;
use pace::Pace;
use queue::{Attempt, Queue};

/// Requests under way at once, for one destination.
const CONCURRENCY: usize = 4;
/// How often a payload is refused that others are taken after, before it is set aside.
const MAX_REFUSALS: u32 = 5;
/// How often it is looked whether everything was forwarded, at the end.
const MOMENT: Duration = Duration::from_millis(20);

/// What became of an attempt.
#[derive(Debug)]
enum Outcome {
    Taken,
    /// Not all of its spans.
    Partly {
        rejected: i64,
        message: String,
    },
    /// Not now. `answered`: the destination had something to say about this payload.
    Later {
        reason: String,
        wait: Option<Duration>,
        answered: bool,
    },
    /// Never.
    Refused(String),
}

/// The destinations at work. They stop when this is dropped.
#[derive(Debug)]
pub struct Forwarding {
    journal: Journal,
    destinations: Vec<(Owner, Arc<AtomicBool>)>,
    _tasks: JoinSet<()>,
}

// === impl Forwarding ===

impl Forwarding {
    /// Start to forward what the journal owes to each of these. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// A destination cannot be spoken to with these settings.
    pub fn start(
        journal: &Journal,
        destinations: impl IntoIterator<Item = (Endpoint, Owner)>,
        set_aside: &SetAsideFolder,
        translator: &Translator,
    ) -> Result<Self, ClientError> {
        let (mut tasks, mut started) = (JoinSet::new(), Vec::new());
        for (endpoint, owner) in destinations {
            let client = Arc::new(Client::new(&endpoint, translator.clone())?);
            let failing = Arc::new(AtomicBool::new(false));
            started.push((owner, Arc::clone(&failing)));
            let destination = Destination {
                name: endpoint.to_string(),
                owner,
                client,
                queue: Queue::new(journal.clone(), owner),
                journal: journal.clone(),
                set_aside: set_aside.clone(),
                pace: Pace::default(),
                under_way: JoinSet::new(),
                taken: 0,
                failing,
            };
            tasks.spawn(destination.run());
        }
        Ok(Self { journal: journal.clone(), destinations: started, _tasks: tasks })
    }

    /// Wait until everything is forwarded, but for no destination that fails, and not for longer than until then. The
    /// journal keeps the rest.
    pub async fn drain(self, deadline: Instant) {
        let waits = || {
            self.destinations
                .iter()
                .any(|(owner, failing)| self.journal.owed_count(*owner) > 0 && !failing.load(Ordering::Relaxed))
        };
        while waits() && Instant::now() < deadline {
            sleep(MOMENT).await;
        }
    }
}

/// One destination.
struct Destination {
    name: String,
    owner: Owner,
    client: Arc<Client>,
    queue: Queue,
    journal: Journal,
    set_aside: SetAsideFolder,
    pace: Pace,
    under_way: JoinSet<(Attempt, Outcome)>,
    /// How many payloads it has taken.
    taken: u64,
    failing: Arc<AtomicBool>,
}

// === impl Destination ===

impl Destination {
    async fn run(mut self) {
        while !self.journal.is_closed() {
            while self.under_way.len() < self.pace.concurrency(CONCURRENCY) && self.is_open() {
                let Some(attempt) = self.queue.next().await else { break };
                let client = Arc::clone(&self.client);
                self.under_way.spawn(async move {
                    let outcome = client.send(&attempt.entry).await;
                    (attempt, outcome)
                });
            }
            let shut_until = self.pace.opens_at().filter(|_| !self.is_open());
            tokio::select! {
                Some(finished) = self.under_way.join_next() => {
                    // One that panicked stays owed, and is sent again at the next start.
                    if let Ok((attempt, outcome)) = finished {
                        self.settle(attempt, outcome).await;
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
            Outcome::Taken => self.done(&attempt.entry),
            Outcome::Partly { rejected, message } => {
                tracing::warn!(rejected, "{} took a payload without some of its spans: {message}", self.name);
                self.done(&attempt.entry);
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
                if !self.failing.swap(true, Ordering::Relaxed) {
                    tracing::warn!("{} does not take payloads: {reason}; they wait in the journal", self.name);
                }
                self.pace.failed(Instant::now(), wait);
                self.queue.again(attempt);
            }
        }
    }

    fn done(&mut self, entry: &Entry) {
        self.journal.settle(self.owner, entry.id, entry.payload.len());
        self.taken += 1;
        self.well();
    }

    fn well(&mut self) {
        self.pace.succeeded();
        if self.failing.swap(false, Ordering::Relaxed) {
            tracing::info!("{} takes payloads again", self.name);
        }
    }

    async fn set_aside(&mut self, entry: &Entry, reason: &str) {
        let (journal, owner, id) = (self.journal.clone(), self.owner, entry.id);
        let (folder, entry) = (self.set_aside.clone(), entry.clone());
        let name = self.name.clone();
        let reason = format!("{name} refuses it: {reason}");
        let keep = move || {
            let owed = journal.owed(owner, id, 1, 0).unwrap_or_default();
            if owed.first().is_none_or(|oldest| oldest.id != id) {
                // Its sender was told that it is not readable, and has it still.
                return;
            }
            match folder.keep_payload_for(Some(&name), &entry.payload, &entry.context, &reason) {
                Ok(path) => {
                    tracing::warn!("a payload was set aside in {}: {reason}", path.display());
                    journal.settle(owner, id, entry.payload.len());
                }
                Err(error) => tracing::error!("a payload stays in the journal: {reason}; and {error}"),
            }
        };
        // It cannot be cancelled, and if it panics the payload stays owed.
        let _ = tokio::task::spawn_blocking(keep).await;
    }
}
