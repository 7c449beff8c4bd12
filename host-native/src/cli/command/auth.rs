//! `auth`: who may send to `serve`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

/// `auth`.
#[derive(Debug, Args)]
pub struct AuthArgs {
    #[command(subcommand)]
    pub(crate) command: AuthCommand,
}

/// What to do with the auth file.
#[derive(Debug, Subcommand)]
pub enum AuthCommand {
    /// Make a token for a sender, print it once, and add its hash to the auth file.
    Add(AuthAddArgs),
}

/// `auth add`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
The file is made when it is not there, readable by its consumer alone; a running `serve` takes it up within seconds. To \
replace a token, add another with the same name, and delete the old line when it is no longer used. To take away the \
right to send, delete the line.

Examples:
  openinference-mlflow auth add team-a --auth-file senders
  openinference-mlflow auth add team-b --password --auth-file senders")]
pub struct AuthAddArgs {
    /// Who sends: letters, digits, dots, dashes, underscores or @.
    pub(crate) name: String,
    /// Make a password for basic authentication instead of a token.
    #[arg(long)]
    pub(crate) password: bool,
    /// The file. Give the same one to `serve`.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, env = "OPENINFERENCE_MLFLOW_AUTH_FILE")]
    pub(crate) auth_file: Option<PathBuf>,
}
