//! `completions`: the completion script of a shell.

use clap::Args;
use clap_complete::Shell;

/// `completions`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  openinference-mlflow completions bash >~/.local/share/bash-completion/completions/openinference-mlflow
  openinference-mlflow completions zsh  >\"${fpath[1]}/_openinference-mlflow\"
  openinference-mlflow completions fish >~/.config/fish/completions/openinference-mlflow.fish")]
pub struct CompletionsArgs {
    /// The shell.
    pub(crate) shell: Shell,
}
