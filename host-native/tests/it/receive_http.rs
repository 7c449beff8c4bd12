//! OTLP/HTTP: what is accepted, and what everything else is answered with.

use http::{Method, StatusCode};
use openinference_mlflow::payload::Encoding;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use tonic_types::{RpcStatusExt, pb};

use crate::support::fake_bridge::{FULL, FULL_FOR, MALFORMED, PARTIAL};
use crate::support::payload::{self, deflate, gzip, zstd};
use crate::support::receivers::{self, LIMIT, Running};
use crate::support::until;

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

fn post(running: &Running, content_type: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().tls_certs_only([]).build().unwrap();
    client.post(running.http("/v1/traces")).header("content-type", content_type).body(body)
}

async fn send(request: RequestBuilder) -> Response {
    request.send().await.unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

async fn json_of(response: Response) -> Value {
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

/// Reads the `google.rpc.Status` that a protobuf sender gets.
async fn status_of(response: Response) -> pb::Status {
    assert_eq!(header(&response, "content-type"), PROTOBUF);
    pb::Status::decode(response.bytes().await.unwrap()).unwrap()
}

#[tokio::test]
async fn given_a_payload_then_it_is_accepted_and_arrives_byte_for_byte() {
    let (running, bridges) = receivers::fake().await;
    let response = send(post(&running, PROTOBUF, "any \u{0} bytes")).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(header(&response, "content-type"), PROTOBUF);
    let answer = ExportTraceServiceResponse::decode(response.bytes().await.unwrap()).unwrap();
    assert_eq!(answer.partial_success, None);
    until("the payload is delivered", || async { running.inbox.texts() == ["any \u{0} bytes"] }).await;
    assert_eq!(bridges.contexts.lock().unwrap()[0].encoding, Encoding::Protobuf);
}

#[tokio::test]
async fn given_json_with_a_charset_then_the_answer_is_json() {
    let (running, bridges) = receivers::fake().await;
    let response = send(post(&running, "application/json; charset=utf-8", "{}")).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(header(&response, "content-type"), JSON);
    assert_eq!(json_of(response).await, json!({}));
    assert_eq!(bridges.contexts.lock().unwrap()[0].encoding, Encoding::Json);
}

#[tokio::test]
async fn given_a_compressed_body_then_the_bridge_gets_it_decompressed() {
    let (running, _) = receivers::fake().await;
    let bodies = [
        ("gzip", gzip(b"by gzip")),
        ("GZIP", gzip(b"by GZIP")),
        ("deflate", deflate(b"by deflate")),
        ("zstd", zstd(b"by zstd")),
        ("identity", b"by nothing".to_vec()),
        ("", b"by nothing at all".to_vec()),
    ];
    for (coding, body) in bodies {
        let response = send(post(&running, PROTOBUF, body).header("content-encoding", coding)).await;
        assert_eq!(response.status(), StatusCode::OK, "{coding}");
    }
    let expected = ["by GZIP", "by deflate", "by gzip", "by nothing", "by nothing at all", "by zstd"];
    until("all are delivered", || async { running.inbox.texts() == expected }).await;
}

#[tokio::test]
async fn given_an_empty_request_then_it_is_accepted() {
    let running = receivers::real().await;
    for (content_type, body) in [(PROTOBUF, ""), (JSON, "{}"), (JSON, r#"{"resourceSpans":[]}"#)] {
        let response = send(post(&running, content_type, body)).await;
        assert_eq!(response.status(), StatusCode::OK, "{content_type} {body:?}");
    }
}

#[tokio::test]
async fn given_garbage_then_400_with_a_status_in_the_requests_encoding_and_nothing_is_kept() {
    let running = receivers::real().await;
    let whole = payload::trace(1);
    let truncated = whole[..whole.len() - 3].to_vec();
    for body in [b"garbage, not protobuf".to_vec(), truncated] {
        let response = send(post(&running, PROTOBUF, body)).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
        let status = status_of(response).await;
        assert_eq!(status.code, i32::from(tonic::Code::InvalidArgument));
        assert!(!status.message.is_empty());
        assert!(status.get_details_bad_request().is_some());
    }
    for body in [r#"{"resourceSpans": ["#, "[]", "garbage", ""] {
        let response = send(post(&running, JSON, body)).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{body:?}");
        assert_eq!(header(&response, "content-type"), JSON);
        let status: Value = json_of(response).await;
        assert_eq!(status["code"], i32::from(tonic::Code::InvalidArgument));
        assert!(status["message"].as_str().is_some_and(|message| !message.is_empty()));
    }
    let stats = running.bridge.stats().await.unwrap();
    assert_eq!((stats.payloads, stats.open_spans), (0, 0));
    assert!(running.inbox.texts().is_empty());
}

#[tokio::test]
async fn given_something_good_beside_the_bad_then_the_good_is_accepted() {
    let running = receivers::real().await;
    assert_eq!(send(post(&running, PROTOBUF, "garbage")).await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(send(post(&running, PROTOBUF, payload::trace(7))).await.status(), StatusCode::OK);
    assert_eq!(running.bridge.stats().await.unwrap().spans_received, 1);
}

#[tokio::test]
async fn given_a_body_that_cannot_be_decompressed_then_400() {
    let (running, _) = receivers::fake().await;
    let mut broken = gzip(b"some text that is long enough to be compressed, compressed, compressed");
    let truncated = broken[..broken.len() - 6].to_vec();
    let middle = broken.len() / 2;
    broken[middle] ^= 0xff;
    for (coding, body) in [
        ("gzip", b"not gzip".to_vec()),
        ("gzip", broken),
        ("gzip", truncated),
        ("deflate", b"not deflate".to_vec()),
        ("zstd", b"not zstd".to_vec()),
    ] {
        let response = send(post(&running, PROTOBUF, body).header("content-encoding", coding)).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{coding}");
        assert_eq!(status_of(response).await.code, i32::from(tonic::Code::InvalidArgument));
    }
    assert!(running.inbox.texts().is_empty());
}

#[tokio::test]
async fn given_a_decompression_bomb_then_413() {
    let (running, _) = receivers::fake().await;
    let zeros = vec![0; 64 << 20];
    for (coding, bomb) in [("gzip", gzip(&zeros)), ("deflate", deflate(&zeros)), ("zstd", zstd(&zeros))] {
        assert!(bomb.len() < LIMIT, "the bomb must pass as it is: {}", bomb.len());
        let response = send(post(&running, PROTOBUF, bomb).header("content-encoding", coding)).await;
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE, "{coding}");
    }
}

#[tokio::test]
async fn given_a_body_over_the_limit_then_413_and_one_at_the_limit_is_accepted() {
    let (running, _) = receivers::fake().await;
    let at_limit = send(post(&running, PROTOBUF, vec![b'a'; LIMIT])).await;
    assert_eq!(at_limit.status(), StatusCode::OK);

    let response = send(post(&running, PROTOBUF, vec![b'a'; LIMIT + 1])).await;
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let status = status_of(response).await;
    assert!(status.message.contains("--max-body-size"), "{}", status.message);
}

#[tokio::test]
async fn given_a_wrong_content_type_then_415_says_which_are_right() {
    let (running, _) = receivers::fake().await;
    for content_type in ["text/plain", "application/grpc", "multipart/form-data; boundary=x", ""] {
        let response = send(post(&running, content_type, "x")).await;
        assert_eq!(response.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE, "{content_type}");
        assert!(response.text().await.unwrap().contains("application/x-protobuf"));
    }
}

#[tokio::test]
async fn given_an_unknown_content_encoding_then_415_says_which_are_right() {
    let (running, _) = receivers::fake().await;
    for coding in ["br", "gzip, gzip", "snappy"] {
        let response = send(post(&running, PROTOBUF, "x").header("content-encoding", coding)).await;
        assert_eq!(response.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE, "{coding}");
        assert!(status_of(response).await.message.contains("zstd"));
    }
}

#[tokio::test]
async fn given_another_method_then_405_names_post() {
    let (running, _) = receivers::fake().await;
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let (client, request) = post(&running, PROTOBUF, "x").build_split();
        let mut request = request.unwrap();
        *request.method_mut() = method;
        let response = client.execute(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(header(&response, "allow"), "POST");
    }
}

#[tokio::test]
async fn given_metrics_or_logs_then_404_says_how_to_turn_them_off() {
    let (running, _) = receivers::fake().await;
    for (path, variable) in [("/v1/metrics", "OTEL_METRICS_EXPORTER"), ("/v1/logs", "OTEL_LOGS_EXPORTER")] {
        let (client, request) = post(&running, PROTOBUF, "").build_split();
        let mut request = request.unwrap();
        *request.url_mut() = running.http(path);
        let response = client.execute(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert!(response.text().await.unwrap().contains(variable));
    }
}

#[tokio::test]
async fn given_a_full_bridge_then_503_says_when_to_try_again() {
    let (running, _) = receivers::fake().await;
    let response = send(post(&running, PROTOBUF, FULL)).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(header(&response, "retry-after"), FULL_FOR.div_ceil(1000).to_string());
    let delay = status_of(response).await.get_details_retry_info().and_then(|info| info.retry_delay).unwrap();
    assert_eq!(delay.as_millis(), FULL_FOR.into());
}

#[tokio::test]
async fn given_a_partial_success_then_the_answer_counts_the_rejected_spans() {
    let (running, _) = receivers::fake().await;
    let response = send(post(&running, PROTOBUF, PARTIAL)).await;
    assert_eq!(response.status(), StatusCode::OK);
    let answer = ExportTraceServiceResponse::decode(response.bytes().await.unwrap()).unwrap();
    let partial = answer.partial_success.unwrap();
    assert_eq!((partial.rejected_spans, partial.error_message.as_str()), (3, "three have no id"));

    let response = send(post(&running, JSON, PARTIAL)).await;
    let expected = json!({"partialSuccess": {"rejectedSpans": "3", "errorMessage": "three have no id"}});
    assert_eq!(json_of(response).await, expected);
}

#[tokio::test]
async fn given_mlflow_headers_then_the_bridge_gets_them_and_a_bad_experiment_id_is_400() {
    let (running, bridges) = receivers::fake().await;
    let request = post(&running, PROTOBUF, "x").header("x-mlflow-experiment-id", "12").header("x-mlflow-run-id", "");
    assert_eq!(send(request).await.status(), StatusCode::OK);
    let context = bridges.contexts.lock().unwrap()[0].clone();
    assert_eq!((context.experiment_id.as_deref(), context.run_id), (Some("12"), None));

    let response = send(post(&running, PROTOBUF, "x").header("x-mlflow-experiment-id", "my agent")).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert!(status_of(response).await.message.contains("x-mlflow-experiment-name"));
}

#[tokio::test]
async fn given_a_malformed_payload_then_the_answer_says_what_the_bridge_said() {
    let (running, _) = receivers::fake().await;
    let response = send(post(&running, PROTOBUF, MALFORMED)).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert!(status_of(response).await.message.contains("expected something else"));
}
