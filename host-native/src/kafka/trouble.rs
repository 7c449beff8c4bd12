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
    current: Mutex<BTreeMap<Subject, Trouble>>,
    status: GroupStatus,
}

/// What is wrong with one subject.
#[derive(Debug, Default)]
struct Trouble {
    text: String,
    /// What was logged since it began: brokers may fail in turn, each in its own way.
    logged: Vec<String>,
}

/// What librdkafka said last of a connection that failed. That no broker is left follows from it, and says less.
#[derive(Debug, Default)]
pub(super) struct LatestFailure(Mutex<Option<String>>);

// === impl Troubles ===

impl Troubles {
    pub(super) fn new(status: GroupStatus) -> Self {
        Self { current: Mutex::default(), status }
    }

    /// Something is wrong.
    pub(super) fn begin(&self, subject: Subject, trouble: String) {
        let mut current = self.current.lock();
        let Trouble { text, logged } = current.entry(subject).or_default();
        // What comes after it are details that change.
        let kind = trouble.split(": ").next().unwrap_or_default();
        if !logged.iter().any(|logged| logged == kind) {
            tracing::warn!("Kafka, group {}: {trouble}", self.status.group());
            logged.push(kind.to_owned());
        }
        *text = trouble;
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

    fn show(&self, current: &BTreeMap<Subject, Trouble>) {
        let all: Vec<_> = current.values().map(|trouble| trouble.text.as_str()).collect();
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

// === impl LatestFailure ===

impl LatestFailure {
    /// Takes a line of librdkafka's log, and passes it on.
    pub(super) fn log(&self, facility: &str, message: &str) {
        if facility == "FAIL" {
            // A line begins with the name of a thread.
            let text = message.split_once("]: ").map_or(message, |(_, text)| text);
            *self.0.lock() = Some(text.to_owned());
        }
        tracing::debug!(target: "librdkafka", "{facility}: {message}");
    }

    /// The text for an error, if the error has none of its own.
    pub(super) fn explains(&self, code: RDKafkaErrorCode) -> Option<String> {
        self.0.lock().clone().filter(|_| code == RDKafkaErrorCode::AllBrokersDown)
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
        Code::MessageSizeTooLarge | Code::InvalidMessage | Code::BadCompression | Code::InvalidMessageSize => {
            (Subject::Topic, format!("a partition cannot be read further: {reason}"))
        }
        _ => (Subject::Connection, explain_connection(code, reason)),
    };
    Some((subject, text))
}

const TLS: &str = "TLS fails (ssl.ca.location and other properties ssl.*, --kafka-config)";

/// Why brokers cannot be used. librdkafka reports most of it as a failed transport, and says in its text how far it came.
fn explain_connection(code: RDKafkaErrorCode, reason: &str) -> String {
    use RDKafkaErrorCode as Code;
    let state = latest_state(reason);
    let is_login =
        matches!(code, Code::Authentication | Code::SaslAuthenticationFailed | Code::UnsupportedSASLMechanism);
    let what = match state {
        _ if reason.contains("mechanism handshake failed") => {
            "the brokers do not offer this way to log in (sasl.mechanism, --kafka-config)"
        }
        _ if is_login || state.is_some_and(|(state, _)| state.starts_with("AUTH")) => {
            "the brokers refuse the credentials (sasl.username and sasl.password, --kafka-config-file)"
        }
        Some(("SSL_HANDSHAKE", _)) if reason.contains("Disconnected") => {
            "the brokers hang up as if they had no TLS (security.protocol, --kafka-config)"
        }
        Some(("APIVERSION_QUERY", _)) if reason.contains("SSL") => {
            "the brokers hang up as if they wanted a certificate (ssl.certificate.location and ssl.key.location, --kafka-config)"
        }
        Some(("APIVERSION_QUERY", _)) => {
            "the brokers hang up at once as if they had TLS (security.protocol, --kafka-config; or another port, --kafka-brokers)"
        }
        Some(("UP", ..1_000)) => {
            "the brokers hang up at once as if they wanted a password (security.protocol and sasl.*, --kafka-config-file; or another port, --kafka-brokers)"
        }
        Some(("SSL_HANDSHAKE", _)) => TLS,
        _ if code == Code::SSL => TLS,
        _ if [Code::AllBrokersDown, Code::BrokerTransportFailure, Code::Resolve, Code::OperationTimedOut]
            .contains(&code) =>
        {
            "no broker answers (--kafka-brokers)"
        }
        _ => return reason.to_owned(),
    };
    format!("{what}: {reason}")
}

/// The state in which a connection failed, and its milliseconds in that state: librdkafka ends its texts with them.
fn latest_state(reason: &str) -> Option<(&str, u64)> {
    let (_, after) = reason.rsplit_once("(after ")?;
    let (milliseconds, rest) = after.split_once("ms in state ")?;
    Some((rest.split([')', ',']).next()?, milliseconds.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use RDKafkaErrorCode as Code;

    use super::*;

    #[test]
    fn given_a_connection_that_failed_then_the_option_is_named() {
        for (code, reason, option) in [
            (
                Code::SSL,
                "SSL handshake failed: certificate verify failed (after 3ms in state SSL_HANDSHAKE)",
                "ssl.ca.location",
            ),
            (
                Code::BrokerTransportFailure,
                "certificate verify failed (after 3ms in state SSL_HANDSHAKE)",
                "ssl.ca.location",
            ),
            (
                Code::BrokerTransportFailure,
                "SSL handshake failed: Disconnected (after 1ms in state SSL_HANDSHAKE, 1 identical error(s) suppressed)",
                "no TLS (security.protocol",
            ),
            (Code::AllBrokersDown, "Disconnected (after 0ms in state APIVERSION_QUERY)", "had TLS (security.protocol"),
            (
                Code::AllBrokersDown,
                "SSL connection closed by peer (after 0ms in state APIVERSION_QUERY)",
                "ssl.certificate",
            ),
            (Code::AllBrokersDown, "Authentication failed (after 40ms in state AUTH_REQ)", "sasl.password"),
            (Code::AllBrokersDown, "Disconnected (after 1ms in state UP)", "sasl.*"),
            (Code::AllBrokersDown, "Disconnected (after 100000ms in state UP)", "no broker answers (--kafka-brokers"),
            (Code::AllBrokersDown, "1/1 brokers are down", "no broker answers (--kafka-brokers"),
            (Code::Authentication, "SASL PLAIN mechanism handshake failed: Unsupported", "sasl.mechanism"),
            (Code::Authentication, "SASL authentication error: invalid credentials", "sasl.password"),
        ] {
            let (subject, text) = explain(code, reason, "spans", "group").unwrap();
            assert!(subject == Subject::Connection && text.contains(option) && text.ends_with(reason), "{text}");
        }
    }

    #[test]
    fn given_a_failed_connection_then_it_explains_that_no_broker_is_left() {
        let latest = LatestFailure::default();
        assert_eq!(latest.explains(Code::AllBrokersDown), None);
        latest.log("FAIL", "[thrd:sasl_ssl://[::1]:9092/bootstrap]: sasl_ssl://[::1]:9092/bootstrap: refused");
        latest.log("CONFWARN", "[thrd:app]: something else");
        assert_eq!(latest.explains(Code::AllBrokersDown).unwrap(), "sasl_ssl://[::1]:9092/bootstrap: refused");
        assert_eq!(latest.explains(Code::SSL), None);
    }
}
