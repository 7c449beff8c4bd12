//! Headers as OpenTelemetry's variables have them: `name=value` pairs with commas between them, values percent-encoded.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

/// Reads the pairs; `None` when any of them is none. Every value is marked as sensitive.
pub(super) fn header_pairs(pairs: &str) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for pair in pairs.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=')?;
        let value = percent_encoding::percent_decode_str(value.trim()).decode_utf8().ok()?;
        let name = HeaderName::try_from(name.trim().to_ascii_lowercase()).ok()?;
        let mut value = HeaderValue::from_str(&value).ok()?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Some(headers)
}
