//! A Kafka topic as a source of payloads. No flag takes a credential.

use std::path::PathBuf;

use bytesize::ByteSize;
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum, ValueHint};
use secrecy::SecretString;
use serde::Deserialize;

/// A Kafka topic as a source of payloads.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[command(next_help_heading = "Kafka")]
#[serde(default)]
pub struct KafkaArgs {
    /// Read payloads from Kafka as a member of a consumer group: the brokers to start with, with commas between them.
    ///
    /// Without it nothing is read from Kafka.
    #[arg(long, value_name = "HOST:PORT", env = "OPENINFERENCE_MLFLOW_KAFKA_BROKERS",
          value_parser = NonEmptyStringValueParser::new())]
    pub kafka_brokers: Option<String>,
    /// The topic that holds the payloads [default: otlp_spans].
    #[arg(long, value_name = "TOPIC", env = "OPENINFERENCE_MLFLOW_KAFKA_TOPIC",
          value_parser = NonEmptyStringValueParser::new())]
    pub kafka_topic: Option<String>,
    /// The consumer group; gateways with the same group share the partitions of the topic [default:
    /// openinference-mlflow].
    ///
    /// Each destination of --forward has a consumer group of its own, with -forward- and its address appended to this
    /// name.
    #[arg(long, value_name = "GROUP", env = "OPENINFERENCE_MLFLOW_KAFKA_GROUP",
          value_parser = NonEmptyStringValueParser::new())]
    pub kafka_group: Option<String>,
    /// How messages are encoded, in the words of the Collector's kafka exporter [default: otlp_proto].
    #[arg(long, value_name = "ENCODING", env = "OPENINFERENCE_MLFLOW_KAFKA_ENCODING")]
    pub kafka_encoding: Option<KafkaEncoding>,
    /// Where to put what cannot be read, or what MLflow refuses: a topic, in place of the quarantine folder.
    ///
    /// Message headers say why.
    #[arg(long, value_name = "TOPIC", env = "OPENINFERENCE_MLFLOW_KAFKA_DEAD_LETTER_TOPIC",
          value_parser = NonEmptyStringValueParser::new())]
    pub kafka_dead_letter_topic: Option<String>,
    /// A configuration property of librdkafka, such as security.protocol=sasl_ssl. May be given several times.
    ///
    /// In the environment, several are separated by commas. Passwords belong into --kafka-config-file or into the
    /// environment, because a flag shows in process lists.
    #[arg(long, value_name = "KEY=VALUE", env = "OPENINFERENCE_MLFLOW_KAFKA_CONFIG", value_delimiter = ',')]
    pub kafka_config: Option<Vec<SecretString>>,
    /// A file with configuration properties of librdkafka, one key=value on a line.
    #[arg(long, value_name = "FILE", env = "OPENINFERENCE_MLFLOW_KAFKA_CONFIG_FILE", value_hint = ValueHint::FilePath)]
    pub kafka_config_file: Option<PathBuf>,
    /// Payloads from Kafka that MLflow does not have yet, for each consumer group. Beyond it the gateway pauses the
    /// partitions [default: 64MiB].
    #[arg(long, value_name = "SIZE", env = "OPENINFERENCE_MLFLOW_KAFKA_MAX_INFLIGHT_SIZE", hide_short_help = true)]
    pub kafka_max_inflight_size: Option<ByteSize>,
}

/// How messages are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum KafkaEncoding {
    /// OTLP in protobuf.
    OtlpProto,
    /// OTLP/JSON.
    OtlpJson,
}
