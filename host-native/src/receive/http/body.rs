//! The body of a request: decompressed, whole, and within the limit both before and after decompression.

use std::error::Error;

use axum::body::Body;
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http::{HeaderMap, HeaderValue, Request};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::time::timeout;

use crate::receive::BODY_TIMEOUT;
use crate::receive::refusal::Refusal;

/// Prepares a request for decompression: its compressed body is bounded, and its encoding spelt as the decompressor
/// knows it (content codings are case-insensitive, RFC 9110 section 8.4.1).
pub(super) fn limit_compressed(mut request: Request<Body>, limit: usize) -> Request<Limited<Body>> {
    if let Some(coding) = request.headers().get(CONTENT_ENCODING).map(|value| value.as_bytes().to_ascii_lowercase()) {
        match HeaderValue::from_bytes(&coding) {
            Ok(coding) if !coding.is_empty() => drop(request.headers_mut().insert(CONTENT_ENCODING, coding)),
            _ => drop(request.headers_mut().remove(CONTENT_ENCODING)),
        }
    }
    request.map(|body| Limited::new(body, limit))
}

/// Reads the decompressed body to its end.
pub(super) async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Refusal> {
    if let Some(coding) = headers.get(CONTENT_ENCODING).filter(|coding| coding.as_bytes() != b"identity") {
        return Err(Refusal::ContentEncoding(String::from_utf8_lossy(coding.as_bytes()).into_owned()));
    }
    if announced(headers).is_some_and(|length| length > limit) {
        return Err(Refusal::TooLarge { limit });
    }
    match timeout(BODY_TIMEOUT, Limited::new(body, limit).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if is_over_limit(error.as_ref()) => Err(Refusal::TooLarge { limit }),
        Ok(Err(error)) => Err(Refusal::Unreadable(root_cause(error.as_ref()).to_string())),
        Err(_) => Err(Refusal::TooSlow),
    }
}

/// The length that an uncompressed body says it has; the decompressor removes it from others.
fn announced(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn is_over_limit(error: &(dyn Error + 'static)) -> bool {
    causes(error).any(|cause| cause.is::<LengthLimitError>())
}

fn root_cause<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    causes(error).last().unwrap_or(error)
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}
