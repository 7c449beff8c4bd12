//! Assembly and delivery.

use std::num::NonZeroU32;

use bytesize::ByteSize;
use clap::{ArgAction, Args};
use serde::Deserialize;

use crate::units::Period;

/// Assembly and delivery. The defaults suit one server and any number of applications.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[command(next_help_heading = "Tuning")]
#[serde(default)]
pub struct TuningArgs {
    /// How long a trace whose root has ended waits for late spans [default: 500ms].
    #[arg(long, value_name = "DURATION", env = "OPENINFERENCE_MLFLOW_SETTLE", hide_short_help = true)]
    pub settle: Option<Period>,
    /// How often the finished spans of an unfinished trace are sent [default: 10s].
    #[arg(long, value_name = "DURATION", env = "OPENINFERENCE_MLFLOW_PARTIAL_INTERVAL", hide_short_help = true)]
    pub partial_interval: Option<Period>,
    /// A trace without a root is closed after so long without a new span [default: 5m].
    #[arg(long, value_name = "DURATION", env = "OPENINFERENCE_MLFLOW_IDLE_LIMIT", hide_short_help = true)]
    pub idle_limit: Option<Period>,
    /// How long the gateway remembers a delivered trace for late spans [default: 10m].
    #[arg(long, value_name = "DURATION", env = "OPENINFERENCE_MLFLOW_REMEMBER", hide_short_help = true)]
    pub remember: Option<Period>,
    /// Memory for undelivered spans. Beyond half of it traces are sent early, beyond it the gateway asks senders to
    /// wait [default: 128MiB].
    #[arg(long, value_name = "SIZE", env = "OPENINFERENCE_MLFLOW_MAX_MEMORY", hide_short_help = true)]
    pub max_memory: Option<ByteSize>,
    /// Most spans in one request [default: 512].
    #[arg(long, value_name = "COUNT", env = "OPENINFERENCE_MLFLOW_BATCH_SPANS", hide_short_help = true)]
    pub batch_spans: Option<NonZeroU32>,
    /// Largest request [default: 4MiB].
    #[arg(long, value_name = "SIZE", env = "OPENINFERENCE_MLFLOW_BATCH_SIZE", hide_short_help = true)]
    pub batch_size: Option<ByteSize>,
    /// Requests under way at once [default: 4].
    #[arg(long, value_name = "COUNT", env = "OPENINFERENCE_MLFLOW_CONCURRENCY", hide_short_help = true)]
    pub concurrency: Option<NonZeroU32>,
    /// How long a request may take [default: 30s].
    #[arg(long, value_name = "DURATION", env = "OPENINFERENCE_MLFLOW_REQUEST_TIMEOUT", hide_short_help = true)]
    pub request_timeout: Option<Period>,
    /// Wait before the first repetition of a failed request; doubles each time [default: 500ms].
    #[arg(long, value_name = "DURATION", env = "OPENINFERENCE_MLFLOW_RETRY_INITIAL", hide_short_help = true)]
    pub retry_initial: Option<Period>,
    /// Longest wait between repetitions [default: 30s].
    #[arg(long, value_name = "DURATION", env = "OPENINFERENCE_MLFLOW_RETRY_MAX", hide_short_help = true)]
    pub retry_max: Option<Period>,
    /// Media in base64 goes to MLflow as attachments of its trace, where the server takes them; otherwise it stays in the
    /// spans [default: true].
    #[arg(long, value_name = "BOOL", env = "MLFLOW_TRACE_EXTRACT_ATTACHMENTS", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", action = ArgAction::Set, hide_short_help = true,
          value_parser = clap::builder::BoolishValueParser::new())]
    pub attachments: Option<bool>,
    /// Smaller media stays in the spans [default: 4KiB].
    #[arg(long, value_name = "SIZE", env = "OPENINFERENCE_MLFLOW_ATTACHMENT_MIN_SIZE", hide_short_help = true)]
    pub attachment_min_size: Option<ByteSize>,
    /// Larger media stays in the spans; 0 for any size [default: 64MiB].
    #[arg(long, value_name = "SIZE", env = "MLFLOW_TRACE_MAX_ATTACHMENT_SIZE", hide_short_help = true)]
    pub attachment_max_size: Option<ByteSize>,
}
