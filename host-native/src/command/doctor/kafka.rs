//! The Kafka topic: brokers, credentials, partitions, rights, keys and encoding. Joins no group and commits nothing.

use super::finding::Finding;
use crate::kafka::probe::{Findings, ProbeError, Sample, Topic, probe};
use crate::payload::Encoding;
use crate::settings::Kafka;

pub(super) async fn examine(settings: Kafka) -> Vec<Finding> {
    let asked = settings.clone();
    match tokio::task::spawn_blocking(move || probe(&asked)).await {
        Ok(Ok(findings)) => describe(&settings, findings),
        Ok(Err(ProbeError::Configuration(error))) => {
            let advice = "see --kafka-config and --kafka-config-file";
            vec![Finding::broken("kafka settings", error.to_string(), advice)]
        }
        Ok(Err(ProbeError::Brokers(reason))) => {
            let advice =
                "check --kafka-brokers and the network, and the properties security.protocol, sasl.* and ssl.*";
            vec![Finding::broken("kafka brokers", reason, advice)]
        }
        Err(error) => vec![Finding::broken("kafka", error.to_string(), "report this")],
    }
}

fn describe(settings: &Kafka, findings: Findings) -> Vec<Finding> {
    let Findings { brokers, topic, dead_letters } = findings;
    let mut described = vec![Finding::ok("kafka brokers", format!("{brokers} brokers answer at {}", settings.brokers))];
    match topic {
        Ok(topic) => described.extend(describe_topic(settings, &topic)),
        Err(reason) => described.push(Finding::broken("kafka topic", reason, "create the topic, or grant the rights")),
    }
    match dead_letters {
        Some(Ok(())) => described.push(Finding::ok("dead letters", "the dead letter topic exists")),
        Some(Err(reason)) => {
            let advice = "create it, or drop --kafka-dead-letter-topic: then the quarantine folder is used";
            described.push(Finding::broken("dead letters", reason, advice));
        }
        None => {}
    }
    described
}

fn describe_topic(settings: &Kafka, topic: &Topic) -> Vec<Finding> {
    let Kafka { topic: name, group, .. } = settings;
    let partitions = topic.partitions;
    let mut described = vec![match partitions {
        1 => Finding::warning(
            "kafka topic",
            format!("{name} has one partition, so one gateway alone can read it"),
            "give it at least as many partitions as there are gateways",
        ),
        _ => Finding::ok("kafka topic", format!("{name} has {partitions} partitions")),
    }];
    described.push(match &topic.behind {
        Ok(Some(behind)) => Finding::ok("kafka group", format!("{group} is {behind} messages behind")),
        Ok(None) => Finding::ok("kafka group", format!("{group} is new: it starts with the oldest message")),
        Err(reason) => Finding::broken("kafka group", reason, format!("grant the right Read on group {group}")),
    });
    described.extend(describe_sample(settings, &topic.sample));
    described
}

fn describe_sample(settings: &Kafka, sample: &Sample) -> Vec<Finding> {
    let Sample { messages, trace_ids, without_key, json, trouble } = sample;
    if *messages == 0 {
        return vec![match trouble {
            Some(reason) => Finding::broken("kafka messages", reason, "grant the right Read on the topic"),
            None => Finding::ok("kafka messages", "the topic is empty"),
        }];
    }
    let keys = match (*trace_ids, *without_key) {
        (ids, _) if ids == *messages => {
            Finding::ok("kafka keys", format!("the keys of the latest {messages} messages are trace ids"))
        }
        (_, without) => Finding::warning(
            "kafka keys",
            format!(
                "of the latest {messages} messages, {without} have no key, and {trace_ids} have a trace id as key: gateways \
                 may share a trace"
            ),
            "nothing is lost, but previews come later; in the Collector's kafka exporter set partition_traces_by_id: true",
        ),
    };
    let encoding = match (settings.encoding, *json) {
        (Encoding::Protobuf, 0) => Finding::ok("kafka encoding", "the messages are not JSON, as --kafka-encoding says"),
        (Encoding::Protobuf, json) => Finding::broken(
            "kafka encoding",
            format!("{json} of the latest {messages} messages look like JSON"),
            "set --kafka-encoding otlp_json, or encoding: otlp_proto in the producer",
        ),
        (_, json) if json == *messages => Finding::ok("kafka encoding", "the messages look like JSON"),
        (_, json) => Finding::broken(
            "kafka encoding",
            format!("{} of the latest {messages} messages do not look like JSON", messages - json),
            "set --kafka-encoding otlp_proto, or encoding: otlp_json in the producer",
        ),
    };
    vec![keys, encoding]
}
