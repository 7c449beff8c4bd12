//! Performs the requests that the translator asks for: against an MLflow server, or on the local folder.

pub mod local;
pub mod mlflow;
pub mod trust;

use std::future::Future;

use crate::wasm::{Answer, Request};

/// Whoever performs requests.
pub trait Destination: Send + Sync + 'static {
    /// Perform one request. Gives up after the request's own timeout and answers `no-answer`; never fails otherwise.
    /// May be dropped at any moment; the request is then made again.
    fn perform(&self, request: Request) -> impl Future<Output = Answer> + Send;
}
