//! `replay`: captured payloads to MLflow, through the same loop as `serve`.
//!
//! Guarantees: memory is bounded, because the bridge refuses what it has no room for, and the replay waits; what MLflow
//! has acknowledged is written down at once, so that an interrupted replay goes on where it stopped; the exit code is 0
//! only when MLflow has everything.

mod acknowledged;
mod capture;
mod progress;
mod tally;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::bridge::{self, BridgeStorage};
use crate::cli::ReplayArgs;
use crate::driver::{Handle, Refused};
use crate::exporter::Destination as _;
use crate::exporter::mlflow::MlflowServer;
use crate::payload::PayloadContext;
use crate::quarantine::Quarantine;
use crate::settings::{Delivery, Destination, Server, Sources};
use crate::telemetry::Metrics;
use crate::wasm::{Answer, Request};
use acknowledged::{Acknowledged, Fingerprint};
use capture::Captured;
pub(super) use capture::{MAX_PAYLOAD, encoding_of};
use progress::Progress;
use tally::Tally;

/// How long the server may acknowledge nothing before the replay gives up.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
/// When a trace without a root is closed, unless the settings say: its root is in one of the next files, or nowhere. Less
/// than the interval of partial deliveries, so that such a trace is closed before the replay ends; a root that comes
/// later all the same wins.
pub(super) const IDLE_MS: u64 = 3_000;
/// For the question whether anybody is there, in milliseconds.
const TIMEOUT: u32 = 10_000;

pub(super) async fn run(args: &ReplayArgs, sources: &Sources, data_dir: &Path) -> anyhow::Result<ExitCode> {
    let tally = replay(args, sources, data_dir).await?;
    Ok(if tally.complete() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn replay(args: &ReplayArgs, sources: &Sources, data_dir: &Path) -> anyhow::Result<Tally> {
    let mut delivery = sources.delivery(&args.destination, &args.tuning)?;
    delivery.tuning.idle_ms.get_or_insert(IDLE_MS);
    delivery.tuning.wait_for_optional = Some(true);
    let Destination::Server(server) = &delivery.destination else {
        bail!("there is no server to replay to\nhint: name one with --tracking-uri or MLFLOW_TRACKING_URI");
    };
    let uri = server.uri.to_string();
    let acknowledged = Acknowledged::open(data_dir, &uri)
        .with_context(|| format!("what was replayed before cannot be read in {}", data_dir.display()))?;
    reach(server).await?;
    let (translator, metrics) = (bridge::load_translator()?, Metrics::default());
    let storage = BridgeStorage { data_dir, quarantine: Quarantine::below(data_dir), backlog: None };
    let bridge = bridge::start(&translator, &delivery, MAX_PAYLOAD, storage, &metrics, |_, _| {})?;
    let files = capture::files(&args.paths);
    let mut replay = Replay {
        bridge,
        acknowledged,
        again: args.again,
        asked: asked(args),
        otherwise: otherwise(&delivery),
        waiting: JoinSet::new(),
        deadline: Instant::now() + PATIENCE,
        progress: Progress::new(&files),
        tally: Tally::default(),
    };
    for file in files {
        match file {
            Ok(path) => replay.file(&path).await?,
            Err(error) => replay.tally.unreadable(&error),
        }
    }
    let tally = replay.finish().await?;
    tally.report(&uri);
    Ok(tally)
}

/// A replay at work.
struct Replay {
    bridge: Handle,
    acknowledged: Acknowledged,
    again: bool,
    /// Where flags send everything, whatever the files say.
    asked: Asked,
    /// Where payloads go that do not say.
    otherwise: String,
    /// Each completes when its payload is done, with whether MLflow has it.
    waiting: JoinSet<Option<Fingerprint>>,
    /// When to give up, unless something is acknowledged before.
    deadline: Instant,
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
        let fingerprint = Fingerprint::new(&payload, &context, &self.otherwise);
        // What was quarantined is sent again each time: that the bridge was done with it does not mean that MLflow has it.
        if !self.again && !quarantined && self.acknowledged.contains(&fingerprint) {
            self.tally.known += 1;
            return Ok(());
        }
        loop {
            match self.bridge.ingest(payload.clone(), context.clone()).await {
                Ok(accepted) => {
                    self.tally.taken(&accepted);
                    let whole = accepted.rejected_spans == 0 && !quarantined;
                    self.waiting.spawn(async move {
                        let done = accepted.done.await.is_ok();
                        (done && whole).then_some(fingerprint)
                    });
                    self.collect()?;
                    return Ok(());
                }
                Err(Refused::Full(wait) | Refused::JournalFull(wait) | Refused::JournalUnavailable(wait)) => {
                    let until = Instant::now() + wait;
                    while self.next_done(until.min(self.deadline)).await? {}
                    if Instant::now() >= self.deadline {
                        bail!(self.silence());
                    }
                }
                Err(Refused::Stopped) => bail!("the translator has stopped; the log says why"),
                Err(refused @ (Refused::Malformed(_) | Refused::Quarantined(_))) => {
                    self.tally.unreadable(&format!("{}: {refused}", path.display()));
                    return Ok(());
                }
            }
        }
    }

    /// Wait for everything that was taken. What is not acknowledged in time counts as undelivered.
    async fn finish(mut self) -> anyhow::Result<Tally> {
        while !self.waiting.is_empty() {
            if !self.next_done(self.deadline).await? {
                self.progress.end();
                tracing::error!("{}", self.silence());
                self.tally.undelivered = self.waiting.len();
                return Ok(self.tally);
            }
        }
        self.progress.end();
        self.tally.quarantined = self.bridge.stats().await?.spans_quarantined;
        self.bridge.drain(Duration::ZERO).await?;
        Ok(self.tally)
    }

    /// Note the payloads that are done already.
    fn collect(&mut self) -> anyhow::Result<()> {
        while let Some(done) = self.waiting.try_join_next() {
            self.note(done.ok().flatten())?;
        }
        Ok(())
    }

    /// Note the next payload that is done; false when the time is up or none is waited for.
    async fn next_done(&mut self, until: Instant) -> anyhow::Result<bool> {
        match timeout_at(until, self.waiting.join_next()).await {
            Ok(Some(done)) => self.note(done.ok().flatten()).map(|()| true),
            Ok(None) => {
                tokio::time::sleep_until(until).await;
                Ok(false)
            }
            Err(_) => Ok(false),
        }
    }

    fn note(&mut self, fingerprint: Option<Fingerprint>) -> anyhow::Result<()> {
        self.deadline = Instant::now() + PATIENCE;
        self.tally.done += 1;
        self.progress.acknowledged(self.tally.done);
        if let Some(fingerprint) = fingerprint {
            let path = self.acknowledged.path().display().to_string();
            self.acknowledged.add(fingerprint).with_context(|| format!("{path} cannot be written"))?;
        }
        Ok(())
    }

    fn silence(&self) -> String {
        format!(
            "MLflow has acknowledged nothing for {} s: giving up\n\
             hint: `openinference-mlflow doctor` looks for the reason; the same replay goes on where this one stopped",
            PATIENCE.as_secs()
        )
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

fn otherwise(delivery: &Delivery) -> String {
    let Delivery { experiment, run_id, workspace, openinference_only, .. } = delivery;
    format!("{experiment:?} {run_id:?} {workspace:?} {openinference_only}")
}

/// Say at once when nobody is there: the bridge itself would wait for somebody to come.
pub(super) async fn reach(server: &Server) -> anyhow::Result<()> {
    let client = MlflowServer::new(server)?;
    let (method, path) = ("GET".to_owned(), "version".to_owned());
    match client.perform(Request { id: 0, method, path, headers: Vec::new(), body: Vec::new(), timeout: TIMEOUT }).await
    {
        Answer::Response(_) => Ok(()),
        Answer::NoAnswer(reason) => {
            bail!("{} does not answer: {reason}\nhint: `openinference-mlflow doctor` looks for the reason", server.uri)
        }
    }
}

#[cfg(test)]
mod tests;
