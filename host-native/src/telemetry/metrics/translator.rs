//! The metrics of the translator.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// Histogram bounds of call durations in seconds, up to the limit of a call.
const CALL_SECONDS: [f64; 12] = [0.00001, 0.00005, 0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 10.0];

/// The metrics of the translator. Counters are the sums over all instances.
#[derive(Debug, Clone)]
pub(in crate::telemetry) struct TranslatorMetrics {
    pub(in crate::telemetry) spans_received: Counter,
    pub(in crate::telemetry) spans_delivered: Counter,
    pub(in crate::telemetry) spans_duplicate: Counter,
    pub(in crate::telemetry) spans_quarantined: Counter,
    pub(in crate::telemetry) repairs: Counter,
    pub(in crate::telemetry) retries: Counter,
    pub(in crate::telemetry) open_traces: Gauge,
    pub(in crate::telemetry) open_spans: Gauge,
    pub(in crate::telemetry) held_bytes: Gauge,
    pub(in crate::telemetry) calls: Family<ByCall, Histogram, fn() -> Histogram>,
    pub(in crate::telemetry) traps: Family<ByCause, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(in crate::telemetry) struct ByCall {
    pub(in crate::telemetry) call: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(in crate::telemetry) struct ByCause {
    pub(in crate::telemetry) cause: &'static str,
}

// === impl TranslatorMetrics ===

impl Default for TranslatorMetrics {
    fn default() -> Self {
        Self {
            spans_received: Counter::default(),
            spans_delivered: Counter::default(),
            spans_duplicate: Counter::default(),
            spans_quarantined: Counter::default(),
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

impl TranslatorMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        for (name, help, counter) in [
            ("received_spans", "Spans that the translator accepted, including repetitions", &self.spans_received),
            ("delivered_spans", "Spans that the destination acknowledged", &self.spans_delivered),
            ("duplicate_spans", "Spans that arrived again, or in an older version", &self.spans_duplicate),
            ("quarantined_spans", "Spans that MLflow refuses and that are quarantined", &self.spans_quarantined),
            ("repaired_values", "Values that the translator changed so that MLflow can store the span", &self.repairs),
            ("request_retries", "Retries of failed requests", &self.retries),
        ] {
            registry.register(name, help, counter.clone());
        }
        registry.register("open_traces", "Traces with undelivered spans", self.open_traces.clone());
        registry.register("open_spans", "Undelivered spans that the translator holds", self.open_spans.clone());
        let held = "Memory of the translator: undelivered spans and summaries of delivered traces";
        registry.register_with_unit("held", held, Unit::Bytes, self.held_bytes.clone());
        registry.register_with_unit(
            "translator_call_duration",
            "Calls into the translator, by function",
            Unit::Seconds,
            self.calls.clone(),
        );
        let traps = "Translator instances that trapped and were replaced, by cause: runaway, out_of_memory, other";
        registry.register("translator_traps", traps, self.traps.clone());
    }
}
