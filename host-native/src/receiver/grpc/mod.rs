//! OTLP/gRPC: `opentelemetry.proto.collector.trace.v1.TraceService/Export`, whose messages pass through unread.

mod codec;
mod metered;

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use prost::Message;
use tokio::time::timeout;
use tonic::codec::CompressionEncoding;
use tonic::server::Grpc;
use tonic::{Code, Status, Streaming};
use tower::service_fn;
use tracing::{Instrument as _, debug_span};

use super::refusal::Refusal;
use super::{Intake, answer, context};
use crate::telemetry::Transport;
use crate::telemetry::self_trace::TARGET;
use crate::wasm::Encoding;
use codec::Untouched;
use metered::{Meter, Metered};

const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// What is served on the gRPC address. `http` is where OTLP/HTTP is, for those who are at the wrong door.
pub(super) fn routes(intake: Intake, http: SocketAddr) -> Router {
    Router::new()
        .route(EXPORT, post(export))
        .fallback(move |request| async move { elsewhere(&request, http) })
        .with_state(intake)
}

async fn export(State(intake): State<Intake>, request: Request) -> Response {
    let limit = intake.limit;
    // As a stream of requests, of which there is one: tonic then hands over what is wrong with it, instead of
    // answering with codes of its own, of which OTLP calls some retryable that no repetition cures.
    let meter = match intake.admit(request.headers()).await {
        Ok(reservation) => Meter::new(reservation),
        Err(refusal) => {
            intake.received.refused(Transport::Grpc, refusal.word());
            return refusal.status().into_http::<tonic::body::Body>().map(Body::new);
        }
    };
    let request = request.map(|body| Metered::new(body, meter.clone()));
    let exported = service_fn(move |request| receive(intake.clone(), meter.clone(), request));
    let mut grpc = Grpc::new(Untouched).max_decoding_message_size(limit);
    for compression in [CompressionEncoding::Gzip, CompressionEncoding::Deflate, CompressionEncoding::Zstd] {
        grpc = grpc.accept_compressed(compression);
    }
    grpc.client_streaming(exported, request).await.map(Body::new)
}

async fn receive(
    intake: Intake,
    meter: Meter,
    request: tonic::Request<Streaming<Bytes>>,
) -> Result<tonic::Response<Bytes>, Status> {
    let (metadata, _, mut messages) = request.into_parts();
    let headers = metadata.into_headers();
    let accepted = async {
        let context = context::read(&headers, Encoding::Protobuf)?;
        let payload = match timeout(intake.body_timeout, messages.message()).await {
            Ok(Ok(Some(payload))) => payload,
            Ok(Ok(None)) => return Err(Refusal::Unreadable("it holds no message".to_owned())),
            Ok(Err(_)) if meter.has_refused() => return Err(Refusal::Busy),
            Ok(Err(status)) => return Err(unreadable(&status, intake.limit)),
            Err(_) => return Err(Refusal::TooSlow { limit: intake.body_timeout }),
        };
        meter.grow(payload.len())?;
        intake.take(payload, context, Transport::Grpc, Box::new(meter.clone())).await
    };
    let accepted = accepted.instrument(debug_span!(target: TARGET, "receive", transport = "grpc")).await;
    intake.count(&accepted, Transport::Grpc);
    let accepted = accepted.map_err(|refusal| refusal.status())?;
    Ok(tonic::Response::new(answer::message(&accepted).encode_to_vec().into()))
}

/// tonic says OUT_OF_RANGE for a message over the limit and RESOURCE_EXHAUSTED for one that grows beyond it, INTERNAL
/// for what it cannot decompress.
fn unreadable(status: &Status, limit: usize) -> Refusal {
    match status.code() {
        Code::OutOfRange | Code::ResourceExhausted => Refusal::TooLarge { limit },
        _ => Refusal::Unreadable(status.message().to_owned()),
    }
}

fn elsewhere(request: &Request, http: SocketAddr) -> Response {
    let content_type = request.headers().get(CONTENT_TYPE).map(|value| value.as_bytes());
    if content_type.is_some_and(|value| value.starts_with(b"application/grpc")) {
        let text = "this endpoint takes traces alone; set OTEL_METRICS_EXPORTER=none and OTEL_LOGS_EXPORTER=none";
        return Status::unimplemented(text).into_http::<tonic::body::Body>().map(Body::new);
    }
    let text = format!("OTLP/gRPC is received here; OTLP/HTTP is received at POST http://{http}/v1/traces\n");
    (StatusCode::NOT_FOUND, text).into_response()
}
