//! One file or folder a command. What they share: settings, logs, the runtime, the exit code.
//!
//! Exit codes: 0, all went well; 1, something did not, and was said on standard error; 2, the command line or the
//! settings cannot be used.

mod auth;
mod completions;
mod demo;
mod doctor;
mod import;
mod man;
mod process;
mod quarantine;
mod replay;
pub mod serve;
mod status;
mod supervisor;
mod transfer;
mod translate;

use std::process::ExitCode;

use anyhow::Context as _;
use tokio::runtime::Runtime;

use crate::bridge::load_translator;
use crate::cli::{Cli, Command};
use crate::logs::{self, LogError};
use crate::settings::{Environment, SettingsError, Sources};
use crate::telemetry::self_trace::SelfTrace;

/// Run the program with the arguments and the environment of this process.
pub fn main() -> ExitCode {
    let cli = Cli::from_arguments();
    match run(cli, Environment::of_process()) {
        Ok(code) => code,
        Err(error) => {
            anstream::eprintln!("error: {}", describe(&error));
            ExitCode::from(if is_usage(&error) { 2 } else { 1 })
        }
    }
}

fn run(cli: Cli, environment: Environment) -> anyhow::Result<ExitCode> {
    if let Command::Completions(args) = &cli.command {
        completions::run(args);
        return Ok(ExitCode::SUCCESS);
    }
    if let Command::Man(args) = &cli.command {
        man::run(args)?;
        return Ok(ExitCode::SUCCESS);
    }
    process::keep_memory_private();
    let sources = Sources::read(environment.clone(), &cli.global)?;
    let global = sources.global(&cli.global)?;
    // Outlives the runtime, to export what is left.
    let self_trace = match &cli.command {
        Command::Serve(args) => sources.self_trace(args)?.map(|endpoint| SelfTrace::start(&endpoint)).transpose()?,
        _ => None,
    };
    logs::start(global.log_format, &environment, self_trace.as_ref())?;
    match &cli.command {
        Command::Serve(args) => {
            runtime()?.block_on(serve::run(&sources.serve(args, global.data_dir)?, global.log_format))
        }
        Command::Translate(args) => translate::run(args, &load_translator()?),
        Command::Replay(args) => runtime()?.block_on(replay::run(args, &sources, &global.data_dir)),
        Command::Import(args) => runtime()?.block_on(import::run(args, &sources, &global.data_dir)),
        Command::Quarantine(args) => runtime()?.block_on(quarantine::run(args, &sources, &global.data_dir)),
        Command::Status(args) => runtime()?.block_on(status::run(args)),
        Command::Auth(args) => auth::run(args, &sources),
        Command::Doctor(args) => runtime()?.block_on(doctor::run(args, &sources, &global.data_dir)),
        Command::Demo => runtime()?.block_on(demo::run(&global.data_dir)),
        Command::Completions(_) | Command::Man(_) => Ok(ExitCode::SUCCESS),
    }
}

/// The error and its causes, each text once.
fn describe(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |said, cause| match said.as_str() {
        "" => cause,
        said if said.contains(&cause) => said.to_owned(),
        said => format!("{said}: {cause}"),
    })
}

fn runtime() -> anyhow::Result<Runtime> {
    Runtime::new().context("the runtime cannot be started")
}

fn is_usage(error: &anyhow::Error) -> bool {
    error.is::<SettingsError>() || error.is::<LogError>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_an_error_with_causes_then_each_is_told_once() {
        let cause = std::io::Error::other("disk full");
        let error = SettingsError::TokenFile { path: "/token".into(), source: cause };
        assert_eq!(describe(&error.into()), "the token file /token cannot be read: disk full");
        let error = anyhow::anyhow!("disk full").context("nothing can be written");
        assert_eq!(describe(&error), "nothing can be written: disk full");
    }
}
