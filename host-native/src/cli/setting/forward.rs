//! Other endpoints, beside MLflow.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use secrecy::SecretString;
use serde::Deserialize;

/// Other endpoints, beside MLflow.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[command(next_help_heading = "Forwarding")]
#[serde(default)]
pub struct ForwardArgs {
    /// Send what is received, unchanged, to this OTLP endpoint as well. May be given several times.
    ///
    /// http://HOST:PORT and https://HOST:PORT are OTLP/HTTP (with a path, that is used as it is; without one, /v1/traces);
    /// grpc://HOST:PORT and grpcs://HOST:PORT are OTLP/gRPC (without a port: 4317 and 443). In the environment, several are
    /// separated by commas.
    ///
    /// Headers, such as API keys, come from OPENINFERENCE_MLFLOW_FORWARD_HEADERS or from forward_headers in the settings
    /// file: for each destination a line with its URL, a space, and name=value pairs with commas between them, values
    /// percent-encoded.
    #[arg(long, value_name = "URL", env = "OPENINFERENCE_MLFLOW_FORWARD", value_delimiter = ',', value_hint = ValueHint::Url)]
    pub forward: Option<Vec<SecretString>>,
    /// Certificate authorities to trust instead of the system's (PEM), for every destination of --forward.
    #[arg(long, value_name = "FILE", env = "OPENINFERENCE_MLFLOW_FORWARD_CERT", value_hint = ValueHint::FilePath)]
    pub forward_cert: Option<PathBuf>,
    /// This program's own certificate, with its key, for destinations of --forward that ask for one (PEM, in one file).
    #[arg(long, value_name = "FILE", env = "OPENINFERENCE_MLFLOW_FORWARD_CLIENT_CERT", value_hint = ValueHint::FilePath)]
    pub forward_client_cert: Option<PathBuf>,
}
