//! Limits on the memory and time of a wasm instance.

use std::time::Duration;

use wasmtime::{ResourceLimiter, Result};

/// The longest that one call may take: twenty times the time for a payload of 64 MiB. A call that reaches it will never
/// return.
pub const CALL_LIMIT: Duration = Duration::from_secs(10);

/// The interval of epoch ticks. A call may run for this much longer than [`CALL_LIMIT`].
pub(super) const TICK: Duration = Duration::from_millis(500);

/// [`CALL_LIMIT`] in ticks.
pub(super) const CALL_TICKS: u64 = (CALL_LIMIT.as_millis() / TICK.as_millis()) as u64;

/// The most linear memory of an instance, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryLimit(usize);

impl MemoryLimit {
    /// The limit for a bridge that holds at most `held` bytes (`max_bytes` of its settings) and takes payloads of up to
    /// `payload` bytes: twice `held`, for indexes and allocator overhead; four times `payload`, for a payload as received,
    /// transcoded and translated; and a base of 64 MiB. WebAssembly addresses at most 4 GiB.
    pub fn for_bridge(held: u64, payload: u64) -> Self {
        const BASE: u64 = 64 << 20;
        const ADDRESSABLE: u64 = 4 << 30;
        let bytes = held.saturating_mul(2).saturating_add(payload.saturating_mul(4)).saturating_add(BASE);
        Self(usize::try_from(bytes.min(ADDRESSABLE)).unwrap_or(usize::MAX))
    }
}

/// Refuses memory beyond the limit, and records that it did.
#[derive(Debug)]
pub(super) struct Limiter {
    limit: MemoryLimit,
    pub(super) refused: bool,
}

impl Limiter {
    pub(super) fn new(limit: MemoryLimit) -> Self {
        Self { limit, refused: false }
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        let MemoryLimit(limit) = self.limit;
        self.refused |= desired > limit;
        Ok(desired <= limit)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        Ok(maximum.is_none_or(|maximum| desired <= maximum))
    }
}
