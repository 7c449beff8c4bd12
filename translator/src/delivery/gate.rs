//! Whether the server is worth talking to.
//!
//! After a failure that concerns every request (no connection, 429, 503, rejected credentials) nothing is sent until a
//! delay is over, and then one request at a time until one succeeds.

use super::answers::Failure;
use super::backoff;
use crate::contract::{Instant, Level, Notice};
use crate::settings::Settings;

/// The state of the way to the server.
#[derive(Debug, Default)]
pub struct Gate {
    failures: u32,
    opens_at: Instant,
    topic: Option<&'static str>,
    /// Requests that the server has accepted, ever: evidence that it works.
    pub successes: u64,
}

impl Gate {
    /// How many requests may be under way now.
    pub fn limit(&self, settings: &Settings, now: Instant) -> usize {
        match self.failures {
            0 => settings.concurrency,
            _ if self.opens_at > now => 0,
            _ => 1,
        }
    }

    /// Whether the last request succeeded.
    pub fn is_well(&self) -> bool {
        self.failures == 0
    }

    /// When the gate opens, if it is shut.
    pub fn opens_at(&self, now: Instant) -> Option<Instant> {
        (self.failures > 0 && self.opens_at > now).then_some(self.opens_at)
    }

    /// Try again at once.
    pub fn retry_now(&mut self, now: Instant) {
        self.opens_at = self.opens_at.min(now);
    }

    /// The server failed; returns what to say about it if the operator does not know yet.
    pub fn fail(&mut self, failure: &Failure, settings: &Settings, now: Instant) -> Option<Notice> {
        self.failures = self.failures.saturating_add(1);
        let delay = failure.retry_after.unwrap_or_else(|| backoff::delay(settings, self.failures));
        self.opens_at = now.saturating_add(delay);
        let is_new = self.topic != Some(failure.topic);
        self.topic = Some(failure.topic);
        is_new.then(|| Notice { level: failure.level, topic: failure.topic, message: failure.message.clone() })
    }

    /// The server accepted a request; returns what to say about it if the operator does not know yet.
    pub fn succeed(&mut self) -> Option<Notice> {
        self.successes = self.successes.saturating_add(1);
        self.failures = 0;
        self.opens_at = 0;
        let topic = self.topic.take()?;
        let message = "requests succeed again; delivery goes on".to_owned();
        Some(Notice { level: Level::Info, topic, message })
    }
}
