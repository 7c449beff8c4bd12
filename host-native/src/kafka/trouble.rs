//! What is wrong with Kafka, in words that say what to do. It is logged when it begins and when it ends, and shown in `/readyz`.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use rdkafka::error::RDKafkaErrorCode;

use crate::telemetry::GroupStatus;

/// What may be wrong. Each ends in its own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    /// The brokers cannot be reached, or refuse this client.
    Connection,
    /// The topic is not there, or must not be read.
    Topic,
    /// Offsets cannot be committed.
    Commits,
    /// Neither the quarantine nor the dead letter topic takes what was refused.
    Refusals,
}

/// What is wrong now.
#[derive(Debug)]
pub(super) struct Troubles {
    current: Mutex<BTreeMap<Subject, String>>,
    status: GroupStatus,
}

// === impl Troubles ===

impl Troubles {
    pub(super) fn new(status: GroupStatus) -> Self {
        Self { current: Mutex::default(), status }
    }

    /// Something is wrong.
    pub(super) fn begin(&self, subject: Subject, trouble: String) {
        let mut current = self.current.lock();
        if current.insert(subject, trouble.clone()).is_none() {
            tracing::warn!("Kafka, group {}: {trouble}", self.status.group());
        }
        self.show(&current);
    }

    /// It is right again.
    pub(super) fn end(&self, subject: Subject) {
        let mut current = self.current.lock();
        if current.remove(&subject).is_some() {
            tracing::info!("Kafka, group {}: {}", self.status.group(), subject.recovered());
            self.show(&current);
        }
    }

    /// Whether something is wrong with it.
    pub(super) fn has(&self, subject: Subject) -> bool {
        self.current.lock().contains_key(&subject)
    }

    fn show(&self, current: &BTreeMap<Subject, String>) {
        let all: Vec<_> = current.values().map(String::as_str).collect();
        self.status.update(|state| state.trouble = Some(all.join("; ")).filter(|text| !text.is_empty()));
    }
}

// === impl Subject ===

impl Subject {
    fn recovered(self) -> &'static str {
        match self {
            Self::Connection => "the brokers answer again",
            Self::Topic => "the topic can be read again",
            Self::Commits => "offsets are committed again",
            Self::Refusals => "what was refused has found its place",
        }
    }
}

/// What an error of librdkafka means. `reason` is its own text. None: nothing is wrong.
pub(super) fn explain(code: RDKafkaErrorCode, reason: &str, topic: &str, group: &str) -> Option<(Subject, String)> {
    use RDKafkaErrorCode as Code;
    let (subject, text) = match code {
        // Not an error.
        Code::PartitionEOF => return None,
        Code::UnknownTopic | Code::UnknownTopicOrPartition | Code::UnknownPartition => (
            Subject::Topic,
            format!(
                "topic {topic} does not exist, or this user must not see it; create it, or name another with --kafka-topic"
            ),
        ),
        Code::TopicAuthorizationFailed => {
            (Subject::Topic, format!("this user must not read topic {topic}: it needs the rights Read and Describe"))
        }
        Code::GroupAuthorizationFailed => {
            (Subject::Connection, format!("this user must not join group {group}: it needs the right Read on it"))
        }
        Code::Authentication | Code::SaslAuthenticationFailed => {
            (Subject::Connection, format!("the brokers refuse the credentials (sasl.*, --kafka-config-file): {reason}"))
        }
        Code::SSL => (Subject::Connection, format!("TLS fails (ssl.*, --kafka-config-file): {reason}")),
        Code::AllBrokersDown | Code::BrokerTransportFailure | Code::Resolve | Code::OperationTimedOut => {
            (Subject::Connection, format!("no broker answers (--kafka-brokers): {reason}"))
        }
        Code::MessageSizeTooLarge | Code::InvalidMessage | Code::BadCompression | Code::InvalidMessageSize => {
            (Subject::Topic, format!("a partition cannot be read further: {reason}"))
        }
        _ => (Subject::Connection, reason.to_owned()),
    };
    Some((subject, text))
}
