//! What can be typed: commands, flags, and the help that goes with them.
//!
//! Every setting is declared once, in `setting`: its flag, its environment variable, its key in the settings file (the
//! flag's name with underscores) and its description. `crate::settings` decides which of the three wins; nothing in here
//! reads the environment or a file, and no flag takes a secret, because the arguments of a process are visible to others.

mod command;
mod setting;

use clap::{Arg, CommandFactory, FromArgMatches, Parser};

pub use command::*;
pub use setting::*;

/// OpenInference spans in, MLflow traces out.
///
/// Applications export OpenTelemetry traces to this program over OTLP; MLflow receives whole traces with types, chat
/// messages, token usage and costs filled in.
#[derive(Debug, Parser)]
#[command(name = "openinference-mlflow", version, max_term_width = 110, after_long_help = EXAMPLES)]
pub struct Cli {
    /// Options that every command takes.
    #[command(flatten)]
    pub global: GlobalArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  openinference-mlflow demo
      See it work, with nothing else installed.
  openinference-mlflow serve
      Receive OTLP on 127.0.0.1, ports 4317 (gRPC) and 4318 (HTTP); keep traces as files and draw them.
  openinference-mlflow serve --tracking-uri http://127.0.0.1:5000 --experiment my-agent
      The same, with MLflow as the destination.
  OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 python my_agent.py
      Point an instrumented application at it.

Settings come from flags, then the environment, then the settings file, then defaults. A variable that is set to \
nothing counts as not set. In the settings file (TOML) each key is a flag's name with underscores:

  tracking_uri = \"https://mlflow.example.com\"
  experiment   = \"my-agent\"
  settle       = \"500ms\"

Credentials come from MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, or from the \
settings file (username, password, token), never from a flag.

RUST_LOG sets how much is logged: RUST_LOG=debug, RUST_LOG=openinference_mlflow=trace.";

impl Cli {
    /// Parse the arguments of this process; prints help, the version or an error and ends the process where clap does.
    pub fn from_arguments() -> Self {
        let matches = command().get_matches();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }

    /// Parse the given arguments, the first being the program's name.
    ///
    /// # Errors
    /// What clap has to say: unknown flags and bad values, but also `--help` and `--version`.
    pub fn try_from_arguments<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Result<Self, clap::Error> {
        Self::from_arg_matches(&command().try_get_matches_from(arguments)?)
    }
}

/// The command line as clap knows it, with each setting's environment variable in its long help, but not read by clap: the
/// environment is a layer of its own in `settings`, below all flags.
pub fn command() -> clap::Command {
    fn describe(command: clap::Command) -> clap::Command {
        command.mut_args(name_variable_in_help).mut_subcommands(describe)
    }
    describe(Cli::command())
}

fn name_variable_in_help(arg: Arg) -> Arg {
    let Some(variable) = arg.get_env().map(|name| name.to_string_lossy().into_owned()) else { return arg };
    let help = arg.get_long_help().or(arg.get_help()).map(ToString::to_string).unwrap_or_default();
    arg.env(None::<&'static str>).long_help(format!("{help} [env: {variable}]"))
}

#[cfg(test)]
mod tests;
