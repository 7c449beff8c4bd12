//! Times, in nanoseconds since the Unix epoch.
//!
//! MLflow's databases hold them as signed 64-bit numbers and refuse a greater one with the whole request; a zero is shown
//! as 1970 and makes a trace of many years.

use crate::otlp::Span;

/// What the times become.
#[derive(Debug, Default)]
pub(super) struct Times {
    /// The start, when it changes.
    pub(super) start: Option<u64>,
    /// The end, when it changes.
    pub(super) end: Option<u64>,
}

impl Times {
    pub(super) fn is_sound(&self) -> bool {
        self.start.is_none() && self.end.is_none()
    }
}

/// Decides what becomes of a span's times: an unknown one is the nearest that is known of the span, from its other time
/// and its events.
pub(super) fn check(span: &Span<'_>) -> Times {
    if is_known(span.start) && is_known(span.end) && span.start <= span.end {
        return Times::default();
    }
    let events = || span.events.iter().map(|event| event.time).filter(|time| is_known(*time));
    let start = if is_known(span.start) {
        span.start
    } else {
        events().chain([span.end]).filter(|time| is_known(*time)).min().unwrap_or_default()
    };
    let end = if is_known(span.end) && span.end >= start { span.end } else { events().fold(start, u64::max) };
    Times { start: (start != span.start).then_some(start), end: (end != span.end).then_some(end) }
}

fn is_known(time: u64) -> bool {
    time != 0 && i64::try_from(time).is_ok()
}
