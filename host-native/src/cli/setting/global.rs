//! Options that every command takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};
use serde::Deserialize;

/// Options that every command takes.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[command(next_help_heading = "Global options")]
#[serde(default)]
pub struct GlobalArgs {
    /// Settings file (TOML).
    ///
    /// Without this, `openinference-mlflow/config.toml` in the user's configuration directory is read if it is there
    /// (on Linux `~/.config`). The working directory is never searched: a file that lies in somebody else's
    /// repository must not decide where credentials are sent.
    #[arg(long, global = true, value_name = "FILE", env = "OPENINFERENCE_MLFLOW_CONFIG", value_hint = ValueHint::FilePath)]
    #[serde(skip)]
    pub config: Option<PathBuf>,
    /// The local folder and all state.
    ///
    /// Default: `openinference-mlflow` in the user's data directory (on Linux `~/.local/share`).
    #[arg(long, global = true, value_name = "DIR", env = "OPENINFERENCE_MLFLOW_DATA_DIR", value_hint = ValueHint::DirPath)]
    pub data_dir: Option<PathBuf>,
    /// How log lines are written to standard error [default: human].
    #[arg(long, global = true, value_name = "FORMAT", env = "OPENINFERENCE_MLFLOW_LOG_FORMAT")]
    pub log_format: Option<LogFormat>,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people, coloured on a terminal.
    #[default]
    Human,
    /// One JSON object a line.
    Json,
}
