//! A cluster of librdkafka's mock brokers, its producers and its observers, and gateways in this process that read from it.

use std::sync::Arc;
use std::time::Duration;

use openinference_mlflow::driver::{self, Handle};
use openinference_mlflow::exporter::Destination;
use openinference_mlflow::kafka::{self, Consumers};
use openinference_mlflow::payload::Encoding;
use openinference_mlflow::quarantine::Quarantine;
use openinference_mlflow::settings::Kafka;
use openinference_mlflow::telemetry::{GroupState, GroupStatus, Metrics};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::{BorrowedMessage, Header, Headers as _, Message as _, OwnedHeaders};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer as _};
use rdkafka::{Offset, TopicPartitionList};
use tempfile::TempDir;

use super::fake_bridge::FakeBridges;

pub(crate) const TOPIC: &str = "otlp_spans";
pub(crate) const GROUP: &str = "gateways";

/// How long a broker of the test may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// The largest payload that gateways accept.
pub(crate) const MAX_PAYLOAD: usize = 1 << 20;

/// Mock brokers on loopback, in this process.
pub(crate) struct Cluster {
    pub(crate) brokers: MockCluster<'static, DefaultProducerContext>,
    producer: BaseProducer,
}

/// A message on a topic, as it was read back.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) payload: Vec<u8>,
    pub(crate) headers: Vec<(String, String)>,
}

/// A gateway in this process: a bridge, and a member of the group.
pub(crate) struct Gateway {
    pub(crate) bridge: Handle,
    pub(crate) status: GroupStatus,
    pub(crate) metrics: Metrics,
    consumers: Consumers,
}

// === impl Cluster ===

impl Cluster {
    /// A broker with the topic.
    pub(crate) fn with_partitions(partitions: i32) -> Self {
        let brokers = MockCluster::new(1).unwrap();
        brokers.create_topic(TOPIC, partitions, 1).unwrap();
        let producer = ClientConfig::new().set("bootstrap.servers", brokers.bootstrap_servers()).create().unwrap();
        Self { brokers, producer }
    }

    /// Settings that reach it.
    pub(crate) fn settings(&self) -> Kafka {
        let fast = [("session.timeout.ms", "6000"), ("heartbeat.interval.ms", "200"), ("fetch.wait.max.ms", "50")];
        Kafka {
            brokers: self.brokers.bootstrap_servers(),
            topic: TOPIC.to_owned(),
            group: GROUP.to_owned(),
            encoding: Encoding::Protobuf,
            dead_letter_topic: None,
            max_inflight_bytes: 64 << 20,
            config: fast.map(|(key, value)| (key.to_owned(), value.into())).into(),
        }
    }

    /// Writes a message to a partition.
    pub(crate) fn send(&self, partition: i32, payload: &[u8]) {
        self.send_with(partition, Some(payload), &[]);
    }

    /// The same with headers, or without a payload.
    pub(crate) fn send_with(&self, partition: i32, payload: Option<&[u8]>, headers: &[(&str, &str)]) {
        let mut owned = OwnedHeaders::new();
        for (key, value) in headers {
            owned = owned.insert(Header { key, value: Some(*value) });
        }
        let mut record = BaseRecord::<[u8], [u8]>::to(TOPIC).partition(partition).key(b"trace").headers(owned);
        record.payload = payload;
        self.producer.send(record).map_err(|(error, _)| error).unwrap();
    }

    /// Waits until the brokers have what was sent.
    pub(crate) fn flush(&self) {
        self.producer.flush(PATIENCE).unwrap();
    }

    /// What the group has committed for the first partitions; none: nothing.
    pub(crate) fn committed(&self, partitions: i32) -> Vec<Option<i64>> {
        let observer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", self.brokers.bootstrap_servers())
            .set("group.id", GROUP)
            .create()
            .unwrap();
        let mut list = TopicPartitionList::new();
        list.add_partition_range(TOPIC, 0, partitions - 1);
        let committed = observer.committed_offsets(list, PATIENCE).unwrap();
        let offset = |partition| match committed.find_partition(TOPIC, partition).unwrap().offset() {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        };
        (0..partitions).map(offset).collect()
    }

    /// The first messages of partition 0 of a topic.
    pub(crate) fn read(&self, topic: &str, count: usize) -> Vec<Read> {
        let reader: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", self.brokers.bootstrap_servers())
            .set("group.id", "reader")
            .create()
            .unwrap();
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, 0, Offset::Beginning).unwrap();
        reader.assign(&list).unwrap();
        let mut messages = Vec::new();
        while messages.len() < count {
            if let Ok(message) = reader.poll(PATIENCE).unwrap() {
                messages.push(Read::from(&message));
            }
        }
        messages
    }
}

impl From<&BorrowedMessage<'_>> for Read {
    fn from(message: &BorrowedMessage<'_>) -> Self {
        let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
        let text = |value: Option<&[u8]>| String::from_utf8_lossy(value.unwrap_or_default()).into_owned();
        Self {
            key: message.key().map(<[u8]>::to_vec),
            payload: message.payload().unwrap_or_default().to_vec(),
            headers: headers.map(|header| (header.key.to_owned(), text(header.value))).collect(),
        }
    }
}

// === impl Gateway ===

impl Gateway {
    /// Joins the group, before a destination.
    pub(crate) fn start(settings: &Kafka, dir: &TempDir, destination: impl Destination) -> Self {
        Self::start_with(settings, Quarantine::below(dir.path()), FakeBridges::default(), destination)
    }

    pub(crate) fn start_with(
        settings: &Kafka,
        quarantine: Quarantine,
        bridges: FakeBridges,
        destination: impl Destination,
    ) -> Self {
        let bridge = driver::start(bridges, destination, quarantine.clone(), None).unwrap();
        let metrics = Metrics::default();
        let mlflow = kafka::Destination::mlflow(&settings.group, Arc::new(bridge.clone()));
        let consumers = Consumers::start(settings, MAX_PAYLOAD, vec![mlflow], &quarantine, &metrics).unwrap();
        let status = metrics.consumer_groups().remove(0);
        Self { bridge, status, metrics, consumers }
    }

    pub(crate) fn state(&self) -> GroupState {
        self.status.now()
    }

    /// Ends as `serve` does on a signal.
    pub(crate) async fn stop(self, limit: Duration) {
        self.consumers.pause();
        self.bridge.drain(limit).await.unwrap();
        self.consumers.stop().await;
    }
}
