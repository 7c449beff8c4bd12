//! Reads payloads from a Kafka topic, as a member of a consumer group. Kafka is their journal.
//!
//! Guarantees:
//! - An offset is committed when the destination has everything before it in that partition, or when what it refused is in the
//!   quarantine folder or on the dead letter topic. A payload is delivered at least once, whenever a member dies.
//! - A payload is not written to disk.
//! - The memory is bounded: a group reads no further while too much is open, and stays a member meanwhile.
//! - Each destination has a consumer group of its own, so a dead one does not delay the others.
//! - A message that cannot be used holds up no other.
//!
//! Each group has a thread, which polls librdkafka and owns the state of the group.

mod configuration;
mod group;
mod low_water_mark;
mod message;
mod partitions;
mod phase;
pub mod probe;
mod refusals;
mod thread;
mod trouble;

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::driver::Borrower;
use crate::quarantine::Quarantine;
use crate::settings::Kafka;
use crate::telemetry::Metrics;
use configuration::Configuration;
use group::Group;
use phase::{Phase, Phases};
use refusals::Refusals;

pub use configuration::ConfigurationError;

/// How long the members may take to leave their groups.
const LEAVE: Duration = Duration::from_secs(5);
/// How often `stop` looks whether they have.
const MOMENT: Duration = Duration::from_millis(20);

/// The running consumer groups. They end on drop.
#[derive(Debug)]
pub struct Consumers {
    phases: Phases,
    threads: Vec<JoinHandle<()>>,
}

/// A destination with a consumer group of its own.
#[derive(Debug)]
pub struct Destination {
    group: String,
    borrower: Arc<dyn Borrower>,
    /// The forward destination; none: MLflow.
    forward: Option<String>,
}

// === impl Destination ===

impl Destination {
    /// MLflow, with the group of the settings.
    pub fn mlflow(group: &str, borrower: Arc<dyn Borrower>) -> Self {
        Self { group: group.to_owned(), borrower, forward: None }
    }

    /// A forward destination, with a group that is named after it.
    pub fn forward(group: &str, name: &str, borrower: Arc<dyn Borrower>) -> Self {
        let words = name.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '.');
        let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
        Self { group: format!("{group}-forward-{}", words.join("-")), borrower, forward: Some(name.to_owned()) }
    }
}

// === impl Consumers ===

impl Consumers {
    /// Joins the consumer groups. `max_payload` is the size of the largest payload in bytes.
    ///
    /// # Errors
    /// The settings cannot be used. Brokers that do not answer are no error: they are waited for.
    pub fn start(
        settings: &Kafka,
        max_payload: usize,
        destinations: Vec<Destination>,
        quarantine: &Quarantine,
        metrics: &Metrics,
    ) -> Result<Self, ConfigurationError> {
        let phases = Phases::default();
        let mut consumers = Self { phases: phases.clone(), threads: Vec::new() };
        for Destination { group: name, borrower, forward } in destinations {
            let configuration = Configuration::new(settings, max_payload);
            let refusals = Refusals::new(settings, &configuration, quarantine.clone(), forward)?;
            let status = metrics.consumer_group(&name);
            let received = metrics.received.clone();
            let group = Group::new(settings, max_payload, borrower, refusals, status, received, phases.clone());
            consumers.threads.push(thread::start(
                group,
                configuration.consumer(&name),
                &settings.topic,
                phases.clone(),
            )?);
        }
        Ok(consumers)
    }

    /// Reads nothing more.
    pub fn pause(&self) {
        self.phases.enter(Phase::Draining);
    }

    /// Commits what is settled and leaves the groups. Takes a few seconds at most: a thread whose brokers do not answer ends with
    /// the program.
    pub async fn stop(self) {
        self.phases.enter(Phase::Ending);
        let deadline = Instant::now() + LEAVE;
        while self.threads.iter().any(|thread| !thread.is_finished()) {
            if Instant::now() > deadline {
                tracing::warn!("Kafka did not answer in time; the group notices later that this member is gone");
                return;
            }
            sleep(MOMENT).await;
        }
    }
}

impl Drop for Consumers {
    fn drop(&mut self) {
        self.phases.enter(Phase::Ending);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::Loan;

    #[derive(Debug)]
    struct Nobody;

    impl Borrower for Nobody {
        fn lend(&self, _loan: Loan) {}

        fn flush(&self) {}
    }

    #[test]
    fn given_a_forward_destination_then_its_group_is_named_after_it() {
        let group = |name| Destination::forward("gateways", name, Arc::new(Nobody)).group;
        assert_eq!(group("http://127.0.0.1:6006/v1/traces"), "gateways-forward-http-127.0.0.1-6006-v1-traces");
        assert_eq!(group("grpcs://otel.example.com"), "gateways-forward-grpcs-otel.example.com");
    }
}
