//! OTLP/gRPC: what is accepted, and what everything else is answered with.

use bytes::Bytes;
use tonic::codec::CompressionEncoding;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use crate::support::fake_bridge::{FULL, FULL_FOR, MALFORMED, PARTIAL};
use crate::support::grpc_client::{EXPORT, call, export, send_frame};
use crate::support::payload;
use crate::support::receivers::{self, LIMIT};
use crate::support::until;

#[tokio::test]
async fn given_a_payload_then_it_is_accepted_and_arrives_byte_for_byte() {
    let (running, _) = receivers::fake().await;
    let answer = export(&running.grpc(), b"any \0 bytes").await.unwrap();
    assert_eq!(answer.partial_success, None);
    until("the payload is delivered", || async { running.inbox.texts() == ["any \0 bytes"] }).await;
}

#[tokio::test]
async fn given_a_compressed_message_then_the_bridge_gets_it_decompressed() {
    let (running, _) = receivers::fake().await;
    let compressions = [CompressionEncoding::Gzip, CompressionEncoding::Deflate, CompressionEncoding::Zstd];
    for compression in compressions {
        let request = Request::new(Bytes::from(compression.to_string()));
        call(&running.grpc(), EXPORT, request, Some(compression)).await.unwrap();
    }
    until("all are delivered", || async { running.inbox.texts() == ["deflate", "gzip", "zstd"] }).await;
}

#[tokio::test]
async fn given_an_empty_request_then_it_is_accepted() {
    let running = receivers::real().await;
    let answer = export(&running.grpc(), b"").await.unwrap();
    assert_eq!(answer.partial_success, None);
}

#[tokio::test]
async fn given_garbage_then_invalid_argument_and_nothing_is_kept() {
    let running = receivers::real().await;
    let whole = payload::trace(1);
    for body in [&b"garbage, not protobuf"[..], &whole[..whole.len() - 3]] {
        let status = export(&running.grpc(), body).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.get_details_bad_request().is_some());
    }
    let stats = running.bridge.stats().await.unwrap();
    assert_eq!((stats.payloads, stats.open_spans), (0, 0));
    assert!(running.inbox.texts().is_empty());
}

/// A message that says it is compressed, and is not.
async fn send_bad_compression(server: &str, coding: &str) -> Status {
    let frame = [&[1, 0, 0, 0, 4][..], b"junk"].concat();
    send_frame(server, &[("grpc-encoding", coding)], frame).await
}

#[tokio::test]
async fn given_a_message_that_cannot_be_decompressed_then_invalid_argument() {
    let (running, _) = receivers::fake().await;
    for coding in ["gzip", "deflate", "zstd"] {
        assert_eq!(send_bad_compression(&running.grpc(), coding).await.code(), Code::InvalidArgument, "{coding}");
    }
}

#[tokio::test]
async fn given_an_unknown_compression_then_unimplemented() {
    let (running, _) = receivers::fake().await;
    assert_eq!(send_bad_compression(&running.grpc(), "snappy").await.code(), Code::Unimplemented);
}

#[tokio::test]
async fn given_a_truncated_frame_then_invalid_argument() {
    let (running, _) = receivers::fake().await;
    let frame = [&[0, 0, 0, 0, 9][..], b"four"].concat();
    assert_eq!(
        send_frame(&running.grpc(), &[("grpc-encoding", "identity")], frame).await.code(),
        Code::InvalidArgument
    );
    assert_eq!(
        send_frame(&running.grpc(), &[("grpc-encoding", "identity")], Vec::new()).await.code(),
        Code::InvalidArgument
    );
}

#[tokio::test]
async fn given_a_decompression_bomb_then_resource_exhausted_without_a_retry() {
    let (running, _) = receivers::fake().await;
    let zeros = Bytes::from(vec![0; 64 << 20]);
    for compression in [CompressionEncoding::Gzip, CompressionEncoding::Deflate, CompressionEncoding::Zstd] {
        let answer = call(&running.grpc(), EXPORT, Request::new(zeros.clone()), Some(compression)).await;
        let status = answer.unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted, "{compression}: {status}");
        assert!(status.get_details_retry_info().is_none());
    }
}

#[tokio::test]
async fn given_a_message_over_the_limit_then_resource_exhausted_and_one_at_the_limit_is_accepted() {
    let (running, _) = receivers::fake().await;
    export(&running.grpc(), &vec![b'a'; LIMIT]).await.unwrap();
    let status = export(&running.grpc(), &vec![b'a'; LIMIT + 1]).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(status.message().contains("--max-body-size"), "{status}");
    assert!(status.get_details_retry_info().is_none());
}

#[tokio::test]
async fn given_a_full_bridge_then_resource_exhausted_says_when_to_try_again() {
    let (running, _) = receivers::fake().await;
    let status = export(&running.grpc(), FULL.as_bytes()).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    let delay = status.get_details_retry_info().and_then(|info| info.retry_delay).unwrap();
    assert_eq!(delay.as_millis(), FULL_FOR.into());
}

#[tokio::test]
async fn given_a_partial_success_then_the_answer_counts_the_rejected_spans() {
    let (running, _) = receivers::fake().await;
    let partial = export(&running.grpc(), PARTIAL.as_bytes()).await.unwrap().partial_success.unwrap();
    assert_eq!((partial.rejected_spans, partial.error_message.as_str()), (3, "three have no id"));
}

#[tokio::test]
async fn given_a_malformed_payload_then_the_answer_says_what_the_bridge_said() {
    let (running, _) = receivers::fake().await;
    let status = export(&running.grpc(), MALFORMED.as_bytes()).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("expected something else"));
}

#[tokio::test]
async fn given_mlflow_metadata_then_the_bridge_gets_it_and_a_bad_experiment_id_is_refused() {
    let (running, bridges) = receivers::fake().await;
    let mut request = Request::new(Bytes::from("x"));
    request.metadata_mut().insert("x-mlflow-experiment-name", "agents".parse().unwrap());
    call(&running.grpc(), EXPORT, request, None).await.unwrap();
    assert_eq!(bridges.contexts.lock().unwrap()[0].experiment_name.as_deref(), Some("agents"));

    let mut request = Request::new(Bytes::from("x"));
    request.metadata_mut().insert("x-mlflow-experiment-id", "agents".parse().unwrap());
    let status = call(&running.grpc(), EXPORT, request, None).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn given_metrics_then_unimplemented_says_how_to_turn_them_off() {
    let (running, _) = receivers::fake().await;
    let method = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
    let status = call(&running.grpc(), method, Request::new(Bytes::new()), None).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
    assert!(status.message().contains("OTEL_METRICS_EXPORTER"));
}
