//! The configuration of librdkafka.

use std::io;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use secrecy::ExposeSecret as _;

use crate::settings::Kafka;

/// The most bytes that librdkafka fetches ahead, for each consumer group.
const FETCHED_AHEAD: usize = 16 << 20;

/// The configuration of the clients of one topic.
pub(super) struct Configuration {
    settings: Kafka,
    /// The largest payload that is accepted.
    max_payload: usize,
}

/// A property cannot be used. Contains no secret.
#[derive(Debug, thiserror::Error)]
#[error("Kafka cannot be read with these settings: {0}")]
pub struct ConfigurationError(String);

// === impl Configuration ===

impl Configuration {
    pub(super) fn new(settings: &Kafka, max_payload: usize) -> Self {
        Self { settings: settings.clone(), max_payload }
    }

    pub(super) fn topic(&self) -> &str {
        &self.settings.topic
    }

    /// A client that joins no group.
    pub(super) fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.settings.brokers)
            .set("client.id", "openinference-mlflow")
            // A new partition is noticed within this time.
            .set("topic.metadata.refresh.interval.ms", "30000")
            // All lines are wanted, whatever the logs show: they explain errors.
            .set_log_level(RDKafkaLogLevel::Debug);
        config
    }

    /// A member of a consumer group.
    pub(super) fn consumer(&self, group: &str) -> ClientConfig {
        let mut config = self.client();
        config
            .set("group.id", group)
            // librdkafka commits what the gateway stores: again if it fails, and before it gives a partition away.
            .set("enable.auto.commit", "true")
            .set("auto.commit.interval.ms", "500")
            .set("enable.auto.offset.store", "false")
            // A new group starts with what is there.
            .set("auto.offset.reset", "earliest")
            // Partitions that stay are read on during a rebalance.
            .set("partition.assignment.strategy", "cooperative-sticky")
            .set("queued.max.messages.kbytes", (FETCHED_AHEAD >> 10).to_string())
            // How far behind a partition is.
            .set("statistics.interval.ms", "1000");
        self.customised(config)
    }

    /// A producer that gives up after this time.
    pub(super) fn producer(&self, patience: Duration) -> ClientConfig {
        let mut config = self.client();
        config
            .set("acks", "all")
            .set("message.timeout.ms", patience.as_millis().to_string())
            // Room for the headers. The brokers have a limit of their own.
            .set("message.max.bytes", (self.max_payload + (1 << 20)).clamp(1_000, 1_000_000_000).to_string());
        self.customised(config)
    }

    /// What the settings say wins.
    pub(super) fn customised(&self, mut config: ClientConfig) -> ClientConfig {
        for (key, value) in &self.settings.config {
            config.set(key, value.expose_secret());
        }
        config
    }
}

// === impl ConfigurationError ===

impl ConfigurationError {
    pub(super) fn of_thread(error: &io::Error) -> Self {
        Self(format!("failed to start a thread: {error}"))
    }
}

impl From<KafkaError> for ConfigurationError {
    fn from(error: KafkaError) -> Self {
        Self(match error {
            KafkaError::ClientConfig(_, _, key, _) if Kafka::is_secret(&key) => format!("{key} has an unusable value"),
            KafkaError::ClientConfig(_, description, ..) => description,
            KafkaError::ClientCreation(description) => description,
            error => error.to_string(),
        })
    }
}
