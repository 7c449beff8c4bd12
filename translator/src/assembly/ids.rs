//! Trace and span ids, known to be valid: the right length and not all zeros.
//!
//! They are kept as numbers that have the order of the bytes. WebAssembly has no instruction that swaps bytes, so every
//! comparison of byte arrays is dozens of instructions, inlined into each map and each sort.

use std::fmt;
use std::num::NonZeroU64;

/// An OpenTelemetry trace id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceId {
    high: u64,
    low: u64,
}

/// An OpenTelemetry span id, unique within its trace.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpanId(NonZeroU64);

impl TraceId {
    /// Less than every id.
    pub const MIN: Self = Self { high: 0, low: 0 };

    /// The id, unless the bytes are not one.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let (high, low) = bytes.split_first_chunk()?;
        let id = Self { high: u64::from_be_bytes(*high), low: u64::from_be_bytes(low.try_into().ok()?) };
        (id != Self::MIN).then_some(id)
    }

    /// The bytes.
    pub fn bytes(self) -> [u8; 16] {
        (u128::from(self.high) << 64 | u128::from(self.low)).to_be_bytes()
    }
}

impl SpanId {
    /// The id, unless the bytes are not one.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        NonZeroU64::new(u64::from_be_bytes(bytes.try_into().ok()?)).map(Self)
    }

    /// The bytes.
    pub fn bytes(self) -> [u8; 8] {
        self.0.get().to_be_bytes()
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.bytes()))
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.bytes()))
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Lower-case hexadecimal of any bytes.
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
