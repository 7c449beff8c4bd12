//! OTLP/HTTP: `POST /v1/traces`, in protobuf or JSON, answered in the encoding of the request.

mod body;
mod encoding;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use prost::Message;
use serde_json::json;
use tower::ServiceBuilder;
use tower_http::decompression::RequestDecompressionLayer;
use tracing::{Instrument as _, debug_span};

use super::refusal::Refusal;
use super::{Intake, answer, context};
use crate::driver::Accepted;
use crate::payload::Encoding;
use crate::telemetry::Transport;
use crate::telemetry::self_trace::TARGET;

/// The routes of the HTTP address. `grpc` is the OTLP/gRPC address, for clients that use the wrong one.
pub(super) fn routes(intake: Intake, grpc: SocketAddr) -> Router {
    let limit = intake.limit;
    let decompress = ServiceBuilder::new()
        .map_request(move |request| body::limit_compressed(request, limit))
        .layer(RequestDecompressionLayer::new().pass_through_unaccepted(true))
        .map_request(|request: http::Request<_>| request.map(Body::new));
    Router::new()
        .route("/v1/traces", post(export).layer(decompress).fallback(wrong_method))
        .route("/v1/metrics", axum::routing::any(|| async { traces_only("METRICS") }))
        .route("/v1/logs", axum::routing::any(|| async { traces_only("LOGS") }))
        .fallback(move || async move { elsewhere(grpc) })
        .with_state(intake)
}

async fn export(State(intake): State<Intake>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let encoding = match encoding::of(&head.headers) {
        Ok(encoding) => encoding,
        Err(refusal) => {
            intake.received.refused(Transport::Http, refusal.label());
            return plain(refusal.http_status(), refusal.to_string());
        }
    };
    let accepted = async {
        let mut reservation = intake.admit(&head.headers).await?;
        let context = context::read(&head.headers, encoding)?;
        let payload = body::read(&head.headers, body, &intake, &mut reservation).await?;
        let reservation = Arc::new(reservation);
        intake.take(payload, context, Transport::Http, Box::new(Arc::clone(&reservation))).await
    };
    let accepted = accepted.instrument(debug_span!(target: TARGET, "receive", transport = "http")).await;
    intake.count(&accepted, Transport::Http);
    match accepted {
        Ok(accepted) => success(&accepted, encoding),
        Err(refusal) => failure(&refusal, encoding),
    }
}

fn success(accepted: &Accepted, encoding: Encoding) -> Response {
    match encoding {
        Encoding::Protobuf => typed(encoding, answer::message(accepted).encode_to_vec()),
        Encoding::Json | Encoding::TraceJson => typed(encoding, answer::json(accepted).to_string().into_bytes()),
    }
}

fn failure(refusal: &Refusal, encoding: Encoding) -> Response {
    let status = refusal.status();
    let body = match encoding {
        Encoding::Protobuf => status.details().to_vec(),
        Encoding::Json | Encoding::TraceJson => {
            json!({ "code": i32::from(status.code()), "message": status.message() }).to_string().into_bytes()
        }
    };
    let mut response = typed(encoding, body);
    *response.status_mut() = refusal.http_status();
    if let Refusal::Unauthenticated(challenge) = refusal {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge.header());
    }
    if let Some(wait) = refusal.retry_after() {
        let seconds = wait.as_millis().div_ceil(1000).max(1).to_string();
        if let Ok(seconds) = HeaderValue::try_from(seconds) {
            response.headers_mut().insert(RETRY_AFTER, seconds);
        }
    }
    response
}

fn typed(encoding: Encoding, body: Vec<u8>) -> Response {
    ([(CONTENT_TYPE, encoding::content_type(encoding))], body).into_response()
}

/// A plain-text answer, for clients that do not speak OTLP.
fn plain(status: StatusCode, text: String) -> Response {
    (status, format!("{text}\n")).into_response()
}

async fn wrong_method() -> Response {
    let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "use POST to send traces".to_owned());
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    response
}

fn traces_only(signal: &str) -> Response {
    let text = format!(
        "this endpoint accepts traces only; set OTEL_{signal}_EXPORTER=none, or send them elsewhere with \
         OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"
    );
    plain(StatusCode::NOT_FOUND, text)
}

fn elsewhere(grpc: SocketAddr) -> Response {
    plain(StatusCode::NOT_FOUND, format!("send OTLP/HTTP to POST /v1/traces, OTLP/gRPC to {grpc}"))
}
