//! Chunks of spans, as JavaScript writes them, to OTLP.
//!
//! A chunk is one flat buffer, little-endian, that is complete in itself: a run of spans, then the resources and scopes
//! that they name by index. Its layout is written down once more in `host-js/src/span/chunk.ts`, the only writer:
//!
//! ```text
//! chunk      = u32 offset of `envelopes`, span*, envelopes
//! span       = u16 resource, u16 scope, id trace, id span, id parent, text trace_state, u32 flags,
//!              text name, u8 kind, time start, time end, attributes, u32 dropped attributes,
//!              u32 n, event{n}, u32 dropped events, u32 n, link{n}, u32 dropped links, u8 status, text message
//! event      = text name, time, attributes, u32 dropped attributes
//! link       = id trace, id span, text trace_state, u32 flags, attributes, u32 dropped attributes
//! envelopes  = u16 n, resource{n}, u16 n, scope{n}
//! resource   = attributes, text schema_url
//! scope      = text name, text version, text schema_url
//! attributes = u32 n, (key, value){n}
//! key        = u16 index of a key met before in this chunk; one more than the last defines the next: text follows;
//!              65535: text follows and is not remembered
//! value      = u8 0 empty | 1 text | 2 false | 3 true | 4 f64 integer | 5 f64 | 6 u32 n, value{n} | 7 attributes
//!              | 8 bytes | 9 i64
//! time       = f64 seconds, f64 nanoseconds since the Unix epoch
//! id         = u8 length, hexadecimal digits as ASCII
//! text       = u32 length, UTF-8
//! ```
//!
//! Reading never panics: a buffer that is not a chunk is a [`NotAChunk`].

mod otlp;
mod reader;

pub use otlp::to_otlp;

/// A buffer that this package's JavaScript did not write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a chunk of spans: expected {expected} at byte {offset}; the JavaScript and the WebAssembly of this package must come from one build"
)]
pub struct NotAChunk {
    expected: &'static str,
    offset: usize,
}

#[cfg(test)]
mod tests;
