//! `quarantine`: what MLflow or a forward destination refused.

use clap::{Args, Subcommand};

use crate::cli::{DestinationArgs, ForwardArgs, TuningArgs};

/// `quarantine`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
The quarantine folder of the data directory holds what MLflow or a destination of --forward refused, each payload \
beside its reason. The commands may be used while `serve` runs on the same data directory.

Examples:
  openinference-mlflow quarantine list
  openinference-mlflow quarantine show 0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331
  openinference-mlflow quarantine replay --all --tracking-uri http://127.0.0.1:5000")]
pub struct QuarantineArgs {
    /// What to do with it.
    #[command(subcommand)]
    pub(crate) action: QuarantineAction,
}

/// What to do with quarantined payloads.
#[derive(Debug, Subcommand)]
pub enum QuarantineAction {
    /// A line for each payload, oldest first.
    List {
        /// Write it as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Why a payload is quarantined, and its spans by name; none of their content.
    Show {
        /// The payload, as `list` names it.
        id: String,
        /// Print the payload itself, as OTLP/JSON.
        #[arg(long)]
        content: bool,
    },
    /// Send payloads where they were to go, and remove what was taken.
    ///
    /// MLflow gets its own for the experiment that their senders named; what was for a destination of --forward goes there,
    /// with the headers that `serve` would send. The exit code is 0 when all of them were taken.
    Replay(Box<QuarantineReplayArgs>),
    /// Delete payloads, after a question.
    Drop {
        /// Which.
        #[command(flatten)]
        chosen: Chosen,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

/// `quarantine replay`.
#[derive(Debug, Args)]
pub struct QuarantineReplayArgs {
    #[command(flatten)]
    pub(crate) chosen: Chosen,
    #[command(flatten)]
    pub(crate) destination: DestinationArgs,
    #[command(flatten)]
    pub(crate) forward: ForwardArgs,
    #[command(flatten)]
    pub(crate) tuning: TuningArgs,
}

/// Some of the quarantined payloads.
#[derive(Debug, Args)]
pub struct Chosen {
    /// The payloads, as `list` names them.
    #[arg(value_name = "ID", required_unless_present = "all")]
    pub(crate) ids: Vec<String>,
    /// All of them.
    #[arg(long, conflicts_with = "ids")]
    pub(crate) all: bool,
}
