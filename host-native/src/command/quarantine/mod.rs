//! `quarantine`: what MLflow or another destination would not take, listed, shown, sent again, or dropped.
//!
//! It reads and writes the quarantine folder, whether or not a host runs on it: files are written whole and appear under
//! names that nobody else takes. Nothing leaves the folder but what its destination has, or what a person drops.

mod drop;
mod list;
mod outline;
mod replay;
mod show;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use crate::cli::{Chosen, QuarantineAction, QuarantineArgs};
use crate::quarantine::{Quarantine, QuarantineEntry};
use crate::settings::Sources;

pub(super) async fn run(args: &QuarantineArgs, sources: &Sources, data_dir: &Path) -> anyhow::Result<ExitCode> {
    let folder = Quarantine::below(data_dir);
    let items = folder.entries().with_context(|| format!("{} cannot be read", folder.path().display()))?;
    match &args.action {
        QuarantineAction::List { json } => list::run(&items, &folder, *json),
        QuarantineAction::Show { id, content } => show::run(find(&items, id)?, *content),
        QuarantineAction::Replay(args) => replay::run(args, choose(items, &args.chosen)?, sources, data_dir).await,
        QuarantineAction::Drop { chosen, yes } => drop::run(&choose(items, chosen)?, *yes),
    }
}

fn choose(items: Vec<QuarantineEntry>, chosen: &Chosen) -> anyhow::Result<Vec<QuarantineEntry>> {
    if chosen.all {
        return Ok(items);
    }
    chosen.ids.iter().map(|id| find(&items, id).cloned()).collect()
}

fn find<'a>(items: &'a [QuarantineEntry], id: &str) -> anyhow::Result<&'a QuarantineEntry> {
    match items.iter().find(|item| item.id == id) {
        Some(item) => Ok(item),
        None => bail!("nothing is quarantined under {id}\nhint: `openinference-mlflow quarantine list` says what is"),
    }
}
