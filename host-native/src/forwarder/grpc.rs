//! An OTLP/gRPC client: one unary call over the shared HTTP connections and TLS.
//!
//! It frames the message and reads the trailers itself (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>): the
//! payload is an encoded message already, and a gRPC stack would bring a second HTTP client.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD};
use bytes::{BufMut, Bytes, BytesMut};
use http_body_util::{BodyExt, Limited};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use reqwest::header::{CONTENT_TYPE, HeaderMap, TE};
use reqwest::{Client, Url};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::outcome::{MAX_ANSWER, Outcome, no_answer, shortened, taken};

const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
/// The compression flag and the length of the message.
const PREFIX: usize = 5;
const DETAILS: &str = "grpc-status-details-bin";

pub(super) async fn send(client: &Client, url: &Url, payload: Bytes) -> (Outcome, Option<u16>) {
    let mut url = url.clone();
    url.set_path(EXPORT);
    let request =
        client.post(url).header(CONTENT_TYPE, "application/grpc").header(TE, "trailers").body(framed(&payload));
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) => return no_answer(error),
    };
    let (head, body) = http::Response::<reqwest::Body>::from(response).into_parts();
    let body = match Limited::new(body, MAX_ANSWER).collect().await {
        Ok(body) => body,
        Err(error) => {
            let reason = format!("the answer is incomplete: {error}");
            return (Outcome::Later { reason, wait: None, answered: false }, None);
        }
    };
    // An answer without a message has its status in the headers.
    let status = body.trailers().and_then(status).or_else(|| status(&head.headers));
    match status {
        Some(status) if status.code() == Code::Ok => (taken(partial_success(&body.to_bytes())), Some(200)),
        Some(status) => (refusal(&status), Some(as_http(status.code()))),
        None => {
            let reason = format!("it answers {} without a gRPC status: it may not speak gRPC", head.status);
            (Outcome::Later { reason, wait: None, answered: false }, Some(head.status.as_u16()))
        }
    }
}

/// The equivalent HTTP status: <https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto>.
fn as_http(code: Code) -> u16 {
    match code {
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => 400,
        Code::Unauthenticated => 401,
        Code::PermissionDenied => 403,
        Code::NotFound => 404,
        Code::ResourceExhausted => 429,
        Code::Unavailable => 503,
        Code::DeadlineExceeded => 504,
        _ => 500,
    }
}

fn framed(payload: &Bytes) -> Bytes {
    let mut message = BytesMut::with_capacity(PREFIX + payload.len());
    message.put_u8(0);
    message.put_u32(u32::try_from(payload.len()).unwrap_or(u32::MAX));
    message.put_slice(payload);
    message.freeze()
}

fn status(headers: &HeaderMap) -> Option<Status> {
    let mut headers = headers.clone();
    // tonic assumes that this is base64.
    let readable = headers.get(DETAILS).is_none_or(|details| {
        BASE64_STANDARD.decode(details).or_else(|_| BASE64_STANDARD_NO_PAD.decode(details)).is_ok()
    });
    if !readable {
        headers.remove(DETAILS);
    }
    Status::from_header_map(&headers)
}

fn partial_success(body: &Bytes) -> Option<(i64, String)> {
    let message = body.get(PREFIX..).unwrap_or_default();
    let partial = ExportTraceServiceResponse::decode(message).ok()?.partial_success?;
    Some((partial.rejected_spans, partial.error_message))
}

fn refusal(status: &Status) -> Outcome {
    let reason = format!("it answers {:?}: {}", status.code(), shortened(status.message()));
    let wait = status.get_details_retry_info().and_then(|info| info.retry_delay);
    let answered = match status.code() {
        Code::InvalidArgument => return Outcome::Refused(reason),
        // Without RetryInfo, the message is too large for it.
        Code::ResourceExhausted => wait.is_none(),
        Code::Unavailable
        | Code::DeadlineExceeded
        | Code::Cancelled
        | Code::Unauthenticated
        | Code::PermissionDenied => false,
        _ => true,
    };
    Outcome::Later { reason, wait: wait.filter(|wait| *wait > Duration::ZERO), answered }
}
