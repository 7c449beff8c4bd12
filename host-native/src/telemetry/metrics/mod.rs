//! Every figure that `/metrics` shows, each declared once, with its help text and unit.
//!
//! Names follow Prometheus' conventions: a prefix, base units (seconds, bytes), `_total` for what only grows (which the
//! encoder adds). Counters begin at 0 when the program starts.

mod received;
mod requests;
mod translating;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::text;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::queues::Queues;
use super::reach::Reach;
use super::storage::Storage;
use crate::driver::Waiting;
use crate::journal::Journal;
use crate::quarantine::SetAsideFolder;
pub use received::{Received, Transport};
pub use requests::Forwarded;
pub(super) use requests::Requests;
pub(super) use translating::{ByCall, ByCause, Translating};

/// What all names begin with.
const PREFIX: &str = "openinference_mlflow";

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
    /// What is on disk.
    storage: Storage,
    /// Whether MLflow answers.
    pub(super) reach: Reach,
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
        let requests = Requests::default();
        requests.register(&mut registry);
        let queues = Queues::default();
        registry.register_collector(Box::new(queues.clone()));
        let storage = Storage::default();
        registry.register_collector(Box::new(storage.clone()));
        let (registry, reach) = (Arc::new(registry), Reach::default());
        Self { registry, received, translator, requests, queues, storage, reach }
    }
}

impl Metrics {
    /// Whether MLflow answers, as the requests show that are counted here.
    pub fn reach(&self) -> &Reach {
        &self.reach
    }

    /// A request to this destination has ended, with an answer of this status or with none.
    pub fn requested(&self, destination: &str, status: Option<u16>, after: Duration) {
        self.requests.ended(destination, status, after);
    }

    /// This destination has seen the last of a payload.
    pub fn forwarded(&self, destination: &str, how: Forwarded) {
        self.requests.forwarded(destination, how);
    }

    /// Show what waits for this destination, too.
    pub fn watch(&self, destination: &str, waiting: impl Fn() -> Waiting + Send + Sync + 'static) {
        self.queues.add(destination, waiting);
    }

    /// Show what is on disk, too.
    pub fn watch_storage(&self, set_aside: SetAsideFolder, journal: Option<Journal>) {
        self.storage.show(set_aside, journal);
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
