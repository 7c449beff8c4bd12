//! `replay`: files to MLflow.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::cli::{DestinationArgs, TuningArgs};

/// `replay`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Files are recognised by their names and contents: OTLP protobuf (.pb, .binpb, .otlp, and .proto as the Collector's \
file exporter writes it), OTLP/JSON and JSON lines (.json, .jsonl), trace JSON of the local folder (tr-<id>.json), \
each also with .gz. Folders are searched. A trace of the local folder goes to the experiment that its folder names, \
unless --experiment or --experiment-id says otherwise.

What MLflow has acknowledged is remembered in the data directory, so that a repetition after an interruption goes on \
where it stopped; --again sends everything once more, which MLflow stores over the old spans. The exit code is 0 only \
when MLflow has everything.

Examples:
  openinference-mlflow replay traces/ --tracking-uri http://127.0.0.1:5000
  openinference-mlflow replay captured/*.pb --experiment imported")]
pub struct ReplayArgs {
    /// Files and folders.
    #[arg(required = true, value_name = "PATHS", value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<PathBuf>,
    /// Send what was already acknowledged, too.
    #[arg(long)]
    pub(crate) again: bool,
    #[command(flatten)]
    pub(crate) destination: DestinationArgs,
    #[command(flatten)]
    pub(crate) tuning: TuningArgs,
}
