//! The admin address: `/healthz`, `/readyz` and `/metrics` for operators.

mod readiness;
mod server;

pub use readiness::Readiness;
pub use server::{Admin, AdminError};
