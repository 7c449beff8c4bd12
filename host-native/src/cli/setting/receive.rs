//! Where applications send.

use std::net::SocketAddr;

use bytesize::ByteSize;
use clap::Args;
use serde::Deserialize;

use crate::units::{Period, address};

/// Where applications send.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[command(next_help_heading = "Receiving")]
#[serde(default)]
pub struct ReceiveArgs {
    /// Address for OTLP/gRPC [default: 127.0.0.1:4317].
    #[arg(long, value_name = "IP:PORT", env = "OPENINFERENCE_MLFLOW_GRPC_LISTEN", value_parser = address)]
    pub grpc_listen: Option<SocketAddr>,
    /// Address for OTLP/HTTP, path /v1/traces [default: 127.0.0.1:4318].
    #[arg(long, value_name = "IP:PORT", env = "OPENINFERENCE_MLFLOW_HTTP_LISTEN", value_parser = address)]
    pub http_listen: Option<SocketAddr>,
    /// Largest payload that is accepted, decompressed [default: 32MiB].
    #[arg(long, value_name = "SIZE", env = "OPENINFERENCE_MLFLOW_MAX_BODY_SIZE")]
    pub max_body_size: Option<ByteSize>,
    /// On SIGTERM and Ctrl-C: how long to go on delivering what was accepted [default: 10s].
    #[arg(long, value_name = "DURATION", env = "OPENINFERENCE_MLFLOW_SHUTDOWN_TIMEOUT")]
    pub shutdown_timeout: Option<Period>,
}
