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
    /// By which factor the times were multiplied, when they came in another unit.
    pub(super) scale: Option<u64>,
}

impl Times {
    pub(super) fn is_sound(&self) -> bool {
        self.start.is_none() && self.end.is_none()
    }
}

/// Decides what becomes of a span's times: an unknown one is the nearest that is known of the span, from its other time
/// and its events. Of the times as they then are the unit is decided, so that a repaired span is not repaired again.
pub(super) fn check(span: &Span<'_>) -> Times {
    let [sent_start, sent_end] = [span.start, span.end];
    let events = || span.events.iter().map(|event| event.time).filter(|time| is_known(*time));
    let start = if is_known(sent_start) {
        sent_start
    } else {
        events().chain([sent_end]).filter(|time| is_known(*time)).min().unwrap_or_default()
    };
    let end = if is_known(sent_end) && sent_end >= start { sent_end } else { events().fold(start, u64::max) };
    let scale = scale([start, end]);
    let [start, end] = [start, end].map(|time| scaled(time, scale));
    Times { start: (start != sent_start).then_some(start), end: (end != sent_end).then_some(end), scale }
}

/// Seconds, milliseconds and microseconds in a nanosecond.
const UNITS: [u64; 3] = [1_000_000_000, 1_000_000, 1_000];
/// 2010 to 2099, in nanoseconds. In any other unit, no time of these years is one of them.
const PLAUSIBLE: std::ops::Range<u64> = 1_262_304_000_000_000_000..4_102_444_800_000_000_000;

/// The factor that makes nanoseconds of a span's start and end, when they are plainly of another unit: both then lie in the
/// same plausible years.
fn scale(times: [u64; 2]) -> Option<u64> {
    let is_plausible = |time: u64, unit: u64| time.checked_mul(unit).is_some_and(|time| PLAUSIBLE.contains(&time));
    UNITS.into_iter().find(|unit| times.into_iter().all(|time| is_plausible(time, *unit)))
}

/// A time in nanoseconds; one that is of no plausible year in another unit stays.
pub(super) fn scaled(time: u64, scale: Option<u64>) -> u64 {
    scale.and_then(|unit| time.checked_mul(unit)).filter(|time| PLAUSIBLE.contains(time)).unwrap_or(time)
}

fn is_known(time: u64) -> bool {
    time != 0 && i64::try_from(time).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otlp::wire::{put_bytes_field, put_fixed64_field};

    fn span_bytes(start: u64, end: u64, event: u64) -> Vec<u8> {
        let (mut bytes, mut inner) = (Vec::new(), Vec::new());
        put_bytes_field(&mut bytes, 1, &[1; 16]);
        put_bytes_field(&mut bytes, 2, &[1; 8]);
        put_fixed64_field(&mut bytes, 7, start);
        put_fixed64_field(&mut bytes, 8, end);
        put_fixed64_field(&mut inner, 1, event);
        put_bytes_field(&mut bytes, 11, &inner);
        bytes
    }

    #[test]
    fn seconds_milliseconds_and_microseconds_become_nanoseconds() {
        for unit in UNITS {
            let [start, end, event] =
                [1_760_000_000_u64, 1_760_000_002, 1_760_000_001].map(|time| time * (1_000_000_000 / unit));
            let bytes = span_bytes(start, end, event);
            let repaired = super::super::span(&Span::parse(&bytes).expect("a span")).expect("a repair");
            let span = Span::parse(&repaired.span).expect("a span");
            assert_eq!((span.start, span.end), (1_760_000_000_000_000_000, 1_760_000_002_000_000_000));
            assert_eq!(span.events[0].time, 1_760_000_001_000_000_000);
            assert!(repaired.repairs.iter().all(|(rule, _)| *rule == "time-unit") && !repaired.repairs.is_empty());
            let again = super::super::span(&span).expect("a span");
            assert!(again.repairs.is_empty(), "repairing a repaired span changes nothing");
        }
    }

    #[test]
    fn times_that_may_be_something_else_stay() {
        for times in [[1_000, 2_000], [1_760_000_000, 1_760_000_000_000], [5, 1_760_000_000], [0, 0]] {
            assert_eq!(scale(times), None, "{times:?}");
        }
    }

    #[test]
    fn the_unit_is_that_of_the_times_which_are_known() {
        for (start, end) in [(1_760_000_000, u64::MAX), (1_760_000_000, 5), (0, 1_760_000_000), (1_760_000_000, 0)] {
            let bytes = span_bytes(start, end, 0);
            let repaired = super::super::span(&Span::parse(&bytes).expect("a span")).expect("a repair");
            let span = Span::parse(&repaired.span).expect("a span");
            assert_eq!((span.start, span.end), (1_760_000_000_000_000_000, 1_760_000_000_000_000_000), "{start} {end}");
            assert!(super::super::span(&span).expect("a span").repairs.is_empty());
        }
    }
}
