//! Where traces go. No flag takes a credential but the tracking URI, as in MLflow itself, and the URI cannot be printed.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{ArgAction, Args, ValueHint};
use secrecy::SecretString;
use serde::Deserialize;

use crate::units::DecimalId;

/// Where traces go.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[command(next_help_heading = "Destination")]
#[serde(default)]
pub struct DestinationArgs {
    /// MLflow server, such as http://127.0.0.1:5000.
    ///
    /// Without it traces are kept in the local folder and drawn in the terminal. http and https are supported,
    /// and `databricks` or `databricks://PROFILE` for a Databricks workspace (see --trace-location).
    #[arg(long, value_name = "URI", env = "MLFLOW_TRACKING_URI", value_hint = ValueHint::Url)]
    pub tracking_uri: Option<SecretString>,
    /// Experiment by name; created when it does not exist.
    ///
    /// Without an experiment, the resource attribute openinference.project.name names it, and without that traces go
    /// to experiment 0. A sender's x-mlflow-experiment-id and x-mlflow-experiment-name headers win over this setting.
    #[arg(long, value_name = "NAME", env = "MLFLOW_EXPERIMENT_NAME", value_parser = NonEmptyStringValueParser::new())]
    pub experiment: Option<String>,
    /// Experiment by id; wins over a name that is set in the same place.
    #[arg(long, value_name = "ID", env = "MLFLOW_EXPERIMENT_ID")]
    pub experiment_id: Option<DecimalId>,
    /// Link the traces to this run.
    #[arg(long, value_name = "ID", env = "MLFLOW_RUN_ID", value_parser = NonEmptyStringValueParser::new())]
    pub run_id: Option<String>,
    /// Workspace of a server that has workspaces.
    #[arg(long, value_name = "NAME", env = "MLFLOW_WORKSPACE", value_parser = NonEmptyStringValueParser::new())]
    pub workspace: Option<String>,
    /// Location in Unity Catalog where a Databricks workspace keeps the traces: catalog.schema.prefix, or catalog.schema.
    ///
    /// For a tracking URI of Databricks alone, which needs it: spans go to the table that the location has for them.
    #[arg(long, value_name = "LOCATION", env = "MLFLOW_TRACING_DESTINATION", value_parser = NonEmptyStringValueParser::new())]
    pub trace_location: Option<String>,
    /// File that holds the bearer token, such as a mounted secret.
    #[arg(long, value_name = "FILE", env = "OPENINFERENCE_MLFLOW_TOKEN_FILE", value_hint = ValueHint::FilePath)]
    pub token_file: Option<PathBuf>,
    /// Certificate authorities to trust instead of the system's (PEM).
    #[arg(long, value_name = "FILE", env = "MLFLOW_TRACKING_SERVER_CERT_PATH", value_hint = ValueHint::FilePath)]
    pub server_cert: Option<PathBuf>,
    /// This program's own certificate, with its key, for a server that asks for one (PEM, in one file).
    #[arg(long, value_name = "FILE", env = "MLFLOW_TRACKING_CLIENT_CERT_PATH", value_hint = ValueHint::FilePath)]
    pub client_cert: Option<PathBuf>,
    /// Do not verify the server's certificate. For experiments only: anybody on the way can read the credentials.
    #[arg(long, value_name = "BOOL", env = "MLFLOW_TRACKING_INSECURE_TLS", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", action = ArgAction::Set, value_parser = clap::builder::BoolishValueParser::new())]
    pub insecure_tls: Option<bool>,
    /// Noise filter: deliver OpenInference spans alone, each below its nearest OpenInference ancestor.
    #[arg(long, value_name = "BOOL", env = "OPENINFERENCE_MLFLOW_OPENINFERENCE_ONLY", num_args = 0..=1,
          require_equals = true, default_missing_value = "true", action = ArgAction::Set,
          value_parser = clap::builder::BoolishValueParser::new())]
    pub openinference_only: Option<bool>,
}

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
