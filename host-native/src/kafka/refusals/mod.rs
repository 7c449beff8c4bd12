//! Keeps what was refused: in the quarantine folder, or on the dead letter topic. A message is settled once everything that was
//! refused of it is kept. What cannot be kept now is tried again later, and its offset is not committed before.

mod dead_letters;

use std::time::{Duration, Instant};

use rdkafka::error::KafkaResult;

use super::configuration::Configuration;
use super::message::Message;
use crate::payload::{Encoding, PayloadContext};
use crate::quarantine::Quarantine;
use crate::settings::Kafka;
use crate::wasm::Quarantined;
use dead_letters::DeadLetters;

/// How long to wait before what could not be kept is tried again.
const RETRY: Duration = Duration::from_secs(5);

/// What was refused of one message.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) message: Message,
    pub(super) parts: Vec<RefusedPart>,
}

/// A whole payload, or one span of it.
#[derive(Debug)]
pub(super) struct RefusedPart {
    reason: String,
    /// None: the whole payload.
    span: Option<Quarantined>,
    /// Whether the dead letter topic has no room for a message of this size.
    too_large: bool,
}

/// Keeps what was refused.
pub(super) struct Refusals {
    quarantine: Quarantine,
    /// The forward destination that refuses; none: MLflow.
    destination: Option<String>,
    encoding: Encoding,
    dead_letters: Option<DeadLetters>,
    /// What is not kept yet.
    waiting: Vec<Refusal>,
    retry_at: Option<Instant>,
}

// === impl Refusals ===

impl Refusals {
    /// # Errors
    /// The configuration cannot be used.
    pub(super) fn new(
        settings: &Kafka,
        configuration: &Configuration,
        quarantine: Quarantine,
        destination: Option<String>,
    ) -> KafkaResult<Self> {
        let dead_letters = settings.dead_letter_topic.as_deref().map(|topic| DeadLetters::new(topic, configuration));
        let (dead_letters, encoding) = (dead_letters.transpose()?, settings.encoding);
        Ok(Self { quarantine, destination, encoding, dead_letters, waiting: Vec::new(), retry_at: None })
    }

    /// Takes what was refused of a message.
    pub(super) fn add(&mut self, refusal: Refusal) {
        self.waiting.push(refusal);
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Keeps what is due. Returns the messages of which everything is kept, and why something could not be kept.
    pub(super) fn keep(&mut self) -> (Vec<Message>, Option<String>) {
        if self.waiting.is_empty() || self.retry_at.is_some_and(|at| Instant::now() < at) {
            return (Vec::new(), None);
        }
        let mut waiting = std::mem::take(&mut self.waiting);
        let mut failed = self.dead_letters.as_ref().and_then(|topic| topic.keep(&mut waiting).err());
        let mut kept = Vec::new();
        for Refusal { message, mut parts } in waiting {
            parts.retain(|part| match self.dead_letters.is_none() || part.too_large {
                true => self.quarantine(&message, part).map_err(|error| failed = Some(error)).is_err(),
                false => true,
            });
            match parts.is_empty() {
                true => kept.push(message),
                false => self.waiting.push(Refusal { message, parts }),
            }
        }
        self.retry_at = failed.is_some().then(|| Instant::now() + RETRY);
        (kept, failed)
    }

    fn quarantine(&self, message: &Message, part: &RefusedPart) -> Result<(), String> {
        // A header that cannot be used names no destination.
        let context = message.context(self.encoding).unwrap_or_else(|_| PayloadContext::of(self.encoding));
        let kept = match &part.span {
            Some(span) => self.quarantine.keep_span(span, Some(&context)),
            None => {
                let destination = self.destination.as_deref();
                self.quarantine.keep_payload_for(destination, &message.payload, &context, &part.reason)
            }
        };
        let path = kept.map_err(|error| error.to_string())?;
        tracing::warn!("quarantined {} of {message:?} in {}: {}", part.name(), path.display(), part.reason);
        Ok(())
    }
}

// === impl RefusedPart ===

impl RefusedPart {
    pub(super) fn payload(reason: String) -> Self {
        Self { reason, span: None, too_large: false }
    }

    pub(super) fn span(span: Quarantined) -> Self {
        Self { reason: span.reason.clone(), span: Some(span), too_large: false }
    }

    /// What it is, for the log.
    fn name(&self) -> &'static str {
        if self.span.is_some() { "a span" } else { "the payload" }
    }
}
