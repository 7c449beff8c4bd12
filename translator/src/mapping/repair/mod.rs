//! Repairs, so that one bad value never costs a trace or a batch.
//!
//! MLflow takes a request as a whole or not at all, and what it takes it may be unable to show. Each rule here changes one
//! kind of value that MLflow (3.17, on any of its databases) would refuse or could not return, and nothing else: a span
//! without such a value passes as it is, byte for byte, after one pass over it. Repairing a repaired span changes nothing.
//!
//! | rule | what was wrong | what it becomes |
//! |---|---|---|
//! | `not-finite` | NaN or an infinity in any attribute | the text `NaN`, `Infinity` or `-Infinity` |
//! | `invalid-utf8` | a text or a key that is no UTF-8 | U+FFFD for each bad part |
//! | `json-text` | JSON text that MLflow cannot hold, see [`Fault`](crate::json::Fault) | the same as a JSON string, which MLflow shows as text |
//! | `nul` | U+0000 where MLflow has a column, which PostgreSQL refuses | U+FFFD |
//! | `session-id`, `user-id` | longer than 250 or 8000 characters | its beginning and a hash of the whole, so that two sessions stay two |
//! | `trace-name`, `span-type` | longer than 4096 or 500 characters | its beginning |
//! | `start-time` | 0, or 2⁶³ ns or more | the earliest known time of the span, if any |
//! | `end-time` | 0, 2⁶³ ns or more, or before the start | the latest known time of the span |
//! | `time-unit` | seconds, milliseconds or microseconds of the years 2010 to 2099, on start and end alike | nanoseconds, the events' times too |
//! | `trace-id`, `span-id`, `parent-id` | too short | zeros in front, as MLflow reads it |
//! | `parent-id` | too long, or the span's own id | none: the span becomes a root |
//! | `bytes` | bytes on a resource | base64 text |
//! | `dropped-attributes` | nothing; the producer dropped attributes at its own limit | unchanged; only reported |
//!
//! A trace or span id that is missing, all zeros or too long cannot be repaired: the span is quarantined.

mod attributes;
mod columns;
mod envelope;
mod ids;
mod rewrite;
mod times;
mod values;

pub use envelope::{resource, scope};

use std::borrow::Cow;

use crate::mlflow::tags;
use crate::otlp::Span;

/// The words for the rules.
mod rule {
    pub(super) const BYTES: &str = "bytes";
    pub(super) const DROPPED_ATTRIBUTES: &str = "dropped-attributes";
    pub(super) const END_TIME: &str = "end-time";
    pub(super) const INVALID_UTF8: &str = "invalid-utf8";
    pub(super) const JSON_TEXT: &str = "json-text";
    pub(super) const NOT_FINITE: &str = "not-finite";
    pub(super) const NUL: &str = "nul";
    pub(super) const PARENT_ID: &str = "parent-id";
    pub(super) const SESSION_ID: &str = "session-id";
    pub(super) const SPAN_ID: &str = "span-id";
    pub(super) const SPAN_TYPE: &str = "span-type";
    pub(super) const START_TIME: &str = "start-time";
    pub(super) const TIME_UNIT: &str = "time-unit";
    pub(super) const TRACE_ID: &str = "trace-id";
    pub(super) const TRACE_NAME: &str = "trace-name";
    pub(super) const USER_ID: &str = "user-id";
}

/// A span with every value in a shape MLflow can store.
#[derive(Clone, Debug)]
pub struct Repaired<'a> {
    /// The message, borrowed when nothing was wrong.
    pub span: Cow<'a, [u8]>,
    /// The rule and the place of each value that was changed.
    pub repairs: Vec<(&'static str, String)>,
}

/// Repairs a span, or says why MLflow can never store it.
pub fn span<'a>(span: &Span<'a>) -> Result<Repaired<'a>, String> {
    let ids = ids::check(span)?;
    let times = times::check(span);
    let mut notes = Notes::default();
    if span.dropped_attributes > 0 {
        notes.add(rule::DROPPED_ATTRIBUTES, format!("{} attributes", span.dropped_attributes));
    }
    let message = if ids.is_sound() && times.is_sound() && rewrite::is_sound(span) {
        Cow::Borrowed(span.raw)
    } else {
        Cow::Owned(rewrite::span(span, &ids, &times, &mut notes))
    };
    Ok(Repaired { span: message, repairs: notes.0 })
}

/// What was repaired, and where.
#[derive(Debug, Default)]
struct Notes(Vec<(&'static str, String)>);

impl Notes {
    /// Keys are the producer's, and of any length: a note keeps their beginning.
    fn add(&mut self, rule: &'static str, place: impl AsRef<str>) {
        const MAX_PLACE: usize = 200;
        let place = tags::truncate(place.as_ref(), MAX_PLACE);
        if !self.0.iter().rev().take_while(|(_, at)| at == place).any(|(known, _)| *known == rule) {
            self.0.push((rule, place.to_owned()));
        }
    }
}
