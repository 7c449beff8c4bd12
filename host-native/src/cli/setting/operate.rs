//! What is kept on disk until it is delivered, and what operators see.

use bytesize::ByteSize;
use clap::{ArgAction, Args, ValueHint};
use serde::Deserialize;

use crate::units::{AdminAddress, OtlpEndpoint, Period};

/// What is kept on disk until it is delivered.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[command(next_help_heading = "Durability")]
#[serde(default)]
pub struct JournalArgs {
    /// What may wait on disk. Beyond it the gateway asks senders to wait [default: 8GiB].
    ///
    /// The size of the payloads, without their compression; the file may be twice as large. Nothing is dropped to make
    /// room.
    #[arg(long, value_name = "SIZE", env = "OPENINFERENCE_MLFLOW_JOURNAL_MAX_BYTES")]
    pub journal_max_bytes: Option<ByteSize>,
    /// How long a payload may wait on disk [default: 7d].
    ///
    /// The gateway moves an older payload to the quarantine folder with the reason. It stays there until you replay or
    /// drop it.
    #[arg(long, value_name = "DURATION", env = "OPENINFERENCE_MLFLOW_JOURNAL_MAX_AGE")]
    pub journal_max_age: Option<Period>,
    /// Hold payloads in memory alone: what was acknowledged is lost when the program is killed. For measurements.
    #[arg(long, value_name = "BOOL", env = "OPENINFERENCE_MLFLOW_NO_JOURNAL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", action = ArgAction::Set, hide_short_help = true,
          value_parser = clap::builder::BoolishValueParser::new())]
    pub no_journal: Option<bool>,
}

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
    /// They show how long receiving, ingesting and requests take, and none of the received content. Headers come from
    /// OTEL_EXPORTER_OTLP_HEADERS; the other OTEL variables are for applications and are not read. It must not be this
    /// program's own receiver.
    #[arg(long, value_name = "URL", env = "OPENINFERENCE_MLFLOW_SELF_TRACE_ENDPOINT", value_hint = ValueHint::Url)]
    pub self_trace_endpoint: Option<OtlpEndpoint>,
}
