//! Who may connect to the receivers, and how. Files alone: a flag shows in process lists.

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueHint};
use serde::Deserialize;

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
