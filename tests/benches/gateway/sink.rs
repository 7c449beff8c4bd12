//! A server that answers as MLflow does, at once, and counts the spans that arrive.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::routing::{get, post};
use openinference_mlflow_translator::otlp::Payload;

/// Its port, and what has arrived.
pub(crate) fn start() -> (u16, Arc<AtomicUsize>) {
    let arrived = Arc::new(AtomicUsize::new(0));
    let experiment = r#"{"experiment":{"experiment_id":"0","lifecycle_stage":"active"}}"#;
    let routes = Router::new()
        .route("/version", get(|| async { "3.17.2" }))
        .route("/api/2.0/mlflow/experiments/get", get(move || async move { experiment }))
        .route("/v1/traces", post(count))
        .layer(DefaultBodyLimit::disable())
        .with_state(Arc::clone(&arrived));
    let (sender, port) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            sender.send(listener.local_addr().unwrap().port()).unwrap();
            axum::serve(listener, routes).await.unwrap();
        });
    });
    (port.recv().unwrap(), arrived)
}

/// Waits until so many spans have arrived since its start.
pub(crate) fn wait_for(arrived: &AtomicUsize, spans: usize) {
    let start = Instant::now();
    while arrived.load(Ordering::SeqCst) < spans {
        assert!(start.elapsed() < Duration::from_secs(300), "{} of {spans} arrived", arrived.load(Ordering::SeqCst));
        std::thread::sleep(Duration::from_millis(5));
    }
}

async fn count(State(arrived): State<Arc<AtomicUsize>>, body: Bytes) {
    arrived.fetch_add(Payload::parse(&body).map_or(0, |payload| payload.span_count()), Ordering::SeqCst);
}
