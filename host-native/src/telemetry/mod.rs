//! What an operator can see of a running host: figures for Prometheus, and whether it is alive and ready.
//!
//! Guarantees: no figure costs the data's path a lock that it could wait for, a file or a request; labels take values
//! from lists that are known at the start, so that no sender can make their number grow; nothing here holds a span's
//! content, a credential, or a word that a sender chose.
//!
//! What is counted stands around the parts that work: [`ObservedBridges`] around the translator, [`ObservedDestination`]
//! around whoever performs requests. Neither part knows of it.

mod bridges;
mod destination;
mod metrics;
mod queues;
mod reach;
mod readiness;
pub mod self_trace;
mod server;
mod storage;

pub use bridges::ObservedBridges;
pub use destination::ObservedDestination;
pub use metrics::{Forwarded, Metrics, Received, Transport};
pub use reach::Reach;
pub use readiness::Readiness;
pub use server::{Admin, AdminError};
