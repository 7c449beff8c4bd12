//! The HTTP server for `/healthz`, `/readyz` and `/metrics`.
//!
//! It has an address of its own, so that probes and scrapers need neither the credentials nor the certificates of applications,
//! and applications cannot read the metrics.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde_json::json;
use tokio::net::TcpListener;

use super::readiness::Readiness;
use crate::receiver::server::Server;
use crate::settings::Limits;
use crate::telemetry::Metrics;

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// The most connections.
const CONNECTIONS: usize = 64;
/// How long requests in flight may take when the gateway stops.
const STOP_LIMIT: Duration = Duration::from_millis(200);

/// The running server.
#[derive(Debug)]
pub struct Admin {
    server: Server,
    readiness: Arc<Readiness>,
}

/// The admin address cannot be bound.
#[derive(Debug, thiserror::Error)]
#[error(
    "failed to bind {address}: {cause}\nhint: choose another address with --admin-listen, or disable it with --admin-listen=off"
)]
pub struct AdminError {
    address: SocketAddr,
    cause: io::Error,
}

#[derive(Debug, Clone)]
struct AdminState {
    metrics: Metrics,
    readiness: Arc<Readiness>,
}

// === impl Admin ===

impl Admin {
    /// Binds the address.
    ///
    /// # Errors
    /// The address is in use, or the system refuses.
    pub async fn bind(address: SocketAddr) -> Result<TcpListener, AdminError> {
        TcpListener::bind(address).await.map_err(|cause| AdminError { address, cause })
    }

    /// Starts the server.
    ///
    /// # Errors
    /// The local address is unknown.
    pub fn start(listener: TcpListener, metrics: Metrics, readiness: Readiness) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let readiness = Arc::new(readiness);
        let state = AdminState { metrics, readiness: Arc::clone(&readiness) };
        let routes = Router::new()
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/readyz", get(ready))
            .route("/metrics", get(metrics_text))
            .fallback(|| async {
                (StatusCode::NOT_FOUND, "not found; this address serves /healthz, /readyz and /metrics\n")
            })
            .with_state(state);
        let limits = Limits { connections: CONNECTIONS, ..Limits::for_bodies(0) };
        Ok(Self { server: Server::start(listener, address, routes, &limits, None), readiness })
    }

    /// The address.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Reports the gateway as not ready from now on.
    pub fn announce_stop(&self) {
        self.readiness.stop();
    }

    /// Stops the server.
    pub async fn stop(self) {
        self.server.stop(STOP_LIMIT).await;
    }
}

/// `?exclude=mlflow` skips a check. It may be repeated, as in Kubernetes.
async fn ready(State(state): State<AdminState>, RawQuery(query): RawQuery) -> Response {
    let query = form_urlencoded::parse(query.as_deref().unwrap_or_default().as_bytes());
    let excluded: Vec<_> = query.filter(|(key, _)| key == "exclude").map(|(_, name)| name.into_owned()).collect();
    let report = state.readiness.report(&excluded).await;
    let status = if report.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(CONTENT_TYPE, "application/json")], json!(report).to_string() + "\n").into_response()
}

async fn metrics_text(State(state): State<AdminState>) -> Response {
    match state.metrics.text() {
        Ok(text) => ([(CONTENT_TYPE, OPENMETRICS)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}
