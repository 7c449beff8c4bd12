//! A server that answers as MLflow does, at once, and counts what arrives.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::routing::{get, post};
use openinference_mlflow_translator::otlp::Payload;
use tower_http::decompression::RequestDecompressionLayer;

/// It ends with the program.
pub(crate) struct Sink {
    pub(crate) port: u16,
    arrived: Arc<Arrived>,
}

#[derive(Default)]
struct Arrived {
    requests: AtomicUsize,
    spans: AtomicUsize,
}

impl Sink {
    pub(crate) fn start() -> Self {
        let arrived = Arc::new(Arrived::default());
        let experiment = r#"{"experiment":{"experiment_id":"0","lifecycle_stage":"active"}}"#;
        let routes = Router::new()
            .route("/version", get(|| async { "3.17.2" }))
            .route("/api/2.0/mlflow/experiments/get", get(move || async move { experiment }))
            .route("/v1/traces", post(count))
            .layer(RequestDecompressionLayer::new())
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
        Self { port: port.recv().unwrap(), arrived }
    }

    /// Requests with spans, since its start.
    pub(crate) fn requests(&self) -> usize {
        self.arrived.requests.load(Ordering::SeqCst)
    }

    /// Spans, since its start.
    pub(crate) fn spans(&self) -> usize {
        self.arrived.spans.load(Ordering::SeqCst)
    }

    /// Waits until so many spans have arrived since its start.
    pub(crate) fn wait_for(&self, spans: usize) {
        let start = Instant::now();
        while self.spans() < spans {
            assert!(start.elapsed() < Duration::from_secs(300), "{} of {spans} arrived", self.spans());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

async fn count(State(arrived): State<Arc<Arrived>>, body: Bytes) {
    arrived.requests.fetch_add(1, Ordering::SeqCst);
    arrived.spans.fetch_add(Payload::parse(&body).map_or(0, |payload| payload.span_count()), Ordering::SeqCst);
}
