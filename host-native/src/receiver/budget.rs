//! Limits the number of requests and the bytes of their bodies in flight, for both receivers together.
//!
//! Guarantees: neither exceeds its limit; requests over a limit are rejected immediately instead of queueing in memory; a
//! request returns its reservation when it ends, however it ends.
//!
//! Two atomics rather than two tokio semaphores: nothing ever waits here, and a semaphore counts permits in `u32`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::refusal::Refusal;
use crate::settings::Limits;

/// The remainder of both limits.
#[derive(Debug, Clone)]
pub(super) struct Budget(Arc<Free>);

#[derive(Debug)]
struct Free {
    requests: AtomicUsize,
    bytes: AtomicUsize,
}

/// What one request reserves.
#[derive(Debug)]
pub(super) struct Reservation {
    free: Arc<Free>,
    bytes: usize,
}

// === impl Budget ===

impl Budget {
    pub(super) fn new(limits: &Limits) -> Self {
        let (requests, bytes) = (AtomicUsize::new(limits.requests), AtomicUsize::new(limits.inflight_bytes));
        Self(Arc::new(Free { requests, bytes }))
    }

    /// Reserves a request without any bytes.
    pub(super) fn begin(&self) -> Result<Reservation, Refusal> {
        take(&self.0.requests, 1).ok_or(Refusal::Busy)?;
        Ok(Reservation { free: Arc::clone(&self.0), bytes: 0 })
    }
}

// === impl Reservation ===

impl Reservation {
    /// Reserves more bytes.
    pub(super) fn grow(&mut self, bytes: usize) -> Result<(), Refusal> {
        take(&self.free.bytes, bytes).ok_or(Refusal::Busy)?;
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.free.bytes.fetch_add(self.bytes, Ordering::AcqRel);
        self.free.requests.fetch_add(1, Ordering::AcqRel);
    }
}

fn take(free: &AtomicUsize, amount: usize) -> Option<usize> {
    free.try_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(amount)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(requests: usize, inflight_bytes: usize) -> Budget {
        Budget::new(&Limits { requests, inflight_bytes, ..Limits::for_bodies(1) })
    }

    #[test]
    fn given_as_many_requests_as_may_be_then_the_next_is_refused_until_one_ends() {
        let budget = budget(2, 10);
        let first = budget.begin().unwrap();
        let _second = budget.begin().unwrap();
        assert!(matches!(budget.begin(), Err(Refusal::Busy)));
        drop(first);
        assert!(budget.begin().is_ok());
    }

    #[test]
    fn given_bytes_beyond_the_limit_then_they_are_refused_until_others_are_given_back() {
        let budget = budget(9, 10);
        let mut first = budget.begin().unwrap();
        let mut second = budget.begin().unwrap();
        first.grow(6).unwrap();
        second.grow(4).unwrap();
        assert!(matches!(second.grow(1), Err(Refusal::Busy)));
        drop(first);
        second.grow(6).unwrap();
        drop(second);
        assert!(budget.begin().unwrap().grow(10).is_ok());
    }
}
