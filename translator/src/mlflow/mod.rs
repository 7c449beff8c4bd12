//! The shapes MLflow stores and draws.

pub mod assessment;
pub mod json;
pub mod keys;
pub mod preview;
pub mod server;
pub mod tags;
#[cfg(feature = "json")]
pub mod totals;
pub mod trace_info;
#[cfg(feature = "json")]
pub mod trace_json;
