//! The shapes MLflow stores and draws.

pub mod keys;
pub mod preview;
pub mod server;
pub mod trace_info;
pub mod trace_json;
