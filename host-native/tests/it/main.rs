//! The host against applications that misbehave, an MLflow that misbehaves, and a translator that misbehaves.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, in its helpers as well")]

mod support;

mod access;
mod deliver;
mod durability;
mod forward;
mod guest;
#[cfg(target_os = "linux")]
mod hostile;
#[cfg(feature = "kafka")]
mod kafka;
mod limits;
mod mlflow_faults;
mod observe;
mod program;
mod quarantine;
mod receive_grpc;
mod receive_http;
mod self_trace;
mod status;
mod tls;
mod traps;
