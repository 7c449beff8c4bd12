//! Brokers that fail, and topics that are not there.

use std::time::Duration;

use openinference_mlflow::kafka::{ConfigurationError, Consumers};
use openinference_mlflow::quarantine::Quarantine;
use openinference_mlflow::settings::Kafka;
use openinference_mlflow::telemetry::Metrics;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

use crate::support::fake_bridge::Inbox;
use crate::support::kafka::{Cluster, Gateway, MAX_PAYLOAD, TOPIC};
use crate::support::until;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn given_errors_on_fetch_commit_and_join_then_everything_is_delivered_and_committed() {
    let (cluster, dir, inbox) = (Cluster::with_partitions(1), tempfile::tempdir().unwrap(), Inbox::default());
    use RDKafkaRespErr::*;
    let gone = RD_KAFKA_RESP_ERR__TRANSPORT;
    for (request, errors) in [
        (RDKafkaApiKey::JoinGroup, vec![RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, gone]),
        (RDKafkaApiKey::SyncGroup, vec![RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS]),
        (
            RDKafkaApiKey::Fetch,
            vec![RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, gone, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION],
        ),
        (RDKafkaApiKey::OffsetFetch, vec![RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS]),
        (
            RDKafkaApiKey::OffsetCommit,
            vec![RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, gone, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT],
        ),
        (RDKafkaApiKey::Heartbeat, vec![RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID]),
    ] {
        cluster.brokers.request_errors(request, &errors);
    }
    let gateway = Gateway::start(&cluster.settings(), &dir, inbox.clone());
    for number in 0..20 {
        cluster.send(0, format!("message {number:02}").as_bytes());
        cluster.flush();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    until("all is committed", || async { cluster.committed(1) == [Some(20)] }).await;
    let mut texts = inbox.texts();
    texts.dedup();
    assert_eq!(texts.len(), 20);
    until("all is well", || async { gateway.state().trouble.is_none() }).await;
    gateway.stop(SECOND).await;
}

#[tokio::test]
async fn given_brokers_that_are_away_for_a_while_then_that_is_told_and_it_goes_on() {
    let (cluster, dir, inbox) = (Cluster::with_partitions(1), tempfile::tempdir().unwrap(), Inbox::default());
    let gateway = Gateway::start(&cluster.settings(), &dir, inbox.clone());
    cluster.send(0, b"one");
    cluster.flush();
    until("it is committed", || async { cluster.committed(1) == [Some(1)] }).await;
    cluster.brokers.broker_down(-1).unwrap();
    until("it is told", || async {
        gateway.state().trouble.is_some_and(|trouble| trouble.contains("--kafka-brokers"))
    })
    .await;
    cluster.brokers.broker_up(-1).unwrap();
    cluster.send(0, b"two");
    cluster.flush();
    until("it is committed", || async { cluster.committed(1) == [Some(2)] }).await;
    until("all is well", || async { gateway.state().trouble.is_none() }).await;
    gateway.stop(SECOND).await;
}

#[tokio::test]
async fn given_brokers_that_are_away_at_the_end_then_the_gateway_ends_all_the_same() {
    let (cluster, dir) = (Cluster::with_partitions(1), tempfile::tempdir().unwrap());
    let gateway = Gateway::start(&cluster.settings(), &dir, Inbox::default());
    until("it has the partition", || async { !gateway.state().lag.is_empty() }).await;
    cluster.brokers.broker_down(-1).unwrap();
    tokio::time::timeout(20 * SECOND, gateway.stop(SECOND)).await.unwrap();
}

#[tokio::test]
async fn given_a_topic_that_is_not_there_then_it_is_named_and_read_once_it_is_there() {
    let (cluster, dir, inbox) = (Cluster::with_partitions(1), tempfile::tempdir().unwrap(), Inbox::default());
    cluster.send(0, b"one");
    cluster.flush();
    let unknown = RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    cluster.brokers.topic_error(TOPIC, unknown).unwrap();
    let mut settings = cluster.settings();
    settings.config.push(("topic.metadata.refresh.interval.ms".to_owned(), "500".into()));
    let gateway = Gateway::start(&settings, &dir, inbox.clone());
    until("it is named", || async {
        let trouble = gateway.state().trouble.unwrap_or_default();
        trouble.contains("topic otlp_spans does not exist") && trouble.contains("--kafka-topic")
    })
    .await;
    cluster.brokers.topic_error(TOPIC, RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR).unwrap();
    until("it is read", || async { cluster.committed(1) == [Some(1)] }).await;
    until("all is well", || async { gateway.state().trouble.is_none() }).await;
    gateway.stop(SECOND).await;
}

fn refused(config: &[(&str, &str)]) -> ConfigurationError {
    let dir = tempfile::tempdir().unwrap();
    let cluster = Cluster::with_partitions(1);
    let config = config.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect();
    let settings = Kafka { config, ..cluster.settings() };
    let inbox = Inbox::default();
    let bridge = openinference_mlflow::driver::start(
        crate::support::fake_bridge::FakeBridges::default(),
        inbox,
        Quarantine::below(dir.path()),
        None,
    );
    let mlflow = openinference_mlflow::kafka::Destination::mlflow("group", std::sync::Arc::new(bridge.unwrap()));
    let quarantine = Quarantine::below(dir.path());
    Consumers::start(&settings, MAX_PAYLOAD, vec![mlflow], &quarantine, &Metrics::default()).unwrap_err()
}

#[tokio::test]
async fn given_properties_that_librdkafka_cannot_use_then_they_are_named_without_secrets() {
    let said = refused(&[("securty.protocol", "ssl")]).to_string();
    assert!(said.contains("securty.protocol"), "{said}");
    let said = refused(&[("security.protocol", "tls")]).to_string();
    assert!(said.contains("security.protocol") && said.contains("tls"), "{said}");
    let said = refused(&[("security.protocol", "ssl"), ("ssl.key.pem", "hunter2")]).to_string();
    assert!(said.contains("ssl.key.pem") && !said.contains("hunter2"), "{said}");
}
