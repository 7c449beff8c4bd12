//! Reads a request body to its end and decompresses it, with a limit before and after decompression.

use std::error::Error;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http::{HeaderMap, HeaderValue, Request};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::task::coop::consume_budget;
use tokio::time::timeout;

use crate::receiver::Intake;
use crate::receiver::budget::Reservation;
use crate::receiver::refusal::Refusal;

/// Prepares a request for decompression: limits its compressed body, and lower-cases its content coding (they are
/// case-insensitive, RFC 9110 section 8.4.1).
pub(super) fn limit_compressed(mut request: Request<Body>, limit: usize) -> Request<Limited<Body>> {
    if let Some(coding) = request.headers().get(CONTENT_ENCODING).map(|value| value.as_bytes().to_ascii_lowercase()) {
        match HeaderValue::from_bytes(&coding) {
            Ok(coding) if !coding.is_empty() => drop(request.headers_mut().insert(CONTENT_ENCODING, coding)),
            _ => drop(request.headers_mut().remove(CONTENT_ENCODING)),
        }
    }
    request.map(|body| Limited::new(body, limit))
}

/// Reads the decompressed body to its end and adds its bytes to the reservation.
pub(super) async fn read(
    headers: &HeaderMap,
    body: Body,
    intake: &Intake,
    reservation: &mut Reservation,
) -> Result<Bytes, Refusal> {
    let limit = intake.limit;
    if let Some(coding) = headers.get(CONTENT_ENCODING).filter(|coding| coding.as_bytes() != b"identity") {
        return Err(Refusal::ContentEncoding(String::from_utf8_lossy(coding.as_bytes()).into_owned()));
    }
    if content_length(headers).is_some_and(|length| length > limit) {
        return Err(Refusal::TooLarge { limit });
    }
    let whole = timeout(intake.body_timeout, collect(Limited::new(body, limit), limit, reservation));
    whole.await.unwrap_or(Err(Refusal::TooSlow { limit: intake.body_timeout }))
}

async fn collect(mut body: Limited<Body>, limit: usize, reservation: &mut Reservation) -> Result<Bytes, Refusal> {
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| match is_over_limit(error.as_ref()) {
            true => Refusal::TooLarge { limit },
            false => Refusal::Unreadable(root_cause(error.as_ref()).to_string()),
        })?;
        if let Ok(data) = frame.into_data() {
            reservation.grow(data.len())?;
            whole.extend_from_slice(&data);
        }
        // A few compressed bytes may become many: yield to other tasks in between.
        consume_budget().await;
    }
    Ok(whole.freeze())
}

/// The `content-length` of an uncompressed body. The decompressor removes it from compressed ones.
fn content_length(headers: &HeaderMap) -> Option<usize> {
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
