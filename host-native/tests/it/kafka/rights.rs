//! A user without the rights that a member needs, as `doctor` and `serve` find out.

use std::time::Duration;

use openinference_mlflow::kafka::probe::{Findings, probe};
use openinference_mlflow::settings::Kafka;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

use crate::support::fake_bridge::Inbox;
use crate::support::kafka::{Cluster, Gateway, TOPIC};
use crate::support::until;

const SECOND: Duration = Duration::from_secs(1);

/// More than librdkafka asks for.
const ALWAYS: usize = 1_000;

fn refuse(cluster: &Cluster, request: RDKafkaApiKey, error: RDKafkaRespErr) {
    cluster.brokers.request_errors(request, &[error; ALWAYS]);
}

async fn look(cluster: &Cluster) -> Findings {
    let settings: Kafka = cluster.settings();
    tokio::task::spawn_blocking(move || probe(&settings)).await.unwrap().unwrap()
}

#[tokio::test]
async fn given_a_topic_that_this_user_must_not_read_then_the_rights_are_named() {
    let (cluster, dir, inbox) = (Cluster::with_partitions(1), tempfile::tempdir().unwrap(), Inbox::default());
    cluster.brokers.topic_error(TOPIC, RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED).unwrap();
    let reason = look(&cluster).await.topic.unwrap_err();
    assert!(reason.contains("must not read topic otlp_spans") && reason.contains("Read and Describe"), "{reason}");

    let gateway = Gateway::start(&cluster.settings(), &dir, inbox);
    until("it is told", || async { gateway.state().trouble.is_some_and(|told| told.contains("Read and Describe")) })
        .await;
    cluster.brokers.topic_error(TOPIC, RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR).unwrap();
    gateway.stop(SECOND).await;
}

#[tokio::test]
async fn given_a_group_that_this_user_must_not_join_then_the_right_is_named() {
    let (cluster, dir, inbox) = (Cluster::with_partitions(1), tempfile::tempdir().unwrap(), Inbox::default());
    let refused = RDKafkaRespErr::RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED;
    for request in [RDKafkaApiKey::OffsetFetch, RDKafkaApiKey::JoinGroup, RDKafkaApiKey::FindCoordinator] {
        refuse(&cluster, request, refused);
    }
    let reason = look(&cluster).await.topic.unwrap().behind.unwrap_err();
    assert!(reason.contains("must not join group gateways") && reason.contains("right Read"), "{reason}");

    let gateway = Gateway::start(&cluster.settings(), &dir, inbox);
    until("it is told", || async { gateway.state().trouble.is_some_and(|told| told.contains("join group")) }).await;
    gateway.stop(SECOND).await;
}

#[tokio::test]
async fn given_messages_that_this_user_must_not_fetch_then_the_sample_says_so() {
    let cluster = Cluster::with_partitions(1);
    cluster.send(0, b"{}");
    cluster.flush();
    refuse(&cluster, RDKafkaApiKey::Fetch, RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    let topic = look(&cluster).await.topic.unwrap();
    let trouble = topic.sample.trouble.unwrap();
    assert!(trouble.contains("must not read topic otlp_spans"), "{trouble}");
}
