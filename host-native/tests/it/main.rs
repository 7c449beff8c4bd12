//! The host against applications that misbehave, an MLflow that misbehaves, and a translator that misbehaves.

#![allow(missing_docs, reason = "tests are read by their names")]

mod support;

mod deliver;
mod guest;
mod mlflow_faults;
mod program;
mod receive_grpc;
mod receive_http;
mod traps;
