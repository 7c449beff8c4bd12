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
mod destination;
mod endpoint;
mod grpc;
mod http;
mod pace;
mod queue;
mod state;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

pub use client::{Client, ClientError};
pub use endpoint::{BadEndpoint, Endpoint, Protocol};
pub use state::State;

use crate::journal::{Journal, Owner};
use crate::quarantine::SetAsideFolder;
use crate::telemetry::Metrics;
use crate::wasm::Translator;
use destination::Destination;

/// How often it is looked whether everything was forwarded, at the end.
const MOMENT: Duration = Duration::from_millis(20);

/// What became of an attempt.
#[derive(Debug)]
pub enum Outcome {
    /// It is taken.
    Taken,
    /// Not all of its spans.
    Partly {
        /// How many were not.
        rejected: i64,
        /// Why.
        message: String,
    },
    /// Not now.
    Later {
        /// Why.
        reason: String,
        /// How long the destination wants to be left alone.
        wait: Option<Duration>,
        /// Whether the destination had something to say about this payload.
        answered: bool,
    },
    /// Never, and why.
    Refused(String),
}

/// The destinations at work. They stop when this is dropped.
#[derive(Debug)]
pub struct Forwarding {
    states: Vec<State>,
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
        metrics: &Metrics,
    ) -> Result<Self, ClientError> {
        let (mut tasks, mut states) = (JoinSet::new(), Vec::new());
        for (endpoint, owner) in destinations {
            let client = Arc::new(Client::new(&endpoint, translator.clone())?);
            let state = State::new(endpoint.to_string(), owner, journal.clone());
            metrics.watch(state.name(), {
                let state = state.clone();
                move || state.waiting()
            });
            states.push(state.clone());
            let destination =
                Destination::new(state, owner, client, journal.clone(), set_aside.clone(), metrics.clone());
            tasks.spawn(destination.run());
        }
        Ok(Self { states, _tasks: tasks })
    }

    /// What is known of each destination.
    pub fn states(&self) -> &[State] {
        &self.states
    }

    /// Wait until everything is forwarded, but for no destination that fails, and not for longer than until then. The
    /// journal keeps the rest.
    pub async fn drain(self, deadline: Instant) {
        while self.states.iter().any(State::is_working_it_off) && Instant::now() < deadline {
            sleep(MOMENT).await;
        }
    }
}
