//! The on-disk format of an entry. All numbers are little-endian.
//!
//! | bytes | |
//! |---|---|
//! | 0–8 | [`MAGIC`]; its last byte is the record's version |
//! | 8–16 | XXH3 of all that follows |
//! | 16–24 | the entry's id |
//! | 24–32 | when it was received, in milliseconds since the Unix epoch |
//! | 32–36 | the length of the rest |
//! | 36– | a protobuf message ([`Body`]): the context and the payload as received |
//!
//! The magic marks where a record begins, and the checksum proves that it is complete.

use bytes::Bytes;
use prost::Message;
use xxhash_rust::xxh3::xxh3_64;

use super::EntryId;
use crate::payload::{Encoding, PayloadContext};

/// The first bytes of every record.
pub(super) const MAGIC: [u8; 8] = *b"oimlrec\x01";
/// The length of the header before the body.
pub(super) const HEADER: usize = 36;

/// One payload and its context.
#[derive(Debug, Clone)]
pub struct JournalEntry {
    /// The id.
    pub id: EntryId,
    /// When it was received, in milliseconds since the Unix epoch.
    pub received_ms: u64,
    /// The payload as received, after decompression.
    pub payload: Bytes,
    /// The encoding and the requested destination.
    pub context: PayloadContext,
}

/// Fields may be added. Never reuse a tag.
#[derive(Clone, PartialEq, Message)]
struct Body {
    /// 0 protobuf, 1 OTLP/JSON, 2 trace JSON.
    #[prost(uint32, tag = "1")]
    encoding: u32,
    #[prost(string, optional, tag = "2")]
    experiment_id: Option<String>,
    #[prost(string, optional, tag = "3")]
    experiment_name: Option<String>,
    #[prost(string, optional, tag = "4")]
    run_id: Option<String>,
    #[prost(string, optional, tag = "5")]
    workspace: Option<String>,
    #[prost(bytes = "bytes", tag = "15")]
    payload: Bytes,
}

/// Encodes an entry as a record.
pub(super) fn encode(id: EntryId, received_ms: u64, payload: &Bytes, context: &PayloadContext) -> Vec<u8> {
    let body = Body {
        encoding: match context.encoding {
            Encoding::Protobuf => 0,
            Encoding::Json => 1,
            Encoding::TraceJson => 2,
        },
        experiment_id: context.experiment_id.clone(),
        experiment_name: context.experiment_name.clone(),
        run_id: context.run_id.clone(),
        workspace: context.workspace.clone(),
        payload: payload.clone(),
    };
    let length = body.encoded_len();
    let mut record = Vec::with_capacity(HEADER + length);
    record.extend(MAGIC);
    record.extend([0; 8]);
    record.extend(id.to_le_bytes());
    record.extend(received_ms.to_le_bytes());
    record.extend(u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
    // A `Vec` grows as needed.
    let _ = body.encode(&mut record);
    let checksum = xxh3_64(record.get(16..).unwrap_or_default()).to_le_bytes();
    if let Some(place) = record.get_mut(8..16) {
        place.copy_from_slice(&checksum);
    }
    record
}

/// Decodes a record. None: the bytes are not a complete record.
pub(super) fn decode(record: &[u8]) -> Option<JournalEntry> {
    let header = record.first_chunk::<HEADER>()?;
    let length = body_length(header)?;
    let body = record.get(HEADER..HEADER.checked_add(length)?)?;
    let checked = record.get(16..HEADER + length)?;
    if record.len() != HEADER + length || xxh3_64(checked) != number(header.get(8..16)?) {
        return None;
    }
    let body = Body::decode(Bytes::copy_from_slice(body)).ok()?;
    let encoding = match body.encoding {
        0 => Encoding::Protobuf,
        1 => Encoding::Json,
        2 => Encoding::TraceJson,
        _ => return None,
    };
    let Body { experiment_id, experiment_name, run_id, workspace, payload, .. } = body;
    let context = PayloadContext { encoding, experiment_id, experiment_name, run_id, workspace };
    Some(JournalEntry { id: number(header.get(16..24)?), received_ms: number(header.get(24..32)?), payload, context })
}

/// The length of the body after this header. None: the bytes are not a header.
pub(super) fn body_length(header: &[u8; HEADER]) -> Option<usize> {
    let length = header.get(32..36)?;
    header.starts_with(&MAGIC).then(|| usize::try_from(number(length)).ok())?
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context() -> PayloadContext {
        PayloadContext {
            encoding: Encoding::Json,
            experiment_id: None,
            experiment_name: Some("agents".to_owned()),
            run_id: Some(String::new()),
            workspace: Some("team".to_owned()),
        }
    }

    #[test]
    fn given_an_entry_then_its_record_says_all_of_it() {
        let record = encode(7, 1_700_000_000_000, &Bytes::from_static(b"payload"), &context());
        let entry = decode(&record).unwrap();
        assert_eq!((entry.id, entry.received_ms, &entry.payload[..]), (7, 1_700_000_000_000, &b"payload"[..]));
        assert_eq!(entry.context.encoding, Encoding::Json);
        assert_eq!(entry.context.experiment_id, None);
        assert_eq!(entry.context.experiment_name.as_deref(), Some("agents"));
        assert_eq!(entry.context.run_id.as_deref(), Some(""));
        assert_eq!(entry.context.workspace.as_deref(), Some("team"));
    }

    #[test]
    fn given_any_flipped_bit_or_any_cut_then_it_is_no_record() {
        let record = encode(7, 8, &Bytes::from_static(b"payload"), &context());
        for at in 0..record.len() {
            for bit in 0..8 {
                let mut damaged = record.clone();
                damaged[at] ^= 1 << bit;
                assert!(decode(&damaged).is_none(), "byte {at}, bit {bit}");
            }
            assert!(decode(&record[..at]).is_none(), "cut at {at}");
        }
    }
}
