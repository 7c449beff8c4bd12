//! OTLP on the wire: payloads in, payloads out.
//!
//! Everything inside the core is protobuf bytes borrowed from the payload; OTLP/JSON is transcoded on the way in
//! (`json`). Reading validates a payload to its full depth before anything of it is kept, so that what follows may
//! read it without errors.

pub mod base64;
#[cfg(feature = "json")]
pub mod json;
pub mod payload;
pub mod span;
pub mod value;
pub mod wire;
pub mod write;

pub use payload::{Payload, ScopeSpans};
pub use span::{Event, Link, Span};
pub use value::{KeyValue, Text, Value};

/// A body that is not what its encoding says. Nothing of it is kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a readable OTLP payload: expected {expected} {place}")]
pub struct Malformed {
    expected: String,
    place: String,
}

impl Malformed {
    /// What was expected at a byte offset of the innermost message being read.
    pub fn new(expected: &str, offset: usize) -> Self {
        Self { expected: expected.to_owned(), place: format!("at byte {offset} of the message") }
    }

    /// What a host gets that was built without the encoding.
    #[cfg(not(feature = "json"))]
    pub(crate) fn unknown_encoding() -> Self {
        Self::new("protobuf, the one encoding of this build,", 0)
    }

    /// What was expected, and where in a text body.
    pub fn in_text(expected: impl Into<String>, line: usize, column: usize) -> Self {
        Self { expected: expected.into(), place: format!("at line {line}, column {column}") }
    }
}
