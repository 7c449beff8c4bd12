//! OTLP/gRPC: `opentelemetry.proto.collector.trace.v1.TraceService/Export`. Messages pass through unread.

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
use crate::payload::Encoding;
use crate::telemetry::Transport;
use crate::telemetry::self_trace::TARGET;
pub use codec::RawCodec;
use metered::{Meter, Metered};

const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// The routes of the gRPC address. `http` is the OTLP/HTTP address, for clients that use the wrong one.
pub(super) fn routes(intake: Intake, http: SocketAddr) -> Router {
    Router::new()
        .route(EXPORT, post(export))
        .fallback(move |request| async move { elsewhere(&request, http) })
        .with_state(intake)
}

async fn export(State(intake): State<Intake>, request: Request) -> Response {
    let limit = intake.limit;
    // Served as a client stream of one request: tonic then returns errors in the request to us. As a unary method it would
    // answer with codes that OTLP calls retryable although a retry cannot help.
    let meter = match intake.admit(request.headers()).await {
        Ok(reservation) => Meter::new(reservation),
        Err(refusal) => {
            intake.received.refused(Transport::Grpc, refusal.label());
            return refusal.status().into_http::<tonic::body::Body>().map(Body::new);
        }
    };
    let request = request.map(|body| Metered::new(body, meter.clone()));
    let exported = service_fn(move |request| receive(intake.clone(), meter.clone(), request));
    let mut grpc = Grpc::new(RawCodec).max_decoding_message_size(limit);
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
            Ok(Ok(None)) => return Err(Refusal::Unreadable("it contains no message".to_owned())),
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

/// tonic reports OUT_OF_RANGE for a message over the limit, RESOURCE_EXHAUSTED for one that exceeds it while it is
/// decompressed, and INTERNAL for one that it cannot decompress.
fn unreadable(status: &Status, limit: usize) -> Refusal {
    match status.code() {
        Code::OutOfRange | Code::ResourceExhausted => Refusal::TooLarge { limit },
        _ => Refusal::Unreadable(status.message().to_owned()),
    }
}

fn elsewhere(request: &Request, http: SocketAddr) -> Response {
    let content_type = request.headers().get(CONTENT_TYPE).map(|value| value.as_bytes());
    if content_type.is_some_and(|value| value.starts_with(b"application/grpc")) {
        let text = "this endpoint accepts traces only; set OTEL_METRICS_EXPORTER=none and OTEL_LOGS_EXPORTER=none";
        return Status::unimplemented(text).into_http::<tonic::body::Body>().map(Body::new);
    }
    let text = format!("this is the OTLP/gRPC address; send OTLP/HTTP to POST http://{http}/v1/traces\n");
    (StatusCode::NOT_FOUND, text).into_response()
}
