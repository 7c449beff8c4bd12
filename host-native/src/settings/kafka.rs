//! Which topic to read, as which consumer group, and how to reach the brokers. Passwords come from a file, the environment or
//! the settings file, never from a flag, and cannot be printed.

use std::path::Path;

use bytesize::ByteSize;
use secrecy::{ExposeSecret, SecretString};

use super::{Layers, SettingsError, Sources};
use crate::cli::{KafkaArgs, KafkaEncoding};
use crate::payload::Encoding;

/// Parts of the names of properties that hold secrets.
const SECRETS: [&str; 5] = ["password", "passphrase", "secret", "key.pem", "sasl.oauthbearer.config"];

/// librdkafka then makes its own tokens, without a signature: for tests.
const UNSECURED_TOKENS: &str = "enable.sasl.oauthbearer.unsecure.jwt";

/// The properties that the gateway sets itself, and why nobody else may.
const OWN: [(&str, &str); 4] = [
    ("bootstrap.servers", "--kafka-brokers sets it"),
    ("group.id", "--kafka-group sets it"),
    ("enable.auto.commit", "the gateway commits an offset when MLflow has everything before it"),
    ("enable.auto.offset.store", "the gateway commits an offset when MLflow has everything before it"),
];

/// Which topic to read, and how.
#[derive(Debug, Clone)]
pub struct Kafka {
    /// The brokers to start with, as librdkafka reads them.
    pub brokers: String,
    /// The topic.
    pub topic: String,
    /// The consumer group.
    pub group: String,
    /// How messages are encoded.
    pub encoding: Encoding,
    /// Where refused payloads go; none: the quarantine folder.
    pub dead_letter_topic: Option<String>,
    /// The most bytes of undelivered payloads, for each consumer group.
    pub max_inflight_bytes: usize,
    /// Other properties of librdkafka, by their names.
    pub config: Vec<(String, SecretString)>,
}

/// A property that cannot be used. Contains no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KafkaConfigError {
    /// It is no pair.
    #[error("{0} has an entry that is not key=value, such as security.protocol=sasl_ssl")]
    NoPair(String),
    /// The gateway sets it.
    #[error("{key} cannot be set: {why}")]
    Own {
        /// The property.
        key: &'static str,
        /// Why.
        why: &'static str,
    },
    /// A secret in a flag.
    #[error(
        "{0} shows in process lists\nhint: put it into a file (--kafka-config-file) or into OPENINFERENCE_MLFLOW_KAFKA_CONFIG"
    )]
    SecretInFlag(String),
    /// No token comes from anywhere, and librdkafka would wait for one.
    #[error(
        "{0}=OAUTHBEARER cannot be used: the gateway fetches no tokens\nhint: use SCRAM-SHA-512, SCRAM-SHA-256 or PLAIN"
    )]
    NoTokens(String),
}

// === impl Sources ===

impl Sources {
    /// Which topic to read, if any.
    ///
    /// # Errors
    /// What is wrong with which setting, and what would be right.
    pub fn kafka(&self, flags: &KafkaArgs) -> Result<Option<Kafka>, SettingsError> {
        let layers = self.layers(flags)?;
        let Some(brokers) = layers.pick(|args| &args.kafka_brokers) else { return Ok(None) };
        let max_inflight = layers.pick(|args| &args.kafka_max_inflight_size).unwrap_or(ByteSize::mib(64));
        Ok(Some(Kafka {
            brokers,
            topic: layers.pick(|args| &args.kafka_topic).unwrap_or_else(|| "otlp_spans".to_owned()),
            group: layers.pick(|args| &args.kafka_group).unwrap_or_else(|| "openinference-mlflow".to_owned()),
            encoding: match layers.pick(|args| &args.kafka_encoding).unwrap_or(KafkaEncoding::OtlpProto) {
                KafkaEncoding::OtlpProto => Encoding::Protobuf,
                KafkaEncoding::OtlpJson => Encoding::Json,
            },
            dead_letter_topic: layers.pick(|args| &args.kafka_dead_letter_topic),
            max_inflight_bytes: usize::try_from(max_inflight.as_u64()).unwrap_or(usize::MAX),
            config: config(&layers)?,
        }))
    }
}

/// The properties of the file, and those of the strongest layer that sets any. The latter win.
fn config(layers: &Layers<KafkaArgs>) -> Result<Vec<(String, SecretString)>, SettingsError> {
    let mut config = match layers.pick(|args| &args.kafka_config_file) {
        Some(path) => of_file(&path)?,
        None => Vec::new(),
    };
    let entries = layers.pick(|args| &args.kafka_config).unwrap_or_default();
    let entries = pairs("--kafka-config", entries.iter().map(|entry| entry.expose_secret()))?;
    let in_flag = layers.0[0].kafka_config.is_some();
    if let Some((key, _)) = entries.iter().find(|(key, _)| in_flag && Kafka::is_secret(key)) {
        return Err(KafkaConfigError::SecretInFlag(key.clone()).into());
    }
    config.retain(|(key, _)| !entries.iter().any(|(other, _)| other == key));
    config.extend(entries);
    if let Some((key, _)) =
        config.iter().find(|(key, value)| is_mechanism(key) && value.expose_secret() == "OAUTHBEARER")
        && !config.iter().any(|(key, value)| key == UNSECURED_TOKENS && value.expose_secret() == "true")
    {
        return Err(KafkaConfigError::NoTokens(key.clone()).into());
    }
    match OWN.into_iter().find(|(key, _)| config.iter().any(|(other, _)| other == key)) {
        Some((key, why)) => Err(KafkaConfigError::Own { key, why }.into()),
        None => Ok(config),
    }
}

fn is_mechanism(key: &str) -> bool {
    ["sasl.mechanism", "sasl.mechanisms"].contains(&key)
}

fn of_file(path: &Path) -> Result<Vec<(String, SecretString)>, SettingsError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| SettingsError::KafkaConfigFile { path: path.to_path_buf(), source })?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let read = lines.map(|line| pairs(&path.display().to_string(), std::iter::once(line)));
    Ok(read.collect::<Result<Vec<_>, _>>()?.concat())
}

/// Reads entries of the form key=value. An entry without `=` belongs to the value before it, which has a comma there.
fn pairs<'a>(
    source: &str,
    entries: impl Iterator<Item = &'a str>,
) -> Result<Vec<(String, SecretString)>, KafkaConfigError> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for entry in entries {
        match entry.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => {
                pairs.push((key.trim().to_owned(), value.trim().to_owned()));
            }
            Some(_) => return Err(KafkaConfigError::NoPair(source.to_owned())),
            None => match pairs.last_mut() {
                Some((_, value)) => *value = format!("{value},{entry}"),
                None => return Err(KafkaConfigError::NoPair(source.to_owned())),
            },
        }
    }
    Ok(pairs.into_iter().map(|(key, value)| (key, SecretString::from(value))).collect())
}

// === impl Kafka ===

impl Kafka {
    /// Whether the property of this name holds a secret.
    pub fn is_secret(key: &str) -> bool {
        SECRETS.iter().any(|part| key.contains(part))
    }
}

impl KafkaArgs {
    /// Whether others must not read what this layer says.
    pub(super) fn holds_secrets(&self) -> bool {
        let entries = self.kafka_config.iter().flatten().filter_map(|entry| entry.expose_secret().split_once('='));
        entries.into_iter().any(|(key, _)| Kafka::is_secret(key.trim()))
    }
}
