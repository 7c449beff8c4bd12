//! What senders may take of the receivers.

use std::num::NonZeroU32;

use bytesize::ByteSize;
use clap::Args;
use serde::Deserialize;

use crate::units::Period;

/// What senders may take of the receivers. The defaults suit some thousand applications.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[command(next_help_heading = "Limits")]
#[serde(default)]
pub struct LimitArgs {
    /// Connections that each receiver keeps. Beyond it, the one that has been idle for longest is closed for a new
    /// one [default: 2048].
    #[arg(long, value_name = "COUNT", env = "OPENINFERENCE_MLFLOW_MAX_CONNECTIONS", hide_short_help = true)]
    pub max_connections: Option<NonZeroU32>,
    /// Requests under way at once, on both receivers together; others are asked to come again [default: 1024].
    #[arg(long, value_name = "COUNT", env = "OPENINFERENCE_MLFLOW_MAX_REQUESTS", hide_short_help = true)]
    pub max_requests: Option<NonZeroU32>,
    /// Payloads under way at once, decompressed, on both receivers together; others are asked to come again
    /// [default: four of --max-body-size].
    #[arg(long, value_name = "SIZE", env = "OPENINFERENCE_MLFLOW_MAX_INFLIGHT_SIZE", hide_short_help = true)]
    pub max_inflight_size: Option<ByteSize>,
    /// Largest head of a request: its line and its headers; at least 8KiB [default: 16KiB].
    #[arg(long, value_name = "SIZE", env = "OPENINFERENCE_MLFLOW_MAX_HEADER_SIZE", hide_short_help = true)]
    pub max_header_size: Option<ByteSize>,
    /// Requests under way at once on one HTTP/2 connection [default: 100].
    #[arg(long, value_name = "COUNT", env = "OPENINFERENCE_MLFLOW_MAX_STREAMS", hide_short_help = true)]
    pub max_streams: Option<NonZeroU32>,
    /// How long a TLS handshake may take [default: 10s].
    #[arg(long, value_name = "DURATION", env = "OPENINFERENCE_MLFLOW_HANDSHAKE_TIMEOUT", hide_short_help = true)]
    pub handshake_timeout: Option<Period>,
    /// How long the head of a connection's first request may take to arrive [default: 10s].
    #[arg(long, value_name = "DURATION", env = "OPENINFERENCE_MLFLOW_HEADER_TIMEOUT", hide_short_help = true)]
    pub header_timeout: Option<Period>,
    /// How long the body of a request may take to arrive [default: 1m].
    #[arg(long, value_name = "DURATION", env = "OPENINFERENCE_MLFLOW_BODY_TIMEOUT", hide_short_help = true)]
    pub body_timeout: Option<Period>,
    /// How long a connection may wait for its next request [default: 5m].
    #[arg(long, value_name = "DURATION", env = "OPENINFERENCE_MLFLOW_IDLE_TIMEOUT", hide_short_help = true)]
    pub idle_timeout: Option<Period>,
}
