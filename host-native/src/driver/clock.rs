//! The time as the translator counts it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// Milliseconds since the Unix epoch that never run backwards: the wall clock at the start, and a monotonic clock from
/// there on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    started: Instant,
    epoch: Duration,
}

impl Clock {
    pub(super) fn start() -> Self {
        // A wall clock before 1970 counts as 1970: only differences matter from here on.
        let epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { started: Instant::now(), epoch }
    }

    pub(super) fn now(&self) -> u64 {
        u64::try_from((self.epoch + self.started.elapsed()).as_millis()).unwrap_or(u64::MAX)
    }

    /// The moment when this clock shows so many milliseconds; the start, when that is past.
    pub(super) fn instant(&self, millis: u64) -> Instant {
        let since_start = Duration::from_millis(millis).saturating_sub(self.epoch);
        // A millisecond more, since `now` rounds down: a timer must not fire before its time has come.
        let due = self.started.checked_add(since_start + Duration::from_millis(1));
        due.unwrap_or_else(|| self.started + Duration::from_secs(u32::MAX.into()))
    }
}
