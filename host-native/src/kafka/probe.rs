//! Looks at a topic without joining a group and without changing anything: for `doctor`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message as _;
use rdkafka::metadata::Metadata;
use rdkafka::{ClientContext, Offset, TopicPartitionList};

use super::configuration::{Configuration, ConfigurationError};
use super::trouble::{LatestFailure, explain};
use crate::settings::Kafka;

/// How long the brokers may take for one answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long to wait before the errors are looked at.
const ATTEMPT: Duration = Duration::from_secs(1);
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
struct LatestError {
    error: Mutex<Option<(RDKafkaErrorCode, String)>>,
    failure: LatestFailure,
    /// Whether every broker has failed.
    all_down: AtomicBool,
}

/// A partition that has or had messages: those from `low` on, up to `end`.
struct Extent {
    partition: i32,
    low: i64,
    end: i64,
}

type Observer = BaseConsumer<LatestError>;

/// Asks the brokers. Blocks for several seconds.
///
/// # Errors
/// The brokers cannot be asked.
pub fn probe(settings: &Kafka) -> Result<Findings, ProbeError> {
    let config = Configuration::new(settings, 0).consumer(&settings.group);
    let observer: Observer = config.create_with_context(LatestError::default()).map_err(ConfigurationError::from)?;
    let metadata = ask(&observer, settings)?;
    let brokers = metadata.brokers().len();
    let found = metadata.topics().iter().find(|topic| topic.name() == settings.topic);
    let error = found.map_or(Some(RDKafkaErrorCode::UnknownTopic), |topic| topic.error().map(Into::into));
    let partitions: Vec<i32> =
        found.into_iter().flat_map(|topic| topic.partitions()).map(|partition| partition.id()).collect();
    let topic = match error {
        Some(code) => Err(text(code, &code.to_string(), settings)),
        None => Ok(look_at(&observer, settings, &partitions)),
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

/// Waits for brokers that are slow, and not for brokers that have all refused.
fn ask(observer: &Observer, settings: &Kafka) -> Result<Metadata, ProbeError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match observer.fetch_metadata(Some(&settings.topic), ATTEMPT) {
            Ok(metadata) => return Ok(metadata),
            Err(error) => {
                hear(observer);
                if observer.context().all_down.load(Ordering::Relaxed) || Instant::now() > deadline {
                    return Err(ProbeError::Brokers(reason(observer, settings, &error)));
                }
            }
        }
    }
}

fn look_at(observer: &Observer, settings: &Kafka, partitions: &[i32]) -> Topic {
    let extents = partitions.iter().map(|partition| {
        let (low, end) = observer.fetch_watermarks(&settings.topic, *partition, PATIENCE)?;
        Ok(Extent { partition: *partition, low, end })
    });
    let extents: Result<Vec<_>, KafkaError> = extents.collect();
    let extents = extents.map_err(|error| reason(observer, settings, &error));
    Topic {
        partitions: partitions.len(),
        behind: extents.as_deref().map_err(Clone::clone).and_then(|extents| behind(observer, settings, extents)),
        sample: match &extents {
            Ok(extents) => sample(observer, settings, extents),
            Err(reason) => Sample { trouble: Some(reason.clone()), ..Sample::default() },
        },
    }
}

fn behind(observer: &Observer, settings: &Kafka, extents: &[Extent]) -> Result<Option<i64>, String> {
    let failed = |error: KafkaError| reason(observer, settings, &error);
    let wanted = list(settings, extents.iter().map(|extent| extent.partition), Offset::Invalid);
    let committed = observer.committed_offsets(wanted, PATIENCE).map_err(failed)?;
    let mut behind = None;
    for element in committed.elements() {
        element.error().map_err(failed)?;
        let extent = extents.iter().find(|extent| extent.partition == element.partition());
        if let (Offset::Offset(offset), Some(Extent { low, end, .. })) = (element.offset(), extent) {
            behind = Some(behind.unwrap_or(0) + (end - offset.max(*low)).max(0));
        }
    }
    Ok(behind)
}

fn sample(observer: &Observer, settings: &Kafka, extents: &[Extent]) -> Sample {
    let mut sample = Sample::default();
    let filled: Vec<_> = extents.iter().filter(|extent| extent.end > extent.low).collect();
    if filled.is_empty() {
        return sample;
    }
    let tail = Offset::OffsetTail(i64::try_from(SAMPLE.div_ceil(filled.len())).unwrap_or(1));
    if let Err(error) = observer.assign(&list(settings, filled.iter().map(|extent| extent.partition), tail)) {
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

fn list(settings: &Kafka, partitions: impl Iterator<Item = i32>, offset: Offset) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for partition in partitions {
        // Fails for offsets that do not exist.
        let _ = list.add_partition_offset(&settings.topic, partition, offset);
    }
    list
}

/// Errors arrive with a poll.
fn hear(observer: &Observer) {
    while observer.poll(Duration::from_millis(10)).is_some() {}
}

/// The error that the brokers reported last says more than the one of the call.
fn reason(observer: &Observer, settings: &Kafka, error: &KafkaError) -> String {
    hear(observer);
    let latest = observer.context().error.lock().take();
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
        self.failure.log(facility, message);
    }

    fn stats(&self, _statistics: rdkafka::Statistics) {}

    fn error(&self, error: KafkaError, reason: &str) {
        let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail);
        self.all_down.fetch_or(code == RDKafkaErrorCode::AllBrokersDown, Ordering::Relaxed);
        let mut latest = self.error.lock();
        // That no broker is left follows from what is wrong with each.
        if latest.is_none() || code != RDKafkaErrorCode::AllBrokersDown {
            *latest = Some((code, self.failure.explains(code).unwrap_or_else(|| reason.to_owned())));
        }
    }
}

impl ConsumerContext for LatestError {}
