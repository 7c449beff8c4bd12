//! Trace and span ids.
//!
//! OTLP/JSON writes ids as hexadecimal. Recognised besides: protobuf's canonical JSON and Go's `encoding/json`, which
//! write base64 (16 bytes are 24 characters, 8 bytes are 12, both end in `=`); a UUID's hyphens; a leading `0x`; an odd
//! number of digits, which had its leading zero dropped. Any other text is kept byte for byte: the
//! length is checked later, span by span, so that one bad id does not cost the payload.

use std::borrow::Cow;

use crate::otlp::base64;

/// The bytes of an id.
pub(super) fn bytes(text: &str) -> Cow<'_, [u8]> {
    let text = text.trim();
    match hexadecimal(text).or_else(|| protobuf_json(text)) {
        Some(bytes) => bytes.into(),
        None => text.as_bytes().into(),
    }
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let text = text.strip_prefix("0x").unwrap_or(text);
    let is_uuid = text.len() == 36;
    let mut bytes = Vec::with_capacity(16);
    let mut high = None;
    if text.len() % 2 == 1 {
        high = Some(0);
    }
    for character in text.chars().filter(|character| !(is_uuid && *character == '-')) {
        let digit = u8::try_from(character.to_digit(16)?).ok()?;
        match high.take() {
            Some(high) => bytes.push(high << 4 | digit),
            None => high = Some(digit),
        }
    }
    high.is_none().then_some(bytes)
}

fn protobuf_json(text: &str) -> Option<Vec<u8>> {
    match (text.len(), text.ends_with('=')) {
        (24, true) => base64::decode(text.as_bytes()).filter(|bytes| bytes.len() == 16),
        (12, true) => base64::decode(text.as_bytes()).filter(|bytes| bytes.len() == 8),
        _ => None,
    }
}
