//! OTLP/JSON, transcoded to protobuf on the way in and from protobuf on the way out.
//!
//! Reading is lenient: what a person would understand is understood, and one odd attribute value never costs the
//! others. What cannot be meant, such as a span that is a number, is [`Malformed`] with its line and column, and
//! nothing of the body is kept. Memory is linear in the body; the stack is bounded by
//! [`MAX_DEPTH`](super::value::MAX_DEPTH).
//!
//! | in the body | is read as |
//! |---|---|
//! | a field name in camelCase, snake_case or any other case | the field; an unknown name is skipped |
//! | `null` | absent; within an array value an empty value, in any other list nothing |
//! | an id | hexadecimal in either case; base64, UUIDs and `0x` are recognised, other text is kept unchanged |
//! | an integer | number or text, also integral floats; out of range: the nearest that fits |
//! | an enum | number or name, with or without its prefix; an unknown name is 0 |
//! | `"NaN"`, `"Infinity"`, `"-Infinity"`, quoted or bare | that double |
//! | an attribute value that does not fit the type it states | the value that it is |
//! | `attributes` as an object of names and values | a list of attributes |
//! | a name given twice | lists are joined, messages merged, of scalars the last counts, as protobuf has it |
//! | a lone surrogate escape, bytes that are not UTF-8 | U+FFFD, counted |
//! | a byte order mark | nothing |
//!
//! Sources: <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>, and what SDKs and clients send.

mod decode;
mod encode;
mod id;
mod normalize;
mod scalar;
mod schema;
mod shape;

pub use encode::encode;

use super::Malformed;

/// A body transcoded to protobuf.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decoded {
    /// An `ExportTraceServiceRequest`, which [`Payload::parse`](super::Payload::parse) accepts.
    pub payload: Vec<u8>,
    /// How many lone surrogates (`\ud83d` without its other half) became U+FFFD.
    pub lone_surrogates: u32,
    /// How many stretches of bytes that are not UTF-8 became U+FFFD.
    pub invalid_utf8: u32,
}

/// Transcodes a lenient OTLP/JSON body to protobuf.
///
/// Lines and columns in errors count from 1, columns in bytes. They are the sender's as long as the body is JSON;
/// behind a bare `NaN` or bytes that are not UTF-8 the columns of that line are shifted.
pub fn decode(body: &[u8]) -> Result<Decoded, Malformed> {
    let normalized = normalize::normalize(body);
    let payload = decode::request(&normalized.text)?;
    Ok(Decoded { payload, lone_surrogates: normalized.lone_surrogates, invalid_utf8: normalized.invalid_utf8 })
}
