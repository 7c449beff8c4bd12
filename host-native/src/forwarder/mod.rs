//! Forwards received payloads to other OTLP endpoints, beside MLflow: Phoenix, a collector, or another backend.
//!
//! Guarantees:
//! - A destination gets every payload that was acknowledged while it was configured, at least once, byte for byte as received.
//!   (A JSON payload for a gRPC destination is transcoded, because gRPC has no JSON.)
//! - Each destination has its own progress through the [`Journal`], so a dead one does not delay the others.
//! - The memory for each destination is bounded.
//! - Headers and credentials of a destination are sent to its origin only, and appear in no text.
//!
//! | the destination | what the forwarder does with the payload |
//! |---|---|
//! | accepts it, entirely or partially | marks it as delivered and logs what was rejected |
//! | rejects it as unreadable, too large or unsupported: 400, 413, 415, 422, INVALID_ARGUMENT | quarantines it with the reason |
//! | gives any other answer, or none | retries it after `Retry-After`, RetryInfo or a growing delay. Other payloads wait as well, because the cause probably affects them too |
//! | fails on it repeatedly while it accepts others | quarantines it with the reason |

mod backoff;
mod client;
mod destination;
mod grpc;
mod http;
mod lent;
mod outcome;
mod queue;
mod status;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

pub use client::{Client, ClientError};
pub use outcome::Outcome;
pub use status::DestinationStatus;

use crate::driver::Borrower;
use crate::journal::{Consumer, Journal};
use crate::quarantine::Quarantine;
use crate::settings::ForwardEndpoint;
use crate::telemetry::Metrics;
use crate::wasm::Translator;
use destination::Destination;
use lent::LentPayloads;

/// The interval at which `drain` checks for completion.
const MOMENT: Duration = Duration::from_millis(20);

/// The running forwarders. They stop on drop.
#[derive(Debug)]
pub struct Forwarding {
    states: Vec<DestinationStatus>,
    borrowers: Vec<Arc<LentPayloads>>,
    _tasks: JoinSet<()>,
}

// === impl Forwarding ===

impl Forwarding {
    /// Starts to forward pending entries to each destination. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// The settings do not allow a client for a destination.
    pub fn start(
        journal: &Journal,
        destinations: impl IntoIterator<Item = (ForwardEndpoint, Consumer)>,
        quarantine: &Quarantine,
        translator: &Translator,
        metrics: &Metrics,
    ) -> Result<Self, ClientError> {
        let (mut tasks, mut states, mut borrowers) = (JoinSet::new(), Vec::new(), Vec::new());
        for (endpoint, consumer) in destinations {
            let client = Arc::new(Client::new(&endpoint, translator.clone())?);
            let state = DestinationStatus::new(endpoint.to_string(), consumer, journal.clone());
            metrics.watch(state.name(), {
                let state = state.clone();
                move || state.waiting()
            });
            states.push(state.clone());
            let (borrower, loans) = LentPayloads::new(state.clone());
            borrowers.push(Arc::new(borrower));
            let (journal, quarantine) = (journal.clone(), quarantine.clone());
            let destination = Destination::new(state, consumer, client, journal, loans, quarantine, metrics.clone());
            tasks.spawn(destination.run());
        }
        Ok(Self { states, borrowers, _tasks: tasks })
    }

    /// Where a source lends payloads to each destination, with the destination's name.
    pub fn borrowers(&self) -> impl Iterator<Item = (&str, Arc<dyn Borrower>)> {
        let borrowers = self.borrowers.iter().map(|borrower| Arc::clone(borrower) as Arc<dyn Borrower>);
        self.states.iter().map(DestinationStatus::name).zip(borrowers)
    }

    /// The status of each destination.
    pub fn states(&self) -> &[DestinationStatus] {
        &self.states
    }

    /// Waits until everything is forwarded or the deadline is reached. Does not wait for destinations that fail. The
    /// journal keeps the rest.
    pub async fn drain(self, deadline: Instant) {
        while self.states.iter().any(DestinationStatus::is_working_it_off) && Instant::now() < deadline {
            sleep(MOMENT).await;
        }
    }
}
