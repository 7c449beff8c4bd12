//! `doctor`: everything that `serve` needs, checked without changing anything, and what to do about what is wrong.

mod databricks;
mod finding;
#[cfg(feature = "kafka")]
mod kafka;
mod machine;
mod server;
mod version;

use std::io;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;

use crate::cli::{DoctorArgs, TuningArgs};
use crate::settings::{Destination, Sources};
use finding::{Finding, Report};

pub(super) async fn run(args: &DoctorArgs, sources: &Sources, data_dir: &Path) -> anyhow::Result<ExitCode> {
    let mut findings = machine::settings_file(sources.file());
    findings.push(machine::translator());
    findings.push(machine::data_dir(data_dir));
    match sources.receive(&args.receive) {
        Ok(receive) if !receive.listen => {}
        Ok(receive) => findings.extend(machine::ports(&receive).await),
        Err(error) => findings.push(Finding::of_settings(&error)),
    }
    match sources.kafka(&args.kafka) {
        #[cfg(feature = "kafka")]
        Ok(Some(kafka)) => findings.extend(kafka::examine(kafka).await),
        Ok(_) => {}
        Err(error) => findings.push(Finding::of_settings(&error)),
    }
    match sources.delivery(&args.destination, &TuningArgs::default()) {
        Ok(delivery) => match &delivery.destination {
            Destination::Server(server) => findings.extend(server::examine(server, &delivery).await),
            Destination::UnityCatalog(catalog) => findings.extend(databricks::examine(catalog).await),
            Destination::Local => findings.push(machine::local_folder(data_dir)),
        },
        Err(error) => findings.push(Finding::of_settings(&error)),
    }
    let report = Report::new(findings);
    let mut output = anstream::stdout().lock();
    let written: io::Result<()> = if args.json { report.write_json(&mut output) } else { report.write(&mut output) };
    written.context("standard output cannot be written")?;
    Ok(if report.healthy() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
