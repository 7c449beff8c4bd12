//! `serve`: receive, translate and deliver until a signal stops it.
//!
//! On SIGTERM and Ctrl-C: nothing more is accepted, and what was accepted is delivered until the time is up. What is left
//! then stays in the journal for the next start; without a journal it is quarantined, and the exit code says that something
//! was. A second signal ends the program at once.

mod announcement;
mod service;
mod signals;

use std::process::{self, ExitCode};

use anyhow::{Context, bail};

use super::supervisor;
use crate::cli::LogFormat;
use crate::driver::Undelivered;
use crate::settings::Settings;
use crate::terminal;
use announcement::{announce, warn_of_bare_credentials, warn_of_unused_experiment};
pub use service::Service;
use signals::Signals;

/// What a shell says of a program that ended on Ctrl-C.
const INTERRUPTED: i32 = 130;

/// Run until a signal comes. The exit code is 0 when nothing was left undelivered, or the journal has it.
///
/// # Errors
/// The service cannot start, or the translator failed for good.
pub async fn run(settings: &Settings, log_format: LogFormat) -> anyhow::Result<ExitCode> {
    let mut signals = Signals::listen().context("signals cannot be received")?;
    let service = Service::start(settings, terminal::print).await?;
    announce(&service, settings, log_format);
    warn_of_bare_credentials(settings);
    warn_of_unused_experiment(&settings.delivery);
    supervisor::ready();
    tokio::select! {
        () = signals.next() => {}
        () = service.bridge().stopped() => bail!("the translator has stopped; the log says why"),
    }
    supervisor::stopping();
    let limit = settings.receive.shutdown_timeout;
    tracing::info!(
        "stopping: delivering what was accepted, for {} s at most; again to stop at once",
        limit.as_secs_f32()
    );
    let left = tokio::select! {
        left = service.stop(limit) => left?,
        () = signals.next() => process::exit(INTERRUPTED),
    };
    Ok(report_undelivered(left, settings))
}

fn report_undelivered(left: Undelivered, settings: &Settings) -> ExitCode {
    let Undelivered { payloads, spans, kept } = left;
    if payloads == 0 {
        tracing::info!("stopped: everything that was accepted has been delivered");
        return ExitCode::SUCCESS;
    }
    if settings.journal.is_some() {
        tracing::warn!(payloads, "stopped: the journal keeps what was not delivered, for the next start");
        return ExitCode::SUCCESS;
    }
    let folder = settings.data_dir.join("quarantine");
    tracing::warn!(
        payloads,
        spans,
        kept,
        "stopped with undelivered spans; what was kept is in {folder}: send it with `openinference-mlflow replay {folder}`",
        folder = folder.display()
    );
    ExitCode::FAILURE
}
