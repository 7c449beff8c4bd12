//! OpenInference spans in, MLflow traces out.
//!
//! A sans-I/O core: payloads and the time go in, HTTP requests come out, answers go in. It has no clock, no randomness,
//! no threads and no `unsafe`; hosts own sockets, disk, timers and credentials. The contract in full is
//! `wit/translator.wit`; the types here mirror it.
//!
//! The modules are the way the data goes: [`otlp`] (wire in and out) → [`openinference`] (what a span says) →
//! [`mapping`] (one file a concern) → [`mlflow`] (the shapes MLflow stores and draws) → [`assembly`] (traces) →
//! [`delivery`] (requests, retries, experiments), driven by [`Bridge`].
#![forbid(unsafe_code)]

pub mod assembly;
pub mod contract;
pub mod delivery;
pub mod feedback;
pub mod json;
pub mod mapping;
pub mod mlflow;
pub mod openinference;
pub mod otlp;
#[cfg(feature = "json")]
pub mod trace_json;

mod bridge;
mod gather;
mod settings;
mod translate;

pub use bridge::Bridge;
pub use settings::{DestinationKind, InvalidSettings, Settings};
#[cfg(feature = "json")]
pub use translate::transcode;
pub use translate::{Translated, translate};
