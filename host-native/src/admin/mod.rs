//! The admin address: `/healthz`, `/readyz` and `/metrics` for operators.

mod readiness;
mod server;

pub use readiness::{KafkaReadiness, Readiness};
pub use server::{Admin, AdminError};
