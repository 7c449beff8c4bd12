//! Payloads from somewhere else than a receiver to MLflow, through the same loop as `serve`: what `replay` and `import`
//! share.
//!
//! Guarantees: memory is bounded, because the bridge refuses what it has no room for, and the sender waits; what MLflow
//! has acknowledged is written down at once, so that an interrupted command goes on where it stopped.

mod acknowledged;
#[cfg(test)]
pub(super) mod pretend_mlflow;
mod totals;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use indicatif::ProgressBar;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::bridge::{self, BridgeStorage};
use crate::cli::{DestinationArgs, TuningArgs};
use crate::driver::{Handle, Refused};
use crate::exporter::Destination as _;
use crate::exporter::mlflow::MlflowServer;
use crate::payload::PayloadContext;
use crate::quarantine::Quarantine;
use crate::settings::{Delivery, Destination, Server, Sources};
use crate::telemetry::Metrics;
use crate::wasm::{Answer, Request};
pub(super) use acknowledged::{Acknowledged, Fingerprint};
pub(super) use totals::Totals;

/// The largest payload, in bytes.
pub(super) const MAX_PAYLOAD: usize = 64 << 20;
/// How long the server may acknowledge nothing before the command gives up. A busy server may take half a minute for a request,
/// and what is acknowledged may take several.
pub(super) const PATIENCE: Duration = Duration::from_secs(180);
/// When a trace without a root is closed, unless the settings say: its root is in one of the next payloads, or nowhere.
/// Less than the interval of partial deliveries, so that such a trace is closed before the command ends; a root that
/// comes later all the same wins.
const IDLE_MS: u64 = 3_000;
/// For the question whether anybody is there, in milliseconds.
const TIMEOUT: u32 = 10_000;

/// Payloads on their way to one server.
pub(super) struct Transfer {
    bridge: Handle,
    quarantine: Quarantine,
    acknowledged: Acknowledged,
    /// Where payloads go that do not say.
    otherwise: String,
    /// Each completes when its payload is done, with what to remember if MLflow has it.
    waiting: JoinSet<Vec<Fingerprint>>,
    /// When to give up, unless something is acknowledged before.
    deadline: Instant,
    totals: Totals,
    bar: ProgressBar,
}

/// The settings of a command that delivers and then ends: it has time, and no later spans are to be expected.
pub(super) fn delivery(
    sources: &Sources,
    destination: &DestinationArgs,
    tuning: &TuningArgs,
) -> anyhow::Result<Delivery> {
    let mut delivery = sources.delivery(destination, tuning)?;
    delivery.tuning.idle_ms.get_or_insert(IDLE_MS);
    delivery.tuning.wait_for_optional = Some(true);
    Ok(delivery)
}

/// The server of these settings; an error without one.
pub(super) fn server(delivery: &Delivery) -> anyhow::Result<&Server> {
    let server = delivery.destination.server();
    server.context("there is no MLflow server to send to\nhint: name one with --tracking-uri or MLFLOW_TRACKING_URI")
}

/// What this server has acknowledged, as far as the data directory knows.
pub(super) fn acknowledged(server: &Server, data_dir: &Path) -> anyhow::Result<Acknowledged> {
    Acknowledged::open(data_dir, &server.uri.to_string())
        .with_context(|| format!("what was sent before cannot be read in {}", data_dir.display()))
}

/// Where payloads go that do not say: a part of every fingerprint.
pub(super) fn otherwise(delivery: &Delivery) -> String {
    let Delivery { destination, experiment, run_id, workspace, openinference_only, .. } = delivery;
    match destination {
        Destination::UnityCatalog(catalog) => format!("{} {openinference_only}", catalog.location),
        _ => format!("{experiment:?} {run_id:?} {workspace:?} {openinference_only}"),
    }
}

// === impl Transfer ===

impl Transfer {
    /// Starts a bridge to the server, which has to answer.
    pub(super) async fn start(delivery: &Delivery, data_dir: &Path, bar: ProgressBar) -> anyhow::Result<Self> {
        let server = server(delivery)?;
        let acknowledged = acknowledged(server, data_dir)?;
        if matches!(delivery.destination, Destination::Server(_)) {
            reach(server).await?;
        }
        let (translator, metrics) = (bridge::load_translator()?, Metrics::default());
        let quarantine = Quarantine::below(data_dir);
        let storage = BridgeStorage { data_dir, quarantine: quarantine.clone(), backlog: None };
        let bridge = bridge::start(&translator, delivery, MAX_PAYLOAD, storage, &metrics, |_, _| {})?;
        Ok(Self {
            bridge,
            quarantine,
            acknowledged,
            otherwise: otherwise(delivery),
            waiting: JoinSet::new(),
            deadline: Instant::now() + PATIENCE,
            totals: Totals::default(),
            bar,
        })
    }

    /// Names a payload, or words that identify it, with where it goes.
    pub(super) fn fingerprint(&self, payload: &[u8], context: &PayloadContext) -> Fingerprint {
        Fingerprint::new(payload, context, &self.otherwise)
    }

    /// Whether MLflow has it.
    pub(super) fn knows(&self, fingerprint: &Fingerprint) -> bool {
        self.acknowledged.contains(fingerprint)
    }

    /// Offers a payload until the bridge takes it. `remember` is written down once MLflow has all of the payload.
    ///
    /// # Errors
    /// MLflow acknowledges nothing any more, or the translator has stopped. The inner error is why the bridge will never
    /// take this payload.
    pub(super) async fn send(
        &mut self,
        payload: Bytes,
        context: PayloadContext,
        remember: Vec<Fingerprint>,
    ) -> anyhow::Result<Result<(), Refused>> {
        if self.waiting.is_empty() {
            // Nothing was to be acknowledged meanwhile.
            self.deadline = Instant::now() + PATIENCE;
        }
        loop {
            match self.bridge.ingest(payload.clone(), context.clone()).await {
                Ok(accepted) => {
                    self.totals.taken(&accepted);
                    let whole = accepted.rejected_spans == 0;
                    self.waiting.spawn(async move {
                        let done = accepted.done.await.is_ok();
                        if done && whole { remember } else { Vec::new() }
                    });
                    self.collect()?;
                    return Ok(Ok(()));
                }
                Err(Refused::Full(wait) | Refused::JournalFull(wait) | Refused::JournalUnavailable(wait)) => {
                    let until = Instant::now() + wait;
                    while self.next_done(until.min(self.deadline)).await? {}
                    if Instant::now() >= self.deadline {
                        bail!(silence());
                    }
                }
                Err(Refused::Stopped) => bail!("the translator has stopped; the log says why"),
                Err(refused @ (Refused::Malformed(_) | Refused::Quarantined(_))) => return Ok(Err(refused)),
            }
        }
    }

    /// Quarantines what the bridge will never take.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub(super) fn quarantine(&mut self, payload: &[u8], context: &PayloadContext, reason: &str) -> anyhow::Result<()> {
        let kept = self.quarantine.keep_payload(payload, context, reason)?;
        tracing::error!("{reason}; quarantined in {}", kept.display());
        self.totals.quarantined += 1;
        Ok(())
    }

    /// Waits until MLflow has everything that was taken.
    ///
    /// # Errors
    /// MLflow acknowledges nothing any more, or what it acknowledged cannot be written down.
    pub(super) async fn settle(&mut self) -> anyhow::Result<()> {
        if self.all_done().await? { Ok(()) } else { bail!(silence()) }
    }

    /// Waits for everything that was taken, and ends. What is not acknowledged in time counts as undelivered.
    ///
    /// # Errors
    /// What is acknowledged cannot be written down, or the translator has stopped.
    pub(super) async fn finish(mut self) -> anyhow::Result<Totals> {
        let all_done = self.all_done().await?;
        self.bar.finish_and_clear();
        if all_done {
            self.totals.quarantined += self.bridge.stats().await?.spans_quarantined;
            self.bridge.drain(Duration::ZERO).await?;
        } else {
            tracing::error!("{}", silence());
            self.totals.undelivered = self.waiting.len();
        }
        Ok(self.totals)
    }

    async fn all_done(&mut self) -> anyhow::Result<bool> {
        while !self.waiting.is_empty() {
            if !self.next_done(self.deadline).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Notes the payloads that are done already; for a caller that is busy elsewhere for long.
    ///
    /// # Errors
    /// They cannot be written down.
    pub(super) fn collect(&mut self) -> anyhow::Result<()> {
        while let Some(done) = self.waiting.try_join_next() {
            self.note(done.unwrap_or_default())?;
        }
        Ok(())
    }

    /// Notes the next payload that is done; false when the time is up or none is waited for.
    async fn next_done(&mut self, until: Instant) -> anyhow::Result<bool> {
        match timeout_at(until, self.waiting.join_next()).await {
            Ok(Some(done)) => self.note(done.unwrap_or_default()).map(|()| true),
            Ok(None) => {
                tokio::time::sleep_until(until).await;
                Ok(false)
            }
            Err(_) => Ok(false),
        }
    }

    fn note(&mut self, fingerprints: Vec<Fingerprint>) -> anyhow::Result<()> {
        self.deadline = Instant::now() + PATIENCE;
        self.totals.done += 1;
        self.bar.set_message(self.totals.done.to_string());
        for fingerprint in fingerprints {
            let path = self.acknowledged.path().display().to_string();
            self.acknowledged.add(fingerprint).with_context(|| format!("{path} cannot be written"))?;
        }
        Ok(())
    }
}

fn silence() -> String {
    format!(
        "MLflow has acknowledged nothing for {} s: giving up\n\
         hint: `openinference-mlflow doctor` looks for the reason; the same command goes on where this one stopped",
        PATIENCE.as_secs()
    )
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
