//! Quarantined payloads to MLflow, for the experiment, run and workspace that their senders named;
//! what MLflow has leaves the folder.
//!
//! What MLflow refuses again goes to a folder of its own, which replaces the sent payloads at the end,
//! so that an interruption at any moment leaves each span in the quarantine or in MLflow, or in both.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::bridge::{self, BridgeStorage};
use crate::cli::QuarantineReplayArgs;
use crate::command::replay::encoding_of;
use crate::command::transfer::{self, MAX_PAYLOAD, PATIENCE};
use crate::driver::{Handle, Refused};
use crate::quarantine::{Quarantine, QuarantineEntry};
use crate::settings::Sources;
use crate::telemetry::Metrics;
use crate::wasm::Translator;

/// Sends the items to MLflow, and says what became of them. Returns whether MLflow has them all.
pub(super) async fn replay(
    args: &QuarantineReplayArgs,
    items: Vec<QuarantineEntry>,
    sources: &Sources,
    translator: &Translator,
    data_dir: &Path,
) -> anyhow::Result<bool> {
    let delivery = transfer::delivery(sources, &args.destination, &args.tuning)?;
    let server = transfer::server(&delivery)?;
    transfer::reach(server).await?;
    let refused_again = tempfile::Builder::new().prefix(".replay-").tempdir_in(data_dir);
    let refused_again = refused_again.with_context(|| format!("{} cannot be written", data_dir.display()))?;
    let aside = Quarantine::below(refused_again.path());
    let storage = BridgeStorage { data_dir: refused_again.path(), quarantine: aside.clone(), backlog: None };
    let bridge = bridge::start(translator, &delivery, MAX_PAYLOAD, storage, &Metrics::default(), |_, _| {})?;
    let count = items.len();
    let Sent { taken, kept } = Sending::new(&bridge).all(items).await?;

    let folder = Quarantine::below(data_dir);
    let again = aside.entries()?;
    let stay = again.iter().map(|item| folder.adopt(item)).collect::<Result<Vec<_>, _>>()?;
    for item in taken.iter().filter(|item| !stay.contains(&item.path)) {
        item.remove().with_context(|| format!("{} cannot be removed", item.path.display()))?;
    }
    // Only now, because the end of a bridge quarantines what it holds.
    bridge.drain(Duration::ZERO).await?;
    anstream::println!("replayed: {} of {count} payloads, to {}", taken.len(), server.uri);
    if !again.is_empty() {
        anstream::println!(
            "refused again: {} spans or payloads; they stay quarantined, and the log says why",
            again.len()
        );
    }
    if kept > 0 {
        anstream::println!("not delivered: {kept} payloads; they stay quarantined");
    }
    Ok(again.is_empty() && kept == 0)
}

/// What became of the payloads.
struct Sent {
    /// Those that the bridge is done with.
    taken: Vec<QuarantineEntry>,
    /// How many it is not.
    kept: usize,
}

/// Offers payloads to a bridge, and waits until each is done.
struct Sending<'a> {
    bridge: &'a Handle,
    waiting: JoinSet<Option<QuarantineEntry>>,
    sent: Sent,
    /// When to give up, unless something is done before.
    deadline: Instant,
}

// === impl Sending ===

impl<'a> Sending<'a> {
    fn new(bridge: &'a Handle) -> Self {
        let sent = Sent { taken: Vec::new(), kept: 0 };
        Self { bridge, waiting: JoinSet::new(), sent, deadline: Instant::now() + PATIENCE }
    }

    async fn all(mut self, items: Vec<QuarantineEntry>) -> anyhow::Result<Sent> {
        for item in items {
            self.offer(item).await?;
        }
        while !self.waiting.is_empty() && self.next_done(self.deadline).await {}
        if !self.waiting.is_empty() {
            tracing::error!("MLflow has acknowledged nothing for {} s: giving up", PATIENCE.as_secs());
        }
        self.sent.kept += self.waiting.len();
        Ok(self.sent)
    }

    async fn offer(&mut self, item: QuarantineEntry) -> anyhow::Result<()> {
        let payload = std::fs::read(&item.path).with_context(|| format!("{} cannot be read", item.path.display()))?;
        let payload = Bytes::from(payload);
        let context = item.record.context(encoding_of(&payload));
        loop {
            match self.bridge.ingest(payload.clone(), context.clone()).await {
                Ok(accepted) => {
                    self.waiting.spawn(async move { accepted.done.await.is_ok().then_some(item) });
                    return Ok(());
                }
                Err(Refused::Full(wait)) if Instant::now() < self.deadline => {
                    let until = Instant::now() + wait;
                    while self.next_done(until).await {}
                }
                Err(Refused::Stopped) => bail!("the translator has stopped; the log says why"),
                Err(refused) => {
                    tracing::error!("{}: {refused}", item.path.display());
                    self.sent.kept += 1;
                    return Ok(());
                }
            }
        }
    }

    /// Notes the next payload that is done; false when the time is up.
    async fn next_done(&mut self, until: Instant) -> bool {
        let Ok(Some(done)) = timeout_at(until, self.waiting.join_next()).await else {
            sleep_until(until).await;
            return false;
        };
        match done.ok().flatten() {
            Some(item) => self.sent.taken.push(item),
            None => self.sent.kept += 1,
        }
        self.deadline = Instant::now() + PATIENCE;
        true
    }
}
