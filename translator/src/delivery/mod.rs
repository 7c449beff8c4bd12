//! From due traces to requests, and from responses to receipts.
//!
//! [`server::ServerDelivery`] talks to MLflow, [`unity_catalog::TableDelivery`] to a Databricks workspace,
//! `local::LocalDelivery` to a folder that the host plays the server of. All work on one [`state::BridgeState`].

pub mod answers;
mod assessments;
mod attachments;
pub mod backoff;
pub mod batch;
mod closing;
pub mod experiments;
pub mod gate;
#[cfg(feature = "json")]
pub mod local;
mod payload;
mod purpose;
pub mod requests;
pub mod route;
pub mod runs;
pub mod server;
mod server_spans;
pub mod state;
mod trace_requests;
pub mod unity_catalog;

use self::state::BridgeState;
use crate::contract::{Answer, Instant, Request};
use crate::settings::{DestinationKind, Settings};

/// One of the destinations.
#[derive(Debug)]
pub enum Delivery {
    /// An MLflow server.
    Server(server::ServerDelivery),
    /// Unity Catalog of a Databricks workspace.
    UnityCatalog(unity_catalog::TableDelivery),
    /// A local folder.
    #[cfg(feature = "json")]
    Local(local::LocalDelivery),
}

impl Delivery {
    /// The delivery to the configured destination.
    pub fn new(settings: &Settings) -> Self {
        match settings.destination {
            DestinationKind::Server => Self::Server(server::ServerDelivery::default()),
            DestinationKind::UnityCatalog => {
                let location = settings.trace_location.as_deref().unwrap_or_default();
                Self::UnityCatalog(unity_catalog::TableDelivery::new(location))
            }
            #[cfg(feature = "json")]
            DestinationKind::Local => Self::Local(local::LocalDelivery::default()),
        }
    }

    /// The requests to perform now.
    pub fn poll(&mut self, state: &mut BridgeState, now: Instant) -> Vec<Request> {
        let requests = match self {
            Self::Server(server) => server.poll(state, now),
            Self::UnityCatalog(table) => table.poll(state, now),
            #[cfg(feature = "json")]
            Self::Local(local) => local.poll(state, now),
        };
        state.stats.requests += requests.len() as u64;
        requests
    }

    /// What became of a request.
    pub fn complete(&mut self, state: &mut BridgeState, request: u64, answer: &Answer, now: Instant) {
        match self {
            Self::Server(server) => server.complete(state, request, answer, now),
            Self::UnityCatalog(table) => table.complete(state, request, answer, now),
            #[cfg(feature = "json")]
            Self::Local(local) => local.complete(state, request, answer, now),
        }
    }

    /// When a request that waits for something else than a trace or an answer is to be tried; see
    /// [`Assembly::next_due`](crate::assembly::Assembly::next_due) for traces.
    pub fn next_retry(&self, now: Instant) -> Option<Instant> {
        match self {
            Self::Server(server) => server.next_retry(now),
            Self::UnityCatalog(table) => table.next_retry(now),
            #[cfg(feature = "json")]
            Self::Local(local) => local.next_retry(now),
        }
    }

    /// Try at once what waits for its time.
    pub fn retry_now(&mut self, now: Instant) {
        match self {
            Self::Server(server) => server.retry_now(now),
            Self::UnityCatalog(table) => table.retry_now(now),
            #[cfg(feature = "json")]
            Self::Local(local) => local.retry_now(now),
        }
    }
}
