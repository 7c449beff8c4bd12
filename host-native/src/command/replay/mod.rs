//! `replay`: captured payloads to MLflow. The exit code is 0 only when MLflow has everything.

mod capture;
mod progress;
mod tally;

use std::path::Path;
use std::process::ExitCode;

use crate::cli::ReplayArgs;
use crate::command::transfer::{self, Transfer};
use crate::payload::PayloadContext;
use crate::settings::Sources;
use capture::Captured;
pub(super) use capture::encoding_of;
use progress::Progress;
use tally::Tally;

pub(super) async fn run(args: &ReplayArgs, sources: &Sources, data_dir: &Path) -> anyhow::Result<ExitCode> {
    let tally = replay(args, sources, data_dir).await?;
    Ok(if tally.complete() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn replay(args: &ReplayArgs, sources: &Sources, data_dir: &Path) -> anyhow::Result<Tally> {
    let delivery = transfer::delivery(sources, &args.destination, &args.tuning)?;
    let uri = transfer::server(&delivery)?.uri.to_string();
    let files = capture::files(&args.paths);
    let progress = Progress::new(&files);
    let transfer = Transfer::start(&delivery, data_dir, progress.bar()).await?;
    let mut replay = Replay { transfer, again: args.again, asked: asked(args), progress, tally: Tally::default() };
    for file in files {
        match file {
            Ok(path) => replay.file(&path).await?,
            Err(error) => replay.tally.unreadable(&error),
        }
    }
    let Replay { transfer, mut tally, .. } = replay;
    tally.totals = transfer.finish().await?;
    tally.report(&uri);
    Ok(tally)
}

/// A replay at work.
struct Replay {
    transfer: Transfer,
    again: bool,
    /// Where flags send everything, whatever the files say.
    asked: Asked,
    progress: Progress,
    tally: Tally,
}

/// The experiment that flags name.
struct Asked {
    id: Option<String>,
    name: Option<String>,
}

// === impl Replay ===

impl Replay {
    async fn file(&mut self, path: &Path) -> anyhow::Result<()> {
        for captured in capture::read(path) {
            match captured {
                Ok(captured) => self.payload(path, captured).await?,
                Err(error) => self.tally.unreadable(&error),
            }
        }
        self.progress.file_read(path);
        Ok(())
    }

    async fn payload(&mut self, path: &Path, captured: Captured) -> anyhow::Result<()> {
        let Captured { payload, context, quarantined } = captured;
        let context = self.asked.over(context);
        let fingerprint = self.transfer.fingerprint(&payload, &context);
        // What was quarantined is sent again each time: that the bridge was done with it does not mean that MLflow has it.
        if !self.again && !quarantined && self.transfer.knows(&fingerprint) {
            self.tally.known += 1;
            return Ok(());
        }
        let remember = if quarantined { Vec::new() } else { vec![fingerprint] };
        if let Err(refused) = self.transfer.send(payload, context, remember).await? {
            self.tally.unreadable(&format!("{}: {refused}", path.display()));
        }
        Ok(())
    }
}

// === impl Asked ===

impl Asked {
    fn over(&self, context: PayloadContext) -> PayloadContext {
        if self.id.is_none() && self.name.is_none() {
            return context;
        }
        PayloadContext { experiment_id: self.id.clone(), experiment_name: self.name.clone(), ..context }
    }
}

fn asked(args: &ReplayArgs) -> Asked {
    let id = args.destination.experiment_id.as_ref().map(ToString::to_string);
    Asked { id, name: args.destination.experiment.clone() }
}

#[cfg(test)]
mod tests;
