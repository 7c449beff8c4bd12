//! The real translator, and an MLflow that is down, slow, wrong or in a bad mood: what was accepted arrives once it
//! can, and what MLflow will never take is quarantined.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use openinference_mlflow::driver::{self, Accepted, Handle};
use openinference_mlflow::exporter::mlflow::MlflowServer;
use openinference_mlflow::payload::{Encoding, PayloadContext};
use openinference_mlflow::quarantine::Quarantine;
use openinference_mlflow::settings::Credentials;
use openinference_mlflow::wasm::MemoryLimit;
use secrecy::SecretString;
use tempfile::TempDir;

use crate::support::mlflow::{Mlflow, Reply, Seen, say};
use crate::support::payload;
use crate::support::receivers::TRANSLATOR;
use crate::support::until;

struct Host {
    handle: Handle,
    data_dir: TempDir,
}

fn start(mlflow: &Mlflow) -> Host {
    let settings = r#"{"settle_ms": 1, "retry_initial_ms": 5, "retry_max_ms": 20, "timeout_ms": 500}"#;
    let bridges = TRANSLATOR.bridges(settings.to_owned(), MemoryLimit::for_bridge(256 << 20, 1 << 20));
    let server = mlflow.settings(Credentials::Bearer(SecretString::from("right")));
    let data_dir = tempfile::tempdir().unwrap();
    let quarantine = Quarantine::below(data_dir.path());
    let handle = driver::start(bridges, MlflowServer::new(&server).unwrap(), quarantine, None).unwrap();
    Host { handle, data_dir }
}

impl Host {
    async fn ingest(&self, payload: Vec<u8>) -> Accepted {
        let context = PayloadContext {
            encoding: Encoding::Protobuf,
            experiment_id: None,
            experiment_name: None,
            run_id: None,
            workspace: None,
        };
        self.handle.ingest(Bytes::from(payload), context).await.unwrap()
    }

    fn quarantine(&self) -> usize {
        std::fs::read_dir(self.data_dir.path().join("quarantine")).map_or(0, Iterator::count)
    }
}

/// The server answers its first requests so; then it is healthy, and has what was sent.
async fn given_at_first(reply: impl Fn(&Seen) -> Reply + Send + 'static) {
    const TIMES: usize = 3;
    let mlflow = Mlflow::start().await;
    let asked = AtomicUsize::new(0);
    mlflow.script(move |seen| if asked.fetch_add(1, Ordering::SeqCst) < TIMES { reply(seen) } else { Reply::Healthy });
    let host = start(&mlflow);
    let accepted = host.ingest(payload::trace(1)).await;
    accepted.done.await.unwrap();
    assert!(!mlflow.exports().is_empty());
    assert_eq!(host.quarantine(), 0);
    assert_eq!(host.handle.stats().await.unwrap().spans_delivered, 1);
}

#[tokio::test]
async fn given_a_healthy_server_then_the_trace_is_delivered_with_the_credentials() {
    let mlflow = Mlflow::start().await;
    let host = start(&mlflow);
    host.ingest(payload::trace(1)).await.done.await.unwrap();
    let export = &mlflow.exports()[0];
    assert_eq!(export.headers["authorization"], "Bearer right");
    assert!(!export.body.is_empty());
}

#[tokio::test]
async fn given_a_server_that_is_down_then_the_trace_arrives_when_it_is_up() {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind((std::net::Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let mlflow = Mlflow::at(socket.local_addr().unwrap());
    let host = start(&mlflow);
    let mut accepted = host.ingest(payload::trace(1)).await;
    until("a request has failed", || async { host.handle.stats().await.unwrap().retries > 0 }).await;
    assert!(accepted.done.try_recv().is_err());

    mlflow.serve(socket.listen(64).unwrap());
    accepted.done.await.unwrap();
    assert!(!mlflow.exports().is_empty());
}

#[tokio::test]
async fn given_a_server_that_does_not_answer_then_the_trace_is_sent_again() {
    given_at_first(|_| Reply::Hang).await;
}

#[tokio::test]
async fn given_a_server_that_fails_then_the_trace_is_sent_again() {
    for status in [500, 502, 503, 504] {
        given_at_first(move |_| say(status, "no")).await;
    }
}

#[tokio::test]
async fn given_a_server_that_asks_for_patience_then_the_trace_is_sent_again() {
    given_at_first(|_| {
        let busy = http::Response::builder().status(429).header("retry-after", "0");
        Reply::Say(busy.body(axum::body::Body::empty()).unwrap())
    })
    .await;
}

#[tokio::test]
async fn given_wrong_credentials_then_the_trace_waits_until_they_are_right() {
    given_at_first(|_| say(401, "who are you?")).await;
}

#[tokio::test]
async fn given_something_that_is_not_mlflow_then_the_trace_waits() {
    given_at_first(|_| say(403, "<html>go away</html>")).await;
    given_at_first(|_| {
        let page = http::Response::builder().status(200).header("content-type", "text/html");
        Reply::Say(page.body("<html>please log in</html>".into()).unwrap())
    })
    .await;
    given_at_first(|seen| match seen.path.as_str() {
        "/version" => say(200, b"\xff\xfe garbage".to_vec()),
        _ => Reply::Healthy,
    })
    .await;
}

#[tokio::test]
async fn given_a_span_that_mlflow_refuses_then_it_is_quarantined_and_the_others_arrive() {
    const POISON: u8 = 66;
    let mlflow = Mlflow::start().await;
    mlflow.script(|seen| {
        let poisonous = seen.body.windows(8).any(|bytes| bytes == [POISON; 8]);
        if seen.path == "/v1/traces" && poisonous { say(422, r#"{"detail": "no such span"}"#) } else { Reply::Healthy }
    });
    let host = start(&mlflow);
    let mut all = Vec::new();
    for number in [1, POISON, 2] {
        all.push(host.ingest(payload::trace(number)).await);
    }
    for accepted in all {
        accepted.done.await.unwrap();
    }
    let stats = host.handle.stats().await.unwrap();
    assert_eq!((stats.spans_delivered, stats.spans_quarantined), (2, 1));
    // The span and its reason.
    assert_eq!(host.quarantine(), 2);
    let name = format!("{}-{}.pb", "42".repeat(16), "42".repeat(8));
    assert!(host.data_dir.path().join("quarantine").join(name).exists());
}

#[tokio::test]
async fn given_a_server_that_hangs_then_draining_ends_in_time_and_keeps_the_payload() {
    let mlflow = Mlflow::start().await;
    mlflow.script(|_| Reply::Hang);
    let host = start(&mlflow);
    host.ingest(payload::trace(1)).await;
    let left = host.handle.drain(Duration::from_millis(50)).await.unwrap();
    assert_eq!((left.payloads, left.spans, left.kept), (1, 1, 1));
}
