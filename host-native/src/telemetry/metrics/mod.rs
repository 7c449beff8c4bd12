//! The metrics of `/metrics`, each declared once, with its help text and unit.
//!
//! Names follow the conventions of Prometheus: a prefix, base units (seconds, bytes), and `_total` for counters (added by the
//! encoder). Counters start at 0 with the program.

mod received;
mod requests;
mod translator;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::text;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::consumer_groups::{ConsumerGroups, GroupStatus};
use super::queues::Queues;
use super::reachability::Reachability;
use super::storage::Storage;
use crate::driver::Waiting;
use crate::journal::Journal;
use crate::quarantine::Quarantine;
pub use received::{Received, Transport};
pub use requests::Forwarded;
pub(super) use requests::Requests;
pub(super) use translator::{ByCall, ByCause, TranslatorMetrics};

/// The prefix of all names.
const PREFIX: &str = "openinference_mlflow";

/// All metrics. Cheap to clone; clones share their values.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    /// Requests of applications.
    pub received: Received,
    /// The translator.
    pub(super) translator: TranslatorMetrics,
    /// Requests to destinations.
    pub(super) requests: Requests,
    /// Accepted and undelivered payloads.
    pub(super) queues: Queues,
    /// Consumer groups on a Kafka topic.
    consumer_groups: ConsumerGroups,
    /// The journal and the quarantine.
    storage: Storage,
    /// Whether MLflow answers.
    pub(super) reachability: Reachability,
}

// === impl Metrics ===

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "Version of the gateway", build);
        let received = Received::default();
        received.register(&mut registry);
        let translator = TranslatorMetrics::default();
        translator.register(&mut registry);
        let requests = Requests::default();
        requests.register(&mut registry);
        let queues = Queues::default();
        registry.register_collector(Box::new(queues.clone()));
        let consumer_groups = ConsumerGroups::default();
        registry.register_collector(Box::new(consumer_groups.clone()));
        let storage = Storage::default();
        registry.register_collector(Box::new(storage.clone()));
        let (registry, reachability) = (Arc::new(registry), Reachability::default());
        Self { registry, received, translator, requests, queues, consumer_groups, storage, reachability }
    }
}

impl Metrics {
    /// The reachability of MLflow.
    pub fn reachability(&self) -> &Reachability {
        &self.reachability
    }

    /// Records a request. The status is none if there was no answer.
    pub fn requested(&self, destination: &str, status: Option<u16>, after: Duration) {
        self.requests.ended(destination, status, after);
    }

    /// Records the final outcome of a forwarded payload.
    pub fn forwarded(&self, destination: &str, how: Forwarded) {
        self.requests.forwarded(destination, how);
    }

    /// Adds the queue of a destination.
    pub fn watch(&self, destination: &str, waiting: impl Fn() -> Waiting + Send + Sync + 'static) {
        self.queues.add(destination, waiting);
    }

    /// Adds a consumer group.
    pub fn consumer_group(&self, group: &str) -> GroupStatus {
        self.consumer_groups.add(group)
    }

    /// The consumer groups.
    pub fn consumer_groups(&self) -> Vec<GroupStatus> {
        self.consumer_groups.all()
    }

    /// Adds the journal and the quarantine.
    pub fn watch_storage(&self, quarantine: Quarantine, journal: Option<Journal>) {
        self.storage.show(quarantine, journal);
    }

    /// All metrics in the OpenMetrics text format.
    ///
    /// # Errors
    /// Never, for the metrics declared here.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
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
