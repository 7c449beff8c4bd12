//! `/healthz`, `/readyz` and `/metrics`, on an address of their own.
//!
//! They are not on the receivers' addresses, so that probes and scrapers need neither the credentials nor the
//! certificates of applications, and applications cannot read the figures.

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

use super::metrics::Metrics;
use super::readiness::Readiness;
use crate::receiver::server::Server;
use crate::settings::Limits;

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Probes and scrapers are few.
const CONNECTIONS: usize = 64;
/// How long probes under way may take when the program ends.
const STOP_LIMIT: Duration = Duration::from_millis(200);

/// The address of operators, answering.
#[derive(Debug)]
pub struct Admin {
    server: Server,
    readiness: Arc<Readiness>,
}

/// The address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error(
    "{address} cannot be listened on: {cause}\nhint: serve /metrics elsewhere with --admin-listen, or not at all with --admin-listen=off"
)]
pub struct AdminError {
    address: SocketAddr,
    cause: io::Error,
}

#[derive(Debug, Clone)]
struct Asked {
    metrics: Metrics,
    readiness: Arc<Readiness>,
}

// === impl Admin ===

impl Admin {
    /// Listen on the address.
    ///
    /// # Errors
    /// Somebody else does, or the system refuses.
    pub async fn bind(address: SocketAddr) -> Result<TcpListener, AdminError> {
        TcpListener::bind(address).await.map_err(|cause| AdminError { address, cause })
    }

    /// Answer from here on.
    ///
    /// # Errors
    /// The system does not say which port it gave.
    pub fn start(listener: TcpListener, metrics: Metrics, readiness: Readiness) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let readiness = Arc::new(readiness);
        let asked = Asked { metrics, readiness: Arc::clone(&readiness) };
        let routes = Router::new()
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/readyz", get(ready))
            .route("/metrics", get(figures))
            .fallback(|| async { (StatusCode::NOT_FOUND, "here are /healthz, /readyz and /metrics\n") })
            .with_state(asked);
        let limits = Limits { connections: CONNECTIONS, ..Limits::for_bodies(0) };
        Ok(Self { server: Server::start(listener, address, routes, &limits, None), readiness })
    }

    /// Where it answers.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Say from here on that nothing is ready.
    pub fn announce_stop(&self) {
        self.readiness.stop();
    }

    /// Answer nothing more.
    pub async fn stop(self) {
        self.server.stop(STOP_LIMIT).await;
    }
}

/// `?exclude=mlflow` leaves a check out, several times several, as Kubernetes' own `/readyz` has it.
async fn ready(State(asked): State<Asked>, RawQuery(query): RawQuery) -> Response {
    let query = form_urlencoded::parse(query.as_deref().unwrap_or_default().as_bytes());
    let excluded: Vec<_> = query.filter(|(key, _)| key == "exclude").map(|(_, name)| name.into_owned()).collect();
    let report = asked.readiness.report(&excluded).await;
    let status = if report.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(CONTENT_TYPE, "application/json")], json!(report).to_string() + "\n").into_response()
}

async fn figures(State(asked): State<Asked>) -> Response {
    match asked.metrics.text() {
        Ok(text) => ([(CONTENT_TYPE, OPENMETRICS)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}
