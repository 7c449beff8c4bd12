//! `import`: the history of Phoenix projects to MLflow, through the same loop as `replay`.
//!
//! Guarantees: memory is bounded by a page of traces and what the bridge holds; what MLflow has acknowledged is written
//! down at once, so that an interrupted import goes on where it stopped, and a later one sends what is new; what cannot be
//! read costs nothing else; the exit code is 0 only when MLflow has everything.

mod api;
mod batches;
mod carrier;
mod client;
mod failure;
mod json_attributes;
#[cfg(test)]
mod pretend_phoenix;
mod project;
mod sink;
mod span;
mod tally;

use std::path::Path;
use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::bail;
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::ImportArgs;
use crate::command::transfer;
use crate::logs;
use crate::settings::{Destination, Sources};
use crate::units::Moment;
use api::{Interval, Project};
use client::{Patience, Phoenix};
use project::Import;
use sink::Sink;
use tally::Tally;

/// How many projects an error names.
const NAMED: usize = 10;

pub(super) async fn run(args: &ImportArgs, sources: &Sources, data_dir: &Path) -> anyhow::Result<ExitCode> {
    let tally = import(args, sources, data_dir, Patience::default()).await?;
    Ok(if tally.complete() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn import(args: &ImportArgs, sources: &Sources, data_dir: &Path, patience: Patience) -> anyhow::Result<Tally> {
    let delivery = transfer::delivery(sources, &args.destination, &args.tuning)?;
    let to = match &delivery.destination {
        Destination::Local if args.dry_run => "nowhere".to_owned(),
        _ => transfer::server(&delivery)?.uri.to_string(),
    };
    let mut phoenix = Phoenix::new(sources.phoenix(args)?, patience)?;
    let projects = chosen(&mut phoenix, args).await?;
    let bar = progress();
    let sink = Sink::open(args.dry_run, &delivery, data_dir, bar.clone()).await?;
    let until = args.until.unwrap_or(Moment(SystemTime::now()));
    let mut import = Import {
        phoenix,
        sink,
        interval: Interval { since: args.since.map(|since| since.0), until: Some(until.0) },
        page: usize::from(args.page_size),
        again: args.again,
        tally: Tally { dry_run: args.dry_run, ..Tally::default() },
        bar,
    };
    let mut ended = Ok(());
    for project in &projects {
        ended = import.project(project).await;
        if ended.is_err() {
            break;
        }
    }
    // What was taken is delivered also when Phoenix went away.
    let Import { sink, mut tally, bar, .. } = import;
    let finished = sink.finish().await.map(|totals| tally.totals = totals);
    bar.finish_and_clear();
    tally.report(args.json, &to);
    ended.and(finished).map(|()| tally)
}

/// The projects that the flags name.
async fn chosen(phoenix: &mut Phoenix, args: &ImportArgs) -> anyhow::Result<Vec<Project>> {
    let all = api::projects(phoenix, !args.all_projects).await?;
    if args.all_projects {
        return Ok(all);
    }
    let mut chosen: Vec<Project> = Vec::new();
    for name in &args.projects {
        let Some(project) = all.iter().find(|project| project.name == *name) else {
            let names = all.iter().take(NAMED).map(|project| project.name.as_str()).collect::<Vec<_>>().join(", ");
            let others = if all.len() > NAMED { ", …" } else { "" };
            bail!("Phoenix has no project {name}\nhint: it has {names}{others}");
        };
        if chosen.iter().all(|known| known.id != project.id) {
            chosen.push(project.clone());
        }
    }
    Ok(chosen)
}

fn progress() -> ProgressBar {
    let bar = logs::bars().add(ProgressBar::new_spinner());
    let style = ProgressStyle::with_template("{spinner} {pos} traces read, {msg} payloads delivered");
    // The template is a constant, and one that can be read.
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.set_message("0");
    bar
}

#[cfg(test)]
mod tests;
