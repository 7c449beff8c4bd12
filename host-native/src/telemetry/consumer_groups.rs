//! The status of consumer groups on a Kafka topic, and their metrics. The number of time series is bounded by the settings and
//! by the partitions of the topic.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

/// One consumer group, as this member sees it. Clones share the status.
#[derive(Debug, Clone)]
pub struct GroupStatus {
    group: Arc<str>,
    /// What changes.
    state: Arc<Mutex<GroupState>>,
}

/// What changes.
#[derive(Debug, Clone, Default)]
pub struct GroupState {
    /// Why nothing arrives, or nothing can be committed. None: all is well.
    pub trouble: Option<String>,
    /// The messages of each assigned partition that MLflow does not have, where that is known.
    pub lag: BTreeMap<i32, Option<i64>>,
    /// The bytes of payloads that are read and not settled.
    pub inflight_bytes: usize,
    /// Whether the partitions are paused because of these bytes.
    pub paused: bool,
    /// Read messages.
    pub messages: u64,
    /// Offsets that were committed, as the statistics show them.
    pub commits: u64,
    /// Assignments and revocations.
    pub rebalances: u64,
    /// Partitions that the group took away because this member did not answer.
    pub lost_partitions: u64,
    /// Payloads and spans that were refused.
    pub refused: u64,
}

// === impl GroupStatus ===

impl GroupStatus {
    fn new(group: &str) -> Self {
        Self { group: group.into(), state: Arc::default() }
    }

    /// The name of the consumer group.
    pub fn group(&self) -> &str {
        &self.group
    }

    /// The current state.
    pub fn now(&self) -> GroupState {
        self.state.lock().clone()
    }

    /// Changes the state.
    pub fn update<T>(&self, change: impl FnOnce(&mut GroupState) -> T) -> T {
        change(&mut self.state.lock())
    }
}

/// All consumer groups of this process.
#[derive(Debug, Clone, Default)]
pub(super) struct ConsumerGroups(Arc<Mutex<Vec<GroupStatus>>>);

impl ConsumerGroups {
    pub(super) fn add(&self, group: &str) -> GroupStatus {
        let status = GroupStatus::new(group);
        self.0.lock().push(status.clone());
        status
    }

    pub(super) fn all(&self) -> Vec<GroupStatus> {
        self.0.lock().clone()
    }
}

type Count = fn(&GroupState) -> u64;
type Amount = fn(&GroupState) -> f64;

const COUNTERS: [(&str, &str, Count); 5] = [
    ("kafka_messages", "Messages that were read from Kafka", |state| state.messages),
    ("kafka_commits", "Committed offsets, at most one a second for each partition", |state| state.commits),
    ("kafka_rebalances", "Assignments and revocations of partitions", |state| state.rebalances),
    ("kafka_lost_partitions", "Partitions that the group took from this member", |state| state.lost_partitions),
    ("kafka_refused", "Payloads and spans that went to the quarantine or the dead letter topic", |state| state.refused),
];

const GAUGES: [(&str, &str, Option<Unit>, Amount); 4] = [
    ("kafka_assigned_partitions", "Partitions of this member", None, |state| state.lag.len() as f64),
    ("kafka_inflight", "Bytes of payloads from Kafka that are not settled", Some(Unit::Bytes), |state| {
        state.inflight_bytes as f64
    }),
    ("kafka_paused", "1 while partitions are paused because of these bytes", None, |state| {
        f64::from(u8::from(state.paused))
    }),
    ("kafka_connected", "1 unless /readyz says what is wrong with Kafka", None, |state| {
        f64::from(u8::from(state.trouble.is_none()))
    }),
];

impl Collector for ConsumerGroups {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let groups: Vec<_> = self.all().into_iter().map(|status| (status.group.clone(), status.now())).collect();
        if groups.is_empty() {
            return Ok(());
        }
        for (name, help, count) in COUNTERS {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            for (group, state) in &groups {
                ConstCounter::new(count(state)).encode(family.encode_family(&[("group", &**group)])?)?;
            }
        }
        for (name, help, unit, amount) in &GAUGES {
            let mut family = encoder.encode_descriptor(name, help, unit.as_ref(), MetricType::Gauge)?;
            for (group, state) in &groups {
                ConstGauge::new(amount(state)).encode(family.encode_family(&[("group", &**group)])?)?;
            }
        }
        let help = "Messages of an assigned partition that MLflow does not have";
        let mut family = encoder.encode_descriptor("kafka_lag_messages", help, None, MetricType::Gauge)?;
        for (group, state) in &groups {
            for (partition, lag) in state.lag.iter().filter_map(|(partition, lag)| Some((partition, (*lag)?))) {
                let partition = partition.to_string();
                let labels = [("group", &**group), ("partition", partition.as_str())];
                ConstGauge::new(lag as f64).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::telemetry::Metrics;

    #[test]
    fn given_a_consumer_group_then_its_lag_and_what_it_did_are_shown() {
        let metrics = Metrics::default();
        assert!(!metrics.text().unwrap().contains("kafka"));
        metrics.consumer_group("gateways").update(|state| {
            state.lag = [(0, Some(7)), (1, None)].into();
            state.commits = 3;
        });
        let text = metrics.text().unwrap();
        for line in [
            "openinference_mlflow_kafka_commits_total{group=\"gateways\"} 3",
            "openinference_mlflow_kafka_assigned_partitions{group=\"gateways\"} 2.0",
            "openinference_mlflow_kafka_inflight_bytes{group=\"gateways\"} 0.0",
            "openinference_mlflow_kafka_connected{group=\"gateways\"} 1.0",
            "openinference_mlflow_kafka_lag_messages{group=\"gateways\",partition=\"0\"} 7.0",
        ] {
            assert!(text.lines().any(|said| said == line), "{line} is missing in\n{text}");
        }
        assert!(!text.contains("partition=\"1\""), "{text}");
    }
}
