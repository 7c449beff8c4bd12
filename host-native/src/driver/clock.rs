//! The clock that the translator sees.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// Milliseconds since the Unix epoch that never run backwards: the wall clock at the start plus a monotonic clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    started: Instant,
    epoch: Duration,
}

impl Clock {
    pub(super) fn start() -> Self {
        // A wall clock before 1970 counts as 1970. Only differences matter.
        let epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { started: Instant::now(), epoch }
    }

    pub(super) fn now(&self) -> u64 {
        u64::try_from((self.epoch + self.started.elapsed()).as_millis()).unwrap_or(u64::MAX)
    }

    /// The instant at which this clock shows `millis`; the start if that is in the past.
    pub(super) fn instant(&self, millis: u64) -> Instant {
        let since_start = Duration::from_millis(millis).saturating_sub(self.epoch);
        // One millisecond more, because `now` rounds down: a timer must not fire early.
        let due = self.started.checked_add(since_start + Duration::from_millis(1));
        due.unwrap_or_else(|| self.started + Duration::from_secs(u32::MAX.into()))
    }
}
