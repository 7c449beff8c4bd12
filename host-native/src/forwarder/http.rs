//! An OTLP/HTTP client: <https://opentelemetry.io/docs/specs/otlp/#otlphttp>.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, Url};
use serde_json::Value;

use super::outcome::{MAX_ANSWER, Outcome, no_answer, taken};
use crate::payload::Encoding;

pub(super) async fn send(client: &Client, url: &Url, payload: Bytes, encoding: Encoding) -> (Outcome, Option<u16>) {
    let content_type = match encoding {
        Encoding::Protobuf => "application/x-protobuf",
        Encoding::Json | Encoding::TraceJson => "application/json",
    };
    let request = client.post(url.clone()).header(CONTENT_TYPE, content_type).body(payload);
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) => return no_answer(error),
    };
    let status = response.status();
    let code = Some(status.as_u16());
    if status.is_success() && is_web_page(response.headers()) {
        let reason = format!("it answers {status} with a web page; check that it is an OTLP endpoint");
        return (Outcome::Later { reason, wait: None, answered: false }, code);
    }
    if status.is_success() {
        return (taken(partial_success(response).await), code);
    }
    let reason = format!("it answers {status}");
    let outcome = match status {
        StatusCode::BAD_REQUEST
        | StatusCode::PAYLOAD_TOO_LARGE
        | StatusCode::UNSUPPORTED_MEDIA_TYPE
        | StatusCode::UNPROCESSABLE_ENTITY => Outcome::Refused(reason),
        _ => Outcome::Later { reason, wait: retry_after(response.headers()), answered: status.is_server_error() },
    };
    (outcome, code)
}

/// A web page, for example the login page of a proxy.
fn is_web_page(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

/// The number of rejected spans, and the message.
async fn partial_success(mut response: Response) -> Option<(i64, String)> {
    let is_json = response.headers().get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().ends_with(b"json"));
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend(chunk);
        if body.len() > MAX_ANSWER {
            return None;
        }
    }
    if is_json {
        let body: Value = serde_json::from_slice(&body).ok()?;
        let partial = body.get("partialSuccess")?;
        let rejected = partial.get("rejectedSpans")?;
        let rejected = rejected.as_i64().or_else(|| rejected.as_str()?.parse().ok())?;
        let message = partial.get("errorMessage").and_then(Value::as_str).unwrap_or_default().to_owned();
        return Some((rejected, message));
    }
    let partial = ExportTraceServiceResponse::decode(body.as_slice()).ok()?.partial_success?;
    Some((partial.rejected_spans, partial.error_message))
}

/// `Retry-After`: seconds or a date (RFC 9110 section 10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    match value.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => httpdate::parse_http_date(value).ok()?.duration_since(SystemTime::now()).ok(),
    }
}
