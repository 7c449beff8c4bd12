//! `completions`: the completion script of a shell, on standard output.

use std::io;

use clap_complete::generate;

use crate::cli::{self, CompletionsArgs};

pub(super) fn run(args: &CompletionsArgs) {
    generate(args.shell, &mut cli::command(), "openinference-mlflow", &mut io::stdout());
}
