//! The metrics of requests to MLflow and other destinations.

use std::sync::atomic::AtomicU64;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// Histogram bounds of request durations in seconds, from a local server to the longest timeout.
const REQUEST_SECONDS: [f64; 14] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// The final outcome of a forwarded payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forwarded {
    /// Delivered.
    Delivered,
    /// Delivered, except for some spans.
    Partly,
    /// Rejected by the destination.
    Refused,
}

/// Requests by destination and status.
#[derive(Debug, Clone)]
pub(in crate::telemetry) struct Requests {
    durations: Family<ByStatus, Histogram, fn() -> Histogram>,
    last_success: Family<ByDestination, Gauge<f64, AtomicU64>>,
    forwarded: Family<ByOutcome, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByStatus {
    destination: String,
    status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByDestination {
    destination: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByOutcome {
    destination: String,
    outcome: &'static str,
}

// === impl Requests ===

impl Default for Requests {
    fn default() -> Self {
        let durations: Family<_, _, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(REQUEST_SECONDS));
        Self { durations, last_success: Family::default(), forwarded: Family::default() }
    }
}

impl Requests {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register_with_unit(
            "request_duration",
            "Requests to a destination, by status class; none means no answer",
            Unit::Seconds,
            self.durations.clone(),
        );
        registry.register_with_unit(
            "last_success_timestamp",
            "Time of the last successful answer of a destination, since the Unix epoch",
            Unit::Seconds,
            self.last_success.clone(),
        );
        let help = "Forwarded payloads, by final outcome";
        registry.register("forwarded_payloads", help, self.forwarded.clone());
    }

    /// Records a request. The status is none if there was no answer.
    pub(in crate::telemetry) fn ended(&self, destination: &str, status: Option<u16>, after: Duration) {
        let destination = destination.to_owned();
        let status = match status.map(|status| status / 100) {
            Some(1) => "1xx",
            Some(2) => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                let succeeded = ByDestination { destination: destination.clone() };
                self.last_success.get_or_create(&succeeded).set(now.as_secs_f64());
                "2xx"
            }
            Some(3) => "3xx",
            Some(4) => "4xx",
            Some(5) => "5xx",
            Some(_) => "other",
            None => "none",
        };
        self.durations.get_or_create(&ByStatus { destination, status }).observe(after.as_secs_f64());
    }

    /// Records the final outcome of a forwarded payload.
    pub(super) fn forwarded(&self, destination: &str, how: Forwarded) {
        let outcome = match how {
            Forwarded::Delivered => "delivered",
            Forwarded::Partly => "partly",
            Forwarded::Refused => "refused",
        };
        self.forwarded.get_or_create(&ByOutcome { destination: destination.to_owned(), outcome }).inc();
    }
}
