//! Every figure that `/metrics` shows, each declared once, with its help text and unit.
//!
//! Names follow Prometheus' conventions: a prefix, base units (seconds, bytes), `_total` for what only grows (which the
//! encoder adds). Counters begin at 0 when the program starts.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::queues::Queues;
use super::reach::Reach;
use crate::drive::Queue;

/// What all names begin with.
const PREFIX: &str = "openinference_mlflow";

/// Bounds of a request's duration: from a server next door to the longest timeout, in seconds.
const REQUEST_SECONDS: [f64; 14] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// Bounds of one call into the translator: from an empty one to the one that is stopped, in seconds.
const CALL_SECONDS: [f64; 12] = [0.00001, 0.00005, 0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 10.0];

/// All figures of one host. Cheap to clone; clones count together.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    /// What applications send.
    pub received: Received,
    /// What the translator does.
    pub(super) translator: Translating,
    /// What is asked of MLflow and others.
    pub(super) requests: Requests,
    /// What is accepted and not delivered.
    pub(super) queues: Queues,
    /// Whether MLflow answers.
    pub(super) reach: Reach,
}

/// How a payload came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// OTLP/gRPC.
    Grpc,
    /// OTLP/HTTP.
    Http,
}

/// What applications send, and what they are answered.
#[derive(Debug, Clone, Default)]
pub struct Received {
    payloads: Family<ByTransport, Counter>,
    bytes: Family<ByTransport, Counter>,
    acknowledged_payloads: Family<ByTransport, Counter>,
    acknowledged_spans: Family<ByTransport, Counter>,
    refused: Family<ByReason, Counter>,
}

/// What the translator does. The counters are those of its `stats`, added up over guests.
#[derive(Debug, Clone)]
pub(super) struct Translating {
    pub(super) spans_received: Counter,
    pub(super) spans_delivered: Counter,
    pub(super) spans_duplicate: Counter,
    pub(super) spans_set_aside: Counter,
    pub(super) repairs: Counter,
    pub(super) retries: Counter,
    pub(super) open_traces: Gauge,
    pub(super) open_spans: Gauge,
    pub(super) held_bytes: Gauge,
    pub(super) calls: Family<ByCall, Histogram, fn() -> Histogram>,
    pub(super) traps: Family<ByCause, Counter>,
}

/// Requests, by whom they went to and how they ended.
#[derive(Debug, Clone)]
pub(super) struct Requests(Family<ByStatus, Histogram, fn() -> Histogram>);

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByTransport {
    transport: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByReason {
    transport: &'static str,
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ByCall {
    pub(super) call: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ByCause {
    pub(super) cause: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByStatus {
    destination: &'static str,
    status: &'static str,
}

// === impl Metrics ===

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The version of the program that runs", build);
        let received = Received::default();
        received.register(&mut registry);
        let translator = Translating::default();
        translator.register(&mut registry);
        let requests = Requests(Family::new_with_constructor(|| Histogram::new(REQUEST_SECONDS)));
        registry.register_with_unit(
            "request_duration",
            "Requests to a destination, by the class of the answer's status; none: there was no answer",
            Unit::Seconds,
            requests.0.clone(),
        );
        let queues = Queues::default();
        registry.register_collector(Box::new(queues.clone()));
        Self { registry: Arc::new(registry), received, translator, requests, queues, reach: Reach::default() }
    }
}

impl Metrics {
    /// Whether MLflow answers, as the requests show that are counted here.
    pub fn reach(&self) -> &Reach {
        &self.reach
    }

    /// A request to this destination has ended, with an answer of this status or with none.
    pub fn requested(&self, destination: &'static str, status: Option<u16>, after: Duration) {
        self.requests.ended(destination, status, after);
    }

    /// Show this destination's queue, too.
    pub fn watch(&self, destination: &'static str, queue: Queue) {
        self.queues.add(destination, queue);
    }

    /// All of them in OpenMetrics' text format.
    ///
    /// # Errors
    /// A metric does not say what it is; never, for those declared here.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

// === impl Received ===

impl Received {
    /// A payload has arrived whole; `bytes` after decompression.
    pub fn arrived(&self, transport: Transport, bytes: usize) {
        self.payloads.get_or_create(&transport.into()).inc();
        self.bytes.get_or_create(&transport.into()).inc_by(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    /// Its sender is told that it was taken, with so many spans.
    pub fn acknowledged(&self, transport: Transport, spans: u32) {
        self.acknowledged_payloads.get_or_create(&transport.into()).inc();
        self.acknowledged_spans.get_or_create(&transport.into()).inc_by(spans.into());
    }

    /// A sender is told that its request was not taken, for a reason of a known list.
    pub fn refused(&self, transport: Transport, reason: &'static str) {
        self.refused.get_or_create(&ByReason { transport: transport.name(), reason }).inc();
    }

    fn register(&self, registry: &mut Registry) {
        registry.register("received_payloads", "Export requests that arrived whole", self.payloads.clone());
        registry.register_with_unit(
            "received",
            "Bytes of the export requests that arrived whole, decompressed",
            Unit::Bytes,
            self.bytes.clone(),
        );
        registry.register(
            "acknowledged_payloads",
            "Export requests whose sender was told that they were taken",
            self.acknowledged_payloads.clone(),
        );
        registry.register("acknowledged_spans", "Spans in acknowledged requests", self.acknowledged_spans.clone());
        registry.register("refused_payloads", "Export requests that were not taken, by reason", self.refused.clone());
    }
}

// === impl Translating ===

impl Default for Translating {
    fn default() -> Self {
        Self {
            spans_received: Counter::default(),
            spans_delivered: Counter::default(),
            spans_duplicate: Counter::default(),
            spans_set_aside: Counter::default(),
            repairs: Counter::default(),
            retries: Counter::default(),
            open_traces: Gauge::default(),
            open_spans: Gauge::default(),
            held_bytes: Gauge::default(),
            calls: Family::new_with_constructor(|| Histogram::new(CALL_SECONDS)),
            traps: Family::default(),
        }
    }
}

impl Translating {
    fn register(&self, registry: &mut Registry) {
        for (name, help, counter) in [
            ("received_spans", "Spans that the translator took, repetitions included", &self.spans_received),
            ("delivered_spans", "Spans that the destination has acknowledged", &self.spans_delivered),
            ("duplicate_spans", "Spans that arrived again, or in an older version", &self.spans_duplicate),
            ("set_aside_spans", "Spans that MLflow will not take, kept in the set-aside folder", &self.spans_set_aside),
            ("repaired_values", "Values that were changed so that MLflow can store their span", &self.repairs),
            ("request_retries", "Requests that failed and were tried again", &self.retries),
        ] {
            registry.register(name, help, counter.clone());
        }
        registry.register("open_traces", "Traces with undelivered spans", self.open_traces.clone());
        registry.register("open_spans", "Undelivered spans that the translator holds", self.open_spans.clone());
        let held = "What the translator holds: undelivered spans and the outlines of delivered traces";
        registry.register_with_unit("held", held, Unit::Bytes, self.held_bytes.clone());
        registry.register_with_unit(
            "translator_call_duration",
            "Calls into the translator, by function",
            Unit::Seconds,
            self.calls.clone(),
        );
        let traps = "Translators that were stopped and replaced, by cause: runaway, out_of_memory, other";
        registry.register("translator_traps", traps, self.traps.clone());
    }
}

// === impl Requests ===

impl Requests {
    /// A request to this destination has ended, with an answer of this status or with none.
    pub(super) fn ended(&self, destination: &'static str, status: Option<u16>, after: Duration) {
        let status = match status.map(|status| status / 100) {
            Some(1) => "1xx",
            Some(2) => "2xx",
            Some(3) => "3xx",
            Some(4) => "4xx",
            Some(5) => "5xx",
            Some(_) => "other",
            None => "none",
        };
        self.0.get_or_create(&ByStatus { destination, status }).observe(after.as_secs_f64());
    }
}

// === impl Transport ===

impl Transport {
    fn name(self) -> &'static str {
        match self {
            Self::Grpc => "grpc",
            Self::Http => "http",
        }
    }
}

impl From<Transport> for ByTransport {
    fn from(transport: Transport) -> Self {
        Self { transport: transport.name() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_what_was_counted_then_each_name_says_its_unit_and_that_it_grows() {
        let metrics = Metrics::default();
        metrics.received.arrived(Transport::Http, 10);
        metrics.received.arrived(Transport::Http, 5);
        metrics.received.refused(Transport::Grpc, "malformed");
        metrics.requests.ended("mlflow", Some(503), Duration::from_millis(30));
        metrics.requests.ended("mlflow", None, Duration::from_secs(60));
        let text = metrics.text().unwrap();
        for line in [
            "openinference_mlflow_received_payloads_total{transport=\"http\"} 2",
            "openinference_mlflow_received_bytes_total{transport=\"http\"} 15",
            "openinference_mlflow_refused_payloads_total{transport=\"grpc\",reason=\"malformed\"} 1",
            "openinference_mlflow_request_duration_seconds_bucket{le=\"0.05\",destination=\"mlflow\",status=\"5xx\"} 1",
            "openinference_mlflow_request_duration_seconds_bucket{le=\"30.0\",destination=\"mlflow\",status=\"none\"} 0",
            "openinference_mlflow_delivered_spans_total 0",
            "# UNIT openinference_mlflow_held_bytes bytes",
        ] {
            assert!(text.lines().any(|said| said == line), "{line} is missing in\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }
}
