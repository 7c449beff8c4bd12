//! Bytes without meaning, the same on every run.

/// A linear congruential generator (Knuth's MMIX constants): nothing here needs more.
pub(super) struct Garbage(u64);

impl Garbage {
    pub(super) fn new() -> Self {
        Self(1)
    }

    pub(super) fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut next = || {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 56) as u8
        };
        (0..length).map(|_| next()).collect()
    }
}
