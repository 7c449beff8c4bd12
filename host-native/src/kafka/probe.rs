//! Looks at a topic without joining a group and without changing anything: for `doctor`.

use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message as _;
use rdkafka::{ClientContext, Offset, TopicPartitionList};

use super::configuration::{Configuration, ConfigurationError};
use super::trouble::explain;
use crate::settings::Kafka;

/// How long the brokers may take for one answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The most messages to look at.
const SAMPLE: usize = 20;

/// What was found.
#[derive(Debug)]
pub struct Findings {
    /// The number of brokers.
    pub brokers: usize,
    /// The topic.
    pub topic: Result<Topic, String>,
    /// The dead letter topic, if one is set.
    pub dead_letters: Option<Result<(), String>>,
}

/// A topic that is there.
#[derive(Debug)]
pub struct Topic {
    /// The number of its partitions.
    pub partitions: usize,
    /// The messages that the group has not read. None: it has read none.
    pub behind: Result<Option<i64>, String>,
    /// Some of the latest messages.
    pub sample: Sample,
}

/// Some messages.
#[derive(Debug, Default)]
pub struct Sample {
    /// How many.
    pub messages: usize,
    /// Those whose keys are trace ids.
    pub trace_ids: usize,
    /// Those without a key.
    pub without_key: usize,
    /// Those that look like JSON.
    pub json: usize,
    /// Why no message could be read.
    pub trouble: Option<String>,
}

/// The brokers cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The settings cannot be used.
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
    /// The brokers do not answer, or refuse this client.
    #[error("{0}")]
    Brokers(String),
}

/// Remembers the latest error.
#[derive(Default)]
struct LatestError(Mutex<Option<(RDKafkaErrorCode, String)>>);

type Observer = BaseConsumer<LatestError>;

/// Asks the brokers. Blocks for several seconds.
///
/// # Errors
/// The brokers cannot be asked.
pub fn probe(settings: &Kafka) -> Result<Findings, ProbeError> {
    let config = Configuration::new(settings, 0).consumer(&settings.group);
    let observer: Observer = config.create_with_context(LatestError::default()).map_err(ConfigurationError::from)?;
    let metadata = observer
        .fetch_metadata(Some(&settings.topic), PATIENCE)
        .map_err(|error| ProbeError::Brokers(reason(&observer, settings, &error)))?;
    let brokers = metadata.brokers().len();
    let found = metadata.topics().iter().find(|topic| topic.name() == settings.topic);
    let error = found.map_or(Some(RDKafkaErrorCode::UnknownTopic), |topic| topic.error().map(Into::into));
    let partitions: Vec<i32> =
        found.into_iter().flat_map(|topic| topic.partitions()).map(|partition| partition.id()).collect();
    let topic = match error {
        Some(code) => Err(text(code, &code.to_string(), settings)),
        None => Ok(Topic {
            partitions: partitions.len(),
            behind: behind(&observer, settings, &partitions),
            sample: sample(&observer, settings, &partitions),
        }),
    };
    let dead_letters = settings.dead_letter_topic.as_deref().map(|topic| is_there(&observer, settings, topic));
    Ok(Findings { brokers, topic, dead_letters })
}

fn is_there(observer: &Observer, settings: &Kafka, topic: &str) -> Result<(), String> {
    let metadata =
        observer.fetch_metadata(Some(topic), PATIENCE).map_err(|error| reason(observer, settings, &error))?;
    match metadata.topics().iter().find(|found| found.name() == topic).map(|found| found.error()) {
        Some(None) => Ok(()),
        _ => Err(format!("topic {topic} does not exist, or this user must not see it")),
    }
}

fn behind(observer: &Observer, settings: &Kafka, partitions: &[i32]) -> Result<Option<i64>, String> {
    let failed = |error: KafkaError| reason(observer, settings, &error);
    let committed =
        observer.committed_offsets(list(settings, partitions, Offset::Invalid), PATIENCE).map_err(failed)?;
    let mut behind = None;
    for element in committed.elements() {
        element.error().map_err(failed)?;
        let (_, end) = observer.fetch_watermarks(&settings.topic, element.partition(), PATIENCE).map_err(failed)?;
        if let Offset::Offset(offset) = element.offset() {
            behind = Some(behind.unwrap_or(0) + (end - offset).max(0));
        }
    }
    Ok(behind)
}

fn sample(observer: &Observer, settings: &Kafka, partitions: &[i32]) -> Sample {
    let mut sample = Sample::default();
    let each = SAMPLE.div_ceil(partitions.len().max(1));
    let tail = Offset::OffsetTail(i64::try_from(each).unwrap_or(1));
    if let Err(error) = observer.assign(&list(settings, partitions, tail)) {
        sample.trouble = Some(error.to_string());
        return sample;
    }
    let deadline = Instant::now() + PATIENCE;
    while sample.messages < SAMPLE && Instant::now() < deadline {
        match observer.poll(Duration::from_millis(500)) {
            Some(Ok(message)) => sample.add(message.key(), message.payload().unwrap_or_default()),
            Some(Err(error)) => sample.trouble = Some(reason(observer, settings, &error)),
            // There are fewer.
            None if sample.messages > 0 || sample.trouble.is_some() => break,
            None => {}
        }
    }
    sample
}

fn list(settings: &Kafka, partitions: &[i32], offset: Offset) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for partition in partitions {
        // Fails for offsets that do not exist.
        let _ = list.add_partition_offset(&settings.topic, *partition, offset);
    }
    list
}

/// The error that the brokers reported last says more than the one of the call.
fn reason(observer: &Observer, settings: &Kafka, error: &KafkaError) -> String {
    // Errors arrive with a poll.
    while observer.poll(Duration::from_millis(10)).is_some() {}
    let latest = observer.context().0.lock().take();
    let (code, said) =
        latest.unwrap_or_else(|| (error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail), error.to_string()));
    text(code, &said, settings)
}

fn text(code: RDKafkaErrorCode, said: &str, settings: &Kafka) -> String {
    explain(code, said, &settings.topic, &settings.group).map_or_else(|| said.to_owned(), |(_, text)| text)
}

// === impl Sample ===

impl Sample {
    fn add(&mut self, key: Option<&[u8]>, payload: &[u8]) {
        self.messages += 1;
        self.json += usize::from(payload.first() == Some(&b'{'));
        match key {
            None | Some([]) => self.without_key += 1,
            Some(key) => {
                let is_hex = key.len() == 32 && key.iter().all(u8::is_ascii_hexdigit);
                self.trace_ids += usize::from(is_hex || key.len() == 16);
            }
        }
    }
}

impl ClientContext for LatestError {
    fn log(&self, _level: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(target: "librdkafka", "{facility}: {message}");
    }

    fn stats(&self, _statistics: rdkafka::Statistics) {}

    fn error(&self, error: KafkaError, reason: &str) {
        let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail);
        let mut latest = self.0.lock();
        // That no broker is left follows from what is wrong with each.
        if latest.is_none() || code != RDKafkaErrorCode::AllBrokersDown {
            *latest = Some((code, reason.to_owned()));
        }
    }
}

impl ConsumerContext for LatestError {}
