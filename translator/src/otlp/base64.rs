//! Base64 as senders write it.

use base64::Engine;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// The bytes of base64 in the standard or the URL-safe alphabet, padded or not.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let is_url_safe = text.iter().any(|byte| matches!(byte, b'-' | b'_'));
    let alphabet = if is_url_safe { &URL_SAFE_ENGINE } else { &STANDARD_ENGINE };
    alphabet.decode(text).ok()
}

static STANDARD_ENGINE: GeneralPurpose = engine(&STANDARD);
static URL_SAFE_ENGINE: GeneralPurpose = engine(&URL_SAFE);

const fn engine(alphabet: &Alphabet) -> GeneralPurpose {
    let lenient = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(alphabet, lenient)
}
