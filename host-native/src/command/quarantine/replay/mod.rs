//! `quarantine replay`: each payload goes where it was to go; what has arrived leaves the folder.

mod forward;
mod mlflow;

use std::path::Path;
use std::process::ExitCode;

use crate::bridge;
use crate::cli::QuarantineReplayArgs;
use crate::quarantine::QuarantineEntry;
use crate::settings::Sources;

pub(super) async fn run(
    args: &QuarantineReplayArgs,
    items: Vec<QuarantineEntry>,
    sources: &Sources,
    data_dir: &Path,
) -> anyhow::Result<ExitCode> {
    if items.is_empty() {
        anstream::println!("Nothing is quarantined.");
        return Ok(ExitCode::SUCCESS);
    }
    let (for_mlflow, for_others): (Vec<_>, Vec<_>) =
        items.into_iter().partition(|item| item.record.destination.is_none());
    // Before anything is sent, so that a mistake costs nothing.
    let others = forward::by_destination(for_others, &sources.forward(&args.forward)?)?;
    let translator = bridge::load_translator()?;
    let mut all = true;
    if !for_mlflow.is_empty() {
        all &= mlflow::replay(args, for_mlflow, sources, &translator, data_dir).await?;
    }
    for (endpoint, items) in others {
        all &= forward::replay(&endpoint, items, &translator, data_dir).await?;
    }
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
