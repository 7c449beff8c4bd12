//! `status`: what a running `serve` does.

use clap::{Args, ValueHint};

use crate::units::Period;

/// `status`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
On a terminal the view is renewed every second until Ctrl-C; elsewhere each second is a line. With --once or --json the \
exit code is 0 when the host is ready, 1 when it is not or nobody answers.

Examples:
  openinference-mlflow status
  openinference-mlflow status --once --url http://gateway.internal:4319
  openinference-mlflow status --json | jq '.metrics[] | select(.name == \"delivered_spans_total\")'")]
pub struct StatusArgs {
    /// The host's --admin-listen address [default: http://127.0.0.1:4319].
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub(crate) url: Option<reqwest::Url>,
    /// Once, and then end.
    #[arg(long)]
    pub(crate) once: bool,
    /// Once, as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// How often the view is renewed [default: 1s].
    #[arg(long, value_name = "DURATION")]
    pub(crate) interval: Option<Period>,
}
