//! `doctor`: what is wrong with server, credentials, experiment, ports and folder.

use clap::Args;

use crate::cli::{DestinationArgs, KafkaArgs, ReceiveArgs};

/// `doctor`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Nothing is created or changed on the server. The exit code is 0 when nothing is broken, 1 otherwise.

Examples:
  openinference-mlflow doctor --tracking-uri http://127.0.0.1:5000 --experiment my-agent
  openinference-mlflow doctor --json | jq '.findings[] | select(.state != \"ok\")'")]
pub struct DoctorArgs {
    /// Write the findings as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) destination: DestinationArgs,
    #[command(flatten)]
    pub(crate) receive: ReceiveArgs,
    #[command(flatten)]
    pub(crate) kafka: KafkaArgs,
}
