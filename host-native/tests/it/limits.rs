//! What senders may take of the receivers: what becomes of those who want more, and of the others.

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use openinference_mlflow::settings::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::Code;
use tonic_types::StatusExt;

use crate::support::grpc_client::export;
use crate::support::payload::{gzip, zstd};
use crate::support::receivers::{self, LIMIT, Running};

fn limits() -> Limits {
    Limits::for_bodies(LIMIT)
}

async fn connect(running: &Running) -> TcpStream {
    TcpStream::connect(running.receivers.http_address()).await.unwrap()
}

/// Begins a request whose body never comes.
async fn begin(running: &Running) -> TcpStream {
    let mut stream = connect(running).await;
    let head =
        "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\ncontent-length: 9\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// All that comes until the other side closes.
async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A connection that is cut has said what it had to say.
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn post(running: &Running, coding: &str, body: impl Into<reqwest::Body>) -> reqwest::Response {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
    let request = client.post(running.http("/v1/traces")).header("content-type", "application/x-protobuf");
    request.header("content-encoding", coding).body(body).send().await.unwrap()
}

#[tokio::test]
async fn given_a_head_that_never_ends_then_the_connection_is_closed() {
    let running = receivers::limited(Limits { header_timeout: Duration::from_millis(100), ..limits() }).await;
    for beginning in
        ["", "POST /v1/traces HTTP/1.1\r\nx-a: ", "PRI * HTTP/2.0\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
    {
        let mut stream = connect(&running).await;
        stream.write_all(beginning.as_bytes()).await.unwrap();
        rest(&mut stream).await;
    }
    assert!(post(&running, "identity", "served").await.status().is_success());
}

#[tokio::test]
async fn given_a_connection_that_idles_after_a_request_then_it_is_closed() {
    let running = receivers::limited(Limits { idle_timeout: Duration::from_millis(100), ..limits() }).await;
    let mut stream = connect(&running).await;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert!(rest(&mut stream).await.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn given_a_body_that_never_ends_then_408_and_deadline_exceeded() {
    let running = receivers::limited(Limits { body_timeout: Duration::from_millis(100), ..limits() }).await;
    let mut stream = begin(&running).await;
    assert!(rest(&mut stream).await.starts_with("HTTP/1.1 408"));
}

#[tokio::test]
async fn given_a_head_over_the_limit_then_431_and_one_below_it_is_served() {
    let running = receivers::limited(Limits { header_bytes: 16 << 10, ..limits() }).await;
    for (length, expected) in [(12 << 10, "HTTP/1.1 404"), (20 << 10, "HTTP/1.1 431"), (4 << 20, "HTTP/1.1 431")] {
        let mut stream = connect(&running).await;
        let head = format!("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-long: {}\r\n\r\n", "a".repeat(length));
        // The answer may come before the end of the head.
        let _ = stream.write_all(head.as_bytes()).await;
        let answer = rest(&mut stream).await;
        assert!(answer.starts_with(expected) || (length == 4 << 20 && answer.is_empty()), "{length}: {answer}");
    }
    assert!(post(&running, "identity", "served").await.status().is_success());
}

#[tokio::test]
async fn given_more_connections_than_may_be_then_the_silent_ones_make_room() {
    let running = receivers::limited(Limits { connections: 4, ..limits() }).await;
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(connect(&running).await);
    }
    assert!(post(&running, "identity", "served").await.status().is_success());
    for stream in &mut silent[..16] {
        assert_eq!(rest(stream).await, "", "it was closed");
    }
}

#[tokio::test]
async fn given_as_many_requests_as_may_be_then_503_and_resource_exhausted_with_the_time_to_wait() {
    let running = receivers::limited(Limits { requests: 2, ..limits() }).await;
    let mut held = [begin(&running).await, begin(&running).await];
    let refused = async {
        loop {
            let response = post(&running, "identity", "x").await;
            if response.status() == StatusCode::SERVICE_UNAVAILABLE {
                return response;
            }
        }
    };
    let response = tokio::time::timeout(Duration::from_secs(60), refused).await.expect("never refused");
    assert_eq!(response.headers()["retry-after"], "1");
    let status = export(&running.grpc(), b"x").await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(status.get_details_retry_info().is_some());
    assert!(status.message().contains("--max-requests"), "{status}");

    held[0].write_all(b"123456789").await.unwrap();
    let mut beginning = [0; 12];
    held[0].read_exact(&mut beginning).await.unwrap();
    assert_eq!(&beginning, b"HTTP/1.1 200");
    assert!(post(&running, "identity", "x").await.status().is_success());
}

#[tokio::test]
async fn given_payloads_that_are_too_many_bytes_together_then_503_and_resource_exhausted_with_the_time_to_wait() {
    let running = receivers::limited(Limits { inflight_bytes: LIMIT / 2, ..limits() }).await;
    let large = vec![b'a'; LIMIT - 1];
    let bodies = [("identity", large.clone()), ("gzip", gzip(&large)), ("zstd", zstd(&large))];
    for (coding, body) in bodies {
        let response = post(&running, coding, body).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE, "{coding}");
        assert_eq!(response.headers()["retry-after"], "1");
    }
    let status = export(&running.grpc(), &large).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(status.get_details_retry_info().is_some(), "{status}");
    assert!(post(&running, "identity", Bytes::from(vec![b'a'; LIMIT / 4])).await.status().is_success());
    export(&running.grpc(), &vec![b'a'; LIMIT / 8]).await.unwrap();
}
