//! Wraps an exporter and records its requests and the reachability of its server.

use tokio::time::Instant;
use tracing::field::Empty;
use tracing::{Instrument as _, debug_span};

use super::metrics::{Metrics, Requests};
use super::reachability::Reachability;
use super::self_trace::TARGET;
use crate::exporter::Destination;
use crate::wasm::{Answer, Request};

/// An observed destination.
#[derive(Debug)]
pub struct ObservedDestination<D> {
    destination: D,
    name: &'static str,
    requests: Requests,
    reachability: Reachability,
}

impl<D> ObservedDestination<D> {
    /// Wraps a destination. The name is a label in `/metrics`.
    pub fn new(destination: D, name: &'static str, metrics: &Metrics) -> Self {
        Self { destination, name, requests: metrics.requests.clone(), reachability: metrics.reachability.clone() }
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
        self.reachability.record(&answer);
        answer
    }
}
