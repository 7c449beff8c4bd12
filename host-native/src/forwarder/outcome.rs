//! The outcome of an attempt to send a payload, and how an answer becomes one.

use std::time::Duration;

use crate::http_client::describe;

/// The most bytes of an answer to read.
pub(super) const MAX_ANSWER: usize = 64 << 10;

/// The outcome of an attempt.
#[derive(Debug)]
pub enum Outcome {
    /// The destination accepted it.
    Taken,
    /// The destination accepted it, except for some spans.
    Partly {
        /// The number of rejected spans.
        rejected: i64,
        /// Why.
        message: String,
    },
    /// Failed. Retry later.
    Later {
        /// Why.
        reason: String,
        /// The delay that the destination asked for.
        wait: Option<Duration>,
        /// Whether the answer was about this payload.
        answered: bool,
    },
    /// Rejected permanently, with the reason.
    Refused(String),
}

/// No answer. Omits the URL, because its query may contain a key.
pub(super) fn no_answer(error: reqwest::Error) -> (Outcome, Option<u16>) {
    (Outcome::Later { reason: describe(&error.without_url()), wait: None, answered: false }, None)
}

/// Truncates a message of a destination.
pub(super) fn shortened(message: &str) -> &str {
    const LONGEST: usize = 300;
    message.get(..message.floor_char_boundary(LONGEST)).unwrap_or(message)
}

/// The outcome of an answer with success.
pub(super) fn taken(partial: Option<(i64, String)>) -> Outcome {
    match partial {
        Some((rejected, message)) if rejected > 0 => {
            Outcome::Partly { rejected, message: shortened(&message).to_owned() }
        }
        Some((_, message)) if !message.is_empty() => {
            tracing::debug!("message from a destination: {}", shortened(&message));
            Outcome::Taken
        }
        _ => Outcome::Taken,
    }
}
