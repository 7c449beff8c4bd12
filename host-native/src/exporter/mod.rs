//! Performs the translator's requests: against an MLflow server, or on the local folder.

pub mod local;
pub mod mlflow;

use std::future::Future;

use crate::wasm::{Answer, Request};

/// Performs requests.
pub trait Destination: Send + Sync + 'static {
    /// Performs one request. After the request's timeout the answer is `no-answer`. The future may be dropped at any time;
    /// the translator then makes the request again.
    fn perform(&self, request: Request) -> impl Future<Output = Answer> + Send;
}
