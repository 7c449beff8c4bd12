//! `man`: the man pages, for those who package the program.

use std::path::PathBuf;

use clap::Args;

/// `man`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  openinference-mlflow man ~/.local/share/man/man1")]
pub struct ManArgs {
    /// The folder; it is created if it is missing.
    pub(crate) folder: PathBuf,
}
