//! Exponential backoff with jitter for one forward destination.
//!
//! While the destination accepts payloads, requests run concurrently. After a failure the forwarder sends one request at a
//! time, after a delay that doubles with each failure. The delay is random within its upper half, so that destinations (and
//! gateways) that fail together do not retry together. `Retry-After` replaces the delay.

use std::time::Duration;

use tokio::time::Instant;

const FIRST_DELAY: Duration = Duration::from_millis(500);
const MAX_DELAY: Duration = Duration::from_secs(30);
/// The longest `Retry-After` that is honoured.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(600);

#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
    opens_at: Option<Instant>,
}

impl Backoff {
    pub(super) fn is_open(&self, now: Instant) -> bool {
        self.opens_at.is_none_or(|at| at <= now)
    }

    /// When the next request may be sent. None: now.
    pub(super) fn opens_at(&self) -> Option<Instant> {
        self.opens_at
    }

    /// How many requests may run at once, `max` at most.
    pub(super) fn concurrency(&self, max: usize) -> usize {
        if self.failures == 0 { max } else { 1 }
    }

    pub(super) fn succeeded(&mut self) {
        *self = Self::default();
    }

    pub(super) fn failed(&mut self, now: Instant, retry_after: Option<Duration>) {
        let delay = match retry_after {
            Some(retry_after) => retry_after.min(MAX_RETRY_AFTER) + FIRST_DELAY.mul_f64(fastrand::f64()),
            None => {
                let longest = FIRST_DELAY.saturating_mul(1 << self.failures.min(10)).min(MAX_DELAY);
                longest.mul_f64(0.5 + fastrand::f64() / 2.0)
            }
        };
        // Requests that were in flight together fail together and count once.
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
        let (mut backoff, mut now) = (Backoff::default(), Instant::now());
        assert!(backoff.is_open(now));
        let mut delays = Vec::new();
        for _ in 0..8 {
            backoff.failed(now, None);
            assert!(!backoff.is_open(now) && backoff.concurrency(4) == 1);
            let opens_at = backoff.opens_at().unwrap();
            delays.push(opens_at - now);
            now = opens_at;
        }
        for (delay, longest) in delays.into_iter().zip([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
            let longest = Duration::from_millis(longest);
            assert!(longest / 2 <= delay && delay <= longest, "{delay:?} of {longest:?}");
        }
        backoff.succeeded();
        assert!(backoff.is_open(now) && backoff.concurrency(4) == 4);
    }

    #[test]
    fn given_several_that_fail_together_then_they_count_once() {
        let (mut backoff, now) = (Backoff::default(), Instant::now());
        (0..4).for_each(|_| backoff.failed(now, None));
        let opens_at = backoff.opens_at().unwrap();
        assert!(opens_at - now <= FIRST_DELAY * 2);
    }

    #[test]
    fn given_a_retry_after_then_the_next_attempt_waits_for_it_up_to_a_limit() {
        let (mut backoff, now) = (Backoff::default(), Instant::now());
        backoff.failed(now, Some(Duration::from_secs(7)));
        let until = backoff.opens_at().unwrap();
        assert!(until >= now + Duration::from_secs(7) && until <= now + Duration::from_secs(7) + FIRST_DELAY);
        backoff.failed(now, Some(Duration::from_secs(1_000_000)));
        let until = backoff.opens_at().unwrap();
        assert!(until >= now + MAX_RETRY_AFTER && until <= now + MAX_RETRY_AFTER + FIRST_DELAY);
    }

    #[test]
    fn given_many_destinations_that_fail_at_once_then_they_do_not_retry_at_once() {
        let now = Instant::now();
        for retry_after in [None, Some(Duration::from_secs(7))] {
            let until = |_| {
                let mut backoff = Backoff::default();
                backoff.failed(now, retry_after);
                backoff.opens_at().unwrap()
            };
            let distinct: std::collections::HashSet<_> = (0..32).map(until).collect();
            assert!(distinct.len() > 16, "{retry_after:?}: {distinct:?}");
        }
    }
}
