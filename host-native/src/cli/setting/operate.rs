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
    /// Whoever reaches it can read figures (never spans, never credentials), and is not asked who they are. When the
    /// default is in use by another program, a warning says so and the rest works without it.
    #[arg(long, value_name = "IP:PORT", env = "OPENINFERENCE_MLFLOW_ADMIN_LISTEN")]
    pub admin_listen: Option<AdminAddress>,
    /// What the set-aside folder may hold [default: 1GiB].
    ///
    /// Beyond it nothing more is set aside, nor deleted to make room: every span that would be is told in the log.
    /// `quarantine replay` and `quarantine drop` make room.
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
