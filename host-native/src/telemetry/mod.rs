//! Metrics, the reachability of MLflow, and the gateway's own spans.
//!
//! Guarantees: recording a metric never waits for a file or a request; labels come from fixed lists and from the settings, so
//! that senders cannot create time series; metrics contain no span content, no credentials and no text from senders.
//!
//! Wrappers record from outside: [`ObservedBridges`] wraps the translator, [`ObservedDestination`] wraps the exporter. Neither
//! knows that it is observed.

mod bridges;
mod consumer_groups;
mod destination;
mod metrics;
mod queues;
mod reachability;
pub mod self_trace;
mod storage;

pub use bridges::ObservedBridges;
pub use consumer_groups::{GroupState, GroupStatus};
pub use destination::ObservedDestination;
pub use metrics::{Forwarded, Metrics, Received, Transport};
pub use reachability::Reachability;
