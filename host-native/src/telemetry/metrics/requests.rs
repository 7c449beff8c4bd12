//! The figures of what is asked of MLflow and others.

use std::sync::atomic::AtomicU64;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// Bounds of a request's duration: from a server next door to the longest timeout, in seconds.
const REQUEST_SECONDS: [f64; 14] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// What became of a payload that was to be forwarded, in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forwarded {
    /// The destination has it.
    Delivered,
    /// The destination has some of its spans.
    Partly,
    /// The destination will not take it.
    Refused,
}

/// Requests, by whom they went to and how they ended.
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
            "Requests to a destination, by the class of the answer's status; none: there was no answer",
            Unit::Seconds,
            self.durations.clone(),
        );
        registry.register_with_unit(
            "last_success_timestamp",
            "When a destination last answered with success, since the Unix epoch",
            Unit::Seconds,
            self.last_success.clone(),
        );
        let help = "Payloads that were to be forwarded, by what became of them in the end";
        registry.register("forwarded_payloads", help, self.forwarded.clone());
    }

    /// A request to this destination has ended, with an answer of this status or with none.
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

    /// This destination has seen the last of a payload.
    pub(super) fn forwarded(&self, destination: &str, how: Forwarded) {
        let outcome = match how {
            Forwarded::Delivered => "delivered",
            Forwarded::Partly => "partly",
            Forwarded::Refused => "refused",
        };
        self.forwarded.get_or_create(&ByOutcome { destination: destination.to_owned(), outcome }).inc();
    }
}
