//! The dead letter topic: each refused payload or span is a message, with the headers of the message it came in, and headers
//! that say where it came from and why it was refused.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext};

use super::{Refusal, RefusedPart};
use crate::kafka::configuration::Configuration;
use crate::kafka::message::Message;

/// How long the brokers may take to acknowledge.
const PATIENCE: Duration = Duration::from_secs(5);

/// The dead letter topic.
pub(super) struct DeadLetters {
    topic: String,
    source: String,
    producer: BaseProducer<Acknowledgements>,
}

/// Records what the brokers say of a message.
struct Acknowledgements;

/// Whether the brokers have a message. None: they have not said so yet.
type Acknowledged = Arc<Mutex<Option<Result<(), KafkaError>>>>;

// === impl DeadLetters ===

impl DeadLetters {
    /// # Errors
    /// The configuration cannot be used.
    pub(super) fn new(topic: &str, configuration: &Configuration) -> KafkaResult<Self> {
        let producer = configuration.producer(PATIENCE).create_with_context(Acknowledgements)?;
        Ok(Self { topic: topic.to_owned(), source: configuration.topic().to_owned(), producer })
    }

    /// Sends everything, and removes what the brokers have.
    ///
    /// # Errors
    /// Why they do not have something.
    pub(super) fn keep(&self, refusals: &mut [Refusal]) -> Result<(), String> {
        let mut sent: Vec<Vec<Acknowledged>> = Vec::new();
        for Refusal { message, parts } in &mut *refusals {
            sent.push(parts.iter().map(|part| self.send(message, part)).collect());
        }
        // What is not acknowledged in time has failed.
        let _ = self.producer.flush(PATIENCE + Duration::from_secs(1));
        let mut failed = Ok(());
        for (Refusal { message, parts }, sent) in refusals.iter_mut().zip(sent) {
            let mut acknowledged = sent.into_iter();
            parts.retain_mut(|part| {
                let answer = acknowledged.next().and_then(|answer| answer.lock().take());
                match answer.unwrap_or(Err(KafkaError::Canceled)) {
                    Ok(()) => {
                        tracing::warn!("{} of {message:?} is on topic {}: {}", part.name(), self.topic, part.reason);
                        return false;
                    }
                    Err(KafkaError::MessageProduction(RDKafkaErrorCode::MessageSizeTooLarge)) => part.too_large = true,
                    Err(error) => failed = Err(format!("the dead letter topic {} takes nothing: {error}", self.topic)),
                }
                true
            });
        }
        failed
    }

    fn send(&self, message: &Message, part: &RefusedPart) -> Acknowledged {
        let acknowledged = Acknowledged::default();
        let payload = part.span.as_ref().map_or(&message.payload[..], |span| &span.payload[..]);
        let mut record = BaseRecord::with_opaque_to(&self.topic, Arc::clone(&acknowledged))
            .payload(payload)
            .headers(self.headers(message, part));
        if let Some(key) = &message.key {
            record = record.key(&key[..]);
        }
        if let Err((error, _)) = self.producer.send(record) {
            *acknowledged.lock() = Some(Err(error));
        }
        acknowledged
    }

    fn headers(&self, message: &Message, part: &RefusedPart) -> OwnedHeaders {
        let mut headers = OwnedHeaders::new();
        for (key, value) in &message.headers {
            headers = headers.insert(Header { key, value: value.as_deref() });
        }
        let (partition, offset) = (message.assignment.partition().to_string(), message.offset.to_string());
        let about = [
            ("reason", part.reason.as_str()),
            ("topic", self.source.as_str()),
            ("partition", partition.as_str()),
            ("offset", offset.as_str()),
        ];
        let ids = part.span.iter().flat_map(|span| [("trace-id", &*span.trace_id), ("span-id", &*span.span_id)]);
        for (name, value) in about.into_iter().chain(ids) {
            headers = headers.insert(Header { key: &format!("openinference-mlflow-{name}"), value: Some(value) });
        }
        headers
    }
}

impl ClientContext for Acknowledgements {
    fn log(&self, _level: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(target: "librdkafka", "{facility}: {message}");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(target: "librdkafka", "{error}: {reason}");
    }
}

impl ProducerContext for Acknowledgements {
    type DeliveryOpaque = Acknowledged;

    fn delivery(&self, result: &DeliveryResult<'_>, acknowledged: Self::DeliveryOpaque) {
        *acknowledged.lock() = Some(result.as_ref().map(|_| ()).map_err(|(error, _)| error.clone()));
    }
}
