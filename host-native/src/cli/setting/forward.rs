//! Other endpoints, beside MLflow.

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
}
