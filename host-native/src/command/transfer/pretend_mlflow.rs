//! A server for tests, which takes what MLflow would take.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::routing::{get, post};
use tokio::net::TcpListener;

/// It takes every export and every assessment, and remembers them.
#[derive(Clone, Default)]
pub(in crate::command) struct Mlflow {
    exports: Arc<Mutex<Vec<(String, Bytes)>>>,
    assessments: Arc<Mutex<Vec<String>>>,
}

impl Mlflow {
    /// Listens; returns its address.
    pub(in crate::command) async fn start(&self) -> String {
        async fn export(State(mlflow): State<Mlflow>, headers: HeaderMap, body: Bytes) -> StatusCode {
            let experiment = headers.get("x-mlflow-experiment-id").unwrap().to_str().unwrap().to_owned();
            mlflow.exports.lock().unwrap().push((experiment, body));
            StatusCode::OK
        }
        async fn find(uri: Uri) -> String {
            let id = uri.query().and_then(|query| query.strip_prefix("experiment_id=")).unwrap_or("7");
            format!(r#"{{"experiment": {{"experiment_id": "{id}", "name": "e", "lifecycle_stage": "active"}}}}"#)
        }
        async fn other(State(mlflow): State<Mlflow>, uri: Uri, body: String) -> &'static str {
            if uri.path().ends_with("/assessments") {
                mlflow.assessments.lock().unwrap().push(body);
            }
            "{}"
        }
        let routes = Router::new()
            .route("/version", get(|| async { "3.17.2" }))
            .route("/api/2.0/mlflow/experiments/get-by-name", get(find))
            .route("/api/2.0/mlflow/experiments/get", get(find))
            .route("/v1/traces", post(export))
            .fallback(other)
            .with_state(self.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        format!("http://{address}")
    }

    /// The experiments of the exports since the last call of this or of the next.
    pub(in crate::command) fn exports(&self) -> Vec<String> {
        self.bodies().into_iter().map(|(experiment, _)| experiment).collect()
    }

    /// The exports since the last call, with their experiments.
    pub(in crate::command) fn bodies(&self) -> Vec<(String, Bytes)> {
        std::mem::take(&mut self.exports.lock().unwrap())
    }

    /// The assessments since the last call.
    pub(in crate::command) fn assessments(&self) -> Vec<String> {
        std::mem::take(&mut self.assessments.lock().unwrap())
    }
}
