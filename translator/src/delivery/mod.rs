//! From traces that are due to requests, and from answers to receipts.
//!
//! [`server::ServerDelivery`] talks to MLflow, `local::LocalDelivery` to a folder that the host plays the server of.
//! Both work on one [`desk::Desk`].

pub mod answers;
mod assessments;
mod attachments;
pub mod backoff;
mod closing;
pub mod desk;
pub mod experiments;
pub mod gate;
mod isolate;
#[cfg(feature = "json")]
pub mod local;
mod lone;
pub mod parcel;
pub mod requests;
pub mod server;

use self::desk::Desk;
use crate::contract::{Answer, Instant, Request};
use crate::settings::{Destination, Settings};

/// One of the two destinations.
#[derive(Debug)]
pub enum Delivery {
    /// An MLflow server.
    Server(server::ServerDelivery),
    /// A local folder.
    #[cfg(feature = "json")]
    Local(local::LocalDelivery),
}

impl Delivery {
    /// The delivery to the configured destination.
    pub fn new(settings: &Settings) -> Self {
        match settings.destination {
            Destination::Server => Self::Server(server::ServerDelivery::default()),
            #[cfg(feature = "json")]
            Destination::Local => Self::Local(local::LocalDelivery::default()),
        }
    }

    /// The requests to perform now.
    pub fn poll(&mut self, desk: &mut Desk, now: Instant) -> Vec<Request> {
        let requests = match self {
            Self::Server(server) => server.poll(desk, now),
            #[cfg(feature = "json")]
            Self::Local(local) => local.poll(desk, now),
        };
        desk.stats.requests += requests.len() as u64;
        requests
    }

    /// What became of a request.
    pub fn complete(&mut self, desk: &mut Desk, request: u64, answer: &Answer, now: Instant) {
        match self {
            Self::Server(server) => server.complete(desk, request, answer, now),
            #[cfg(feature = "json")]
            Self::Local(local) => local.complete(desk, request, answer, now),
        }
    }

    /// When a request that waits for something else than a trace or an answer is to be tried; see
    /// [`Assembly::next_due`](crate::assembly::Assembly::next_due) for traces.
    pub fn next_retry(&self, now: Instant) -> Option<Instant> {
        match self {
            Self::Server(server) => server.next_retry(now),
            #[cfg(feature = "json")]
            Self::Local(local) => local.next_retry(now),
        }
    }

    /// Try at once what waits for its time.
    pub fn hurry(&mut self, now: Instant) {
        match self {
            Self::Server(server) => server.hurry(now),
            #[cfg(feature = "json")]
            Self::Local(local) => local.hurry(now),
        }
    }
}
