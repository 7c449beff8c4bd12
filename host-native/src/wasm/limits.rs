//! How much memory and time a guest may take.

use std::time::Duration;

use wasmtime::{ResourceLimiter, Result};

/// The longest that one call into a guest may take: twenty times what a payload of 64 MiB takes. What reaches it will
/// never return.
pub const CALL_LIMIT: Duration = Duration::from_secs(10);

/// How often the guests' clock ticks, and so how much longer than [`CALL_LIMIT`] a call may get.
pub(super) const TICK: Duration = Duration::from_millis(500);

/// [`CALL_LIMIT`] in ticks.
pub(super) const CALL_TICKS: u64 = (CALL_LIMIT.as_millis() / TICK.as_millis()) as u64;

/// The most linear memory a guest may have, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryLimit(usize);

impl MemoryLimit {
    /// For a bridge that holds at most `held` bytes (`max_bytes` of its settings) and takes payloads of up to `payload`
    /// bytes: twice what it holds, for its indexes and for what an allocator wastes, room for a payload as it arrived,
    /// transcoded and translated, and something to stand on. WebAssembly ends at 4 GiB.
    pub fn for_bridge(held: u64, payload: u64) -> Self {
        const BASE: u64 = 64 << 20;
        const ADDRESSABLE: u64 = 4 << 30;
        let bytes = held.saturating_mul(2).saturating_add(payload.saturating_mul(4)).saturating_add(BASE);
        Self(usize::try_from(bytes.min(ADDRESSABLE)).unwrap_or(usize::MAX))
    }
}

/// Refuses memory beyond the limit, and remembers that it did.
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
