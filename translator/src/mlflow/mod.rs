//! The shapes MLflow stores and draws.

mod added_attributes;
pub mod keys;
pub mod preview;
pub mod server;
pub mod tags;
pub mod totals;
pub mod trace_info;

pub use added_attributes::{AddedAttributes, Mapped, stored};
