//! The scalars of a chunk.

use super::NotAChunk;

/// Reads from front to back, and remembers the keys that it met.
pub(super) struct Reader<'a> {
    chunk: &'a [u8],
    at: usize,
    keys: Vec<&'a [u8]>,
}

/// A key that is not remembered, see the layout.
const INLINE_KEY: u16 = u16::MAX;

impl<'a> Reader<'a> {
    pub(super) fn new(chunk: &'a [u8]) -> Self {
        Self { chunk, at: 0, keys: Vec::with_capacity(128) }
    }

    pub(super) fn offset(&self) -> usize {
        self.at
    }

    pub(super) fn expected(&self, expected: &'static str) -> NotAChunk {
        NotAChunk { expected, offset: self.at }
    }

    pub(super) fn bytes(&mut self, length: usize) -> Result<&'a [u8], NotAChunk> {
        let end = self.at.checked_add(length).ok_or(self.expected("a length within the chunk"))?;
        let bytes = self.chunk.get(self.at..end).ok_or(self.expected("more bytes"))?;
        self.at = end;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], NotAChunk> {
        let expected = self.expected("more bytes");
        self.bytes(N)?.try_into().map_err(|_| expected)
    }

    pub(super) fn u8(&mut self) -> Result<u8, NotAChunk> {
        self.array().map(u8::from_le_bytes)
    }

    pub(super) fn u16(&mut self) -> Result<u16, NotAChunk> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, NotAChunk> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn i64(&mut self) -> Result<i64, NotAChunk> {
        self.array().map(i64::from_le_bytes)
    }

    pub(super) fn f64(&mut self) -> Result<f64, NotAChunk> {
        self.array().map(f64::from_le_bytes)
    }

    pub(super) fn text(&mut self) -> Result<&'a [u8], NotAChunk> {
        let length = self.u32()?;
        self.bytes(length as usize)
    }

    pub(super) fn id(&mut self) -> Result<&'a [u8], NotAChunk> {
        let length = self.u8()?;
        self.bytes(usize::from(length))
    }

    /// Nanoseconds since the Unix epoch; what lies outside of `u64` is its nearest end.
    pub(super) fn time(&mut self) -> Result<u64, NotAChunk> {
        // A float's cast saturates, and makes 0 of NaN.
        let seconds = self.f64()? as u64;
        let nanoseconds = self.f64()? as u64;
        Ok(seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds))
    }

    pub(super) fn key(&mut self) -> Result<&'a [u8], NotAChunk> {
        let index = self.u16()?;
        if index == INLINE_KEY {
            return self.text();
        }
        if let Some(key) = self.keys.get(usize::from(index)) {
            return Ok(key);
        }
        if usize::from(index) != self.keys.len() {
            return Err(self.expected("the index of a key met before, or the next"));
        }
        let key = self.text()?;
        self.keys.push(key);
        Ok(key)
    }
}
