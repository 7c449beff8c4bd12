//! How fast a destination is sent to: as fast as it takes payloads; while it fails, one at a time after a growing delay.

use std::time::Duration;

use tokio::time::Instant;

const FIRST_DELAY: Duration = Duration::from_millis(500);
const MAX_DELAY: Duration = Duration::from_secs(30);
/// The longest that a destination may ask for.
const MAX_ASKED: Duration = Duration::from_secs(600);

#[derive(Debug, Default)]
pub(super) struct Pace {
    failures: u32,
    opens_at: Option<Instant>,
}

impl Pace {
    pub(super) fn is_open(&self, now: Instant) -> bool {
        self.opens_at.is_none_or(|at| at <= now)
    }

    /// When it opens, if it is shut.
    pub(super) fn opens_at(&self) -> Option<Instant> {
        self.opens_at
    }

    pub(super) fn concurrency(&self, most: usize) -> usize {
        if self.failures == 0 { most } else { 1 }
    }

    pub(super) fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// `asked` is how long the destination wants to be left alone.
    pub(super) fn failed(&mut self, now: Instant, asked: Option<Duration>) {
        let delay = FIRST_DELAY.saturating_mul(1 << self.failures.min(10)).min(MAX_DELAY);
        let delay = asked.map_or(delay, |asked| asked.min(MAX_ASKED));
        // Those that were under way together fail together; they count once.
        if self.is_open(now) {
            self.failures = self.failures.saturating_add(1);
        }
        let opens_at = now + delay;
        self.opens_at = Some(self.opens_at.map_or(opens_at, |at| at.max(opens_at)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_failures_then_the_delay_grows_up_to_a_limit_and_a_success_ends_it() {
        let (mut pace, mut now) = (Pace::default(), Instant::now());
        assert!(pace.is_open(now));
        let mut delays = Vec::new();
        for _ in 0..8 {
            pace.failed(now, None);
            assert!(!pace.is_open(now) && pace.concurrency(4) == 1);
            let opens_at = pace.opens_at().unwrap();
            delays.push((opens_at - now).as_millis());
            now = opens_at;
        }
        assert_eq!(delays, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
        pace.succeeded();
        assert!(pace.is_open(now) && pace.concurrency(4) == 4);
    }

    #[test]
    fn given_several_that_fail_together_then_they_count_once() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        (0..4).for_each(|_| pace.failed(now, None));
        let opens_at = pace.opens_at().unwrap();
        assert!(opens_at - now <= FIRST_DELAY * 2);
    }

    #[test]
    fn given_a_destination_that_asks_for_time_then_it_gets_it_but_not_for_ever() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        pace.failed(now, Some(Duration::from_secs(7)));
        assert_eq!(pace.opens_at(), Some(now + Duration::from_secs(7)));
        pace.failed(now, Some(Duration::from_secs(1_000_000)));
        assert_eq!(pace.opens_at(), Some(now + MAX_ASKED));
    }
}
