//! What operators see.

use bytesize::ByteSize;
use clap::{Args, ValueHint};
use serde::Deserialize;

use crate::units::{AdminAddress, OtlpEndpoint};

/// What operators see.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[command(next_help_heading = "Operating")]
#[serde(default)]
pub struct OperateArgs {
    /// Address for /healthz, /readyz and /metrics, or off [default: 127.0.0.1:4319].
    ///
    /// The address needs no credentials. It shows metrics, never spans and never credentials. If another program uses
    /// the default address, the gateway logs a warning and runs without it.
    #[arg(long, value_name = "IP:PORT", env = "OPENINFERENCE_MLFLOW_ADMIN_LISTEN")]
    pub admin_listen: Option<AdminAddress>,
    /// What the quarantine folder may hold [default: 1GiB].
    ///
    /// A payload that does not fit stays in the journal until there is room. Nothing is deleted to make room:
    /// `quarantine replay` and `quarantine drop` do that.
    #[arg(long, value_name = "SIZE", env = "OPENINFERENCE_MLFLOW_QUARANTINE_MAX_BYTES")]
    pub quarantine_max_bytes: Option<ByteSize>,
    /// Where this program's own spans go: the base URL of an OTLP/HTTP endpoint, such as http://127.0.0.1:4418 [default:
    /// nowhere].
    ///
    /// They tell how long receiving, ingesting and requests take, and nothing of what is received. Headers come from
    /// OTEL_EXPORTER_OTLP_HEADERS; the other OTEL variables are for applications and are not read. It must not be this
    /// program's own receiver.
    #[arg(long, value_name = "URL", env = "OPENINFERENCE_MLFLOW_SELF_TRACE_ENDPOINT", value_hint = ValueHint::Url)]
    pub self_trace_endpoint: Option<OtlpEndpoint>,
}
