//! Where applications send, who may connect to the receivers, and what senders may take of them.
//!
//! Secrets come from files: a flag shows in process lists.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use bytesize::ByteSize;
use clap::{ArgAction, Args, ValueHint};
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
    /// Do not listen for OTLP: payloads come from Kafka alone.
    #[arg(long, value_name = "BOOL", env = "OPENINFERENCE_MLFLOW_NO_RECEIVERS", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", action = ArgAction::Set, value_parser = clap::builder::BoolishValueParser::new())]
    pub no_receivers: Option<bool>,
    /// Largest payload that is accepted, decompressed [default: 32MiB].
    #[arg(long, value_name = "SIZE", env = "OPENINFERENCE_MLFLOW_MAX_BODY_SIZE")]
    pub max_body_size: Option<ByteSize>,
    /// On SIGTERM and Ctrl-C: how long to go on delivering what was accepted [default: 10s].
    #[arg(long, value_name = "DURATION", env = "OPENINFERENCE_MLFLOW_SHUTDOWN_TIMEOUT")]
    pub shutdown_timeout: Option<Period>,
}

/// Who may connect to the receivers, and how.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[command(next_help_heading = "Access")]
#[serde(default)]
pub struct AccessArgs {
    /// Certificate for TLS on both receivers (PEM): the server's, then those that vouch for it.
    #[arg(long, value_name = "FILE", env = "OPENINFERENCE_MLFLOW_TLS_CERT", value_hint = ValueHint::FilePath)]
    pub tls_cert: Option<PathBuf>,
    /// Its private key (PEM, not encrypted).
    #[arg(long, value_name = "FILE", env = "OPENINFERENCE_MLFLOW_TLS_KEY", value_hint = ValueHint::FilePath)]
    pub tls_key: Option<PathBuf>,
    /// Mutual TLS: every client needs a certificate of one of these authorities (PEM).
    #[arg(long, value_name = "FILE", env = "OPENINFERENCE_MLFLOW_TLS_CLIENT_CA", value_hint = ValueHint::FilePath)]
    pub tls_client_ca: Option<PathBuf>,
    /// Every request needs a token or a password of which this file has the hash.
    ///
    /// `openinference-mlflow auth add` writes it; lines that htpasswd -B makes are understood as well.
    #[arg(long, value_name = "FILE", env = "OPENINFERENCE_MLFLOW_AUTH_FILE", value_hint = ValueHint::FilePath)]
    pub auth_file: Option<PathBuf>,
    /// Listen beyond loopback without authentication: anyone who reaches the ports can write traces.
    #[arg(long, value_name = "BOOL", env = "OPENINFERENCE_MLFLOW_ALLOW_UNAUTHENTICATED", num_args = 0..=1,
          require_equals = true, default_missing_value = "true", action = ArgAction::Set,
          value_parser = clap::builder::BoolishValueParser::new())]
    pub allow_unauthenticated: Option<bool>,
}

/// What senders may take of the receivers. The defaults suit some thousand applications.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[command(next_help_heading = "Limits")]
#[serde(default)]
pub struct LimitArgs {
    /// Connections that each receiver keeps. Beyond it, the one that has been idle for longest is closed for a new
    /// one [default: 2048].
    #[arg(long, value_name = "COUNT", env = "OPENINFERENCE_MLFLOW_MAX_CONNECTIONS", hide_short_help = true)]
    pub max_connections: Option<NonZeroU32>,
    /// Requests under way at once, on both receivers together; the gateway asks others to retry [default: 1024].
    #[arg(long, value_name = "COUNT", env = "OPENINFERENCE_MLFLOW_MAX_REQUESTS", hide_short_help = true)]
    pub max_requests: Option<NonZeroU32>,
    /// Payloads under way at once, decompressed, on both receivers together; the gateway asks others to retry
    /// [default: four of --max-body-size].
    #[arg(long, value_name = "SIZE", env = "OPENINFERENCE_MLFLOW_MAX_INFLIGHT_SIZE", hide_short_help = true)]
    pub max_inflight_size: Option<ByteSize>,
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
