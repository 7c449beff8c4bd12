//! Counts the requests that a destination performs, and remembers whether it answers.

use tokio::time::Instant;
use tracing::field::Empty;
use tracing::{Instrument as _, debug_span};

use super::metrics::{Metrics, Requests};
use super::reach::Reach;
use super::self_trace::TARGET;
use crate::exporter::Destination;
use crate::wasm::{Answer, Request};

/// A destination whose requests are counted under its name.
#[derive(Debug)]
pub struct ObservedDestination<D> {
    destination: D,
    name: &'static str,
    requests: Requests,
    reach: Reach,
}

impl<D> ObservedDestination<D> {
    /// This destination, counted. The name is a label in `/metrics`.
    pub fn new(destination: D, name: &'static str, metrics: &Metrics) -> Self {
        Self { destination, name, requests: metrics.requests.clone(), reach: metrics.reach.clone() }
    }
}

impl<D: Destination> Destination for ObservedDestination<D> {
    async fn perform(&self, request: Request) -> Answer {
        let span =
            debug_span!(target: TARGET, "request", destination = self.name, method = request.method, status = Empty);
        let start = Instant::now();
        let answer = self.destination.perform(request).instrument(span.clone()).await;
        let status = match &answer {
            Answer::Response(response) => Some(response.status),
            Answer::NoAnswer(_) => None,
        };
        span.record("status", status);
        self.requests.ended(self.name, status, start.elapsed());
        self.reach.note(&answer);
        answer
    }
}
