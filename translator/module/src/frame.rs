//! The frame in which everything crosses the border: one JSON value, then bytes.
//!
//! ```text
//! offset 0   u32, little endian   length of the JSON text
//! offset 4   u32, little endian   length of the bytes
//! offset 8   the JSON text, UTF-8
//!            the bytes
//! ```

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Length of the two numbers at the start.
const HEADER: usize = 8;

/// The parts of a frame that came in.
#[derive(Debug)]
pub(crate) struct Input<'a, T> {
    pub(crate) value: T,
    pub(crate) bytes: &'a [u8],
}

/// Reads a frame. The error says what was expected.
pub(crate) fn read<T: DeserializeOwned>(frame: &[u8]) -> Result<Input<'_, T>, String> {
    let (header, rest) = frame.split_first_chunk::<HEADER>().ok_or_else(|| wrong_length(frame.len()))?;
    let [a, b, c, d, e, f, g, h] = *header;
    let json = u32::from_le_bytes([a, b, c, d]) as usize;
    let bytes = u32::from_le_bytes([e, f, g, h]) as usize;
    let (json, rest) = rest.split_at_checked(json).ok_or_else(|| wrong_length(frame.len()))?;
    if rest.len() != bytes {
        return Err(wrong_length(frame.len()));
    }
    let value =
        serde_json::from_slice(json).map_err(|error| format!("the input's JSON is not as expected: {error}"))?;
    Ok(Input { value, bytes: rest })
}

fn wrong_length(found: usize) -> String {
    format!("the input is not a frame: its two lengths do not add up to the {found} bytes that `input` was asked for")
}

/// Writes a frame into `out`, which is emptied first.
pub(crate) fn write(out: &mut Vec<u8>, value: &impl Serialize, bytes: &[u8]) {
    out.clear();
    out.extend_from_slice(&[0; HEADER]);
    // Writing to a vector cannot fail, and no value here has a map with keys that are not strings.
    let written = serde_json::to_writer(&mut *out, value);
    debug_assert!(written.is_ok());
    let json = (out.len() - HEADER) as u32;
    out.extend_from_slice(bytes);
    for (slot, byte) in out.iter_mut().zip(json.to_le_bytes().into_iter().chain((bytes.len() as u32).to_le_bytes())) {
        *slot = byte;
    }
}

/// The bytes of an answer under construction; the JSON names each piece by its place.
#[derive(Debug, Default)]
pub(crate) struct Bytes(Vec<u8>);

/// `[offset, length]` within a frame's bytes.
pub(crate) type Place = [u32; 2];

impl Bytes {
    /// Appends a piece and returns its place.
    pub(crate) fn put(&mut self, piece: &[u8]) -> Place {
        let place = [self.0.len() as u32, piece.len() as u32];
        self.0.extend_from_slice(piece);
        place
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::{read, write};

    #[test]
    fn a_written_frame_reads_as_it_was() {
        let mut frame = vec![7; 3];
        write(&mut frame, &serde_json::json!({"a": [1, "ü"]}), b"\x00\xff");
        let input = read::<serde_json::Value>(&frame).unwrap();
        assert_eq!(input.value, serde_json::json!({"a": [1, "ü"]}));
        assert_eq!(input.bytes, b"\x00\xff");
    }

    #[test]
    fn every_truncation_and_every_extension_is_refused() {
        let mut frame = Vec::new();
        write(&mut frame, &serde_json::json!({"key": "value"}), b"bytes");
        for length in 0..frame.len() {
            assert!(read::<serde_json::Value>(&frame[..length]).is_err(), "{length}");
        }
        frame.push(0);
        assert!(read::<serde_json::Value>(&frame).is_err());
    }

    #[test]
    fn lengths_beyond_the_frame_are_refused() {
        for header in [[0xff; 8], [0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff], [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]] {
            assert!(read::<serde_json::Value>(&header).is_err());
        }
    }
}
