//! All the parts of a host, put together: listeners, journal, bridge, destinations, and what operators see.

use std::net::SocketAddr;
#[cfg(feature = "kafka")]
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::admin::{self, KafkaReadiness, Readiness};
use crate::bridge::{self, BridgeStorage};
use crate::command::process::connections_within_file_limit;
use crate::driver::{Backlog, Handle, Undelivered};
use crate::exporter::mlflow::MlflowServer;
use crate::forwarder::Forwarding;
use crate::journal::{Journal, MLFLOW};
#[cfg(feature = "kafka")]
use crate::kafka::{Consumers, Destination as KafkaDestination};
use crate::quarantine::{Quarantine, expiry, retry};
use crate::receiver::{Listeners, Receivers, Rules};
use crate::settings::{Admin, Destination, Settings};
use crate::telemetry::Metrics;
use crate::wasm::Translator;

/// Receivers and a bridge, at work.
#[derive(Debug)]
pub struct Service {
    receivers: Option<Receivers>,
    #[cfg(feature = "kafka")]
    consumers: Option<Consumers>,
    admin: Option<admin::Admin>,
    bridge: Handle,
    journal: Option<(Journal, Forwarding)>,
}

// === impl Service ===

impl Service {
    /// Listen, and start the bridge. `on_trace` gets each trace that is written to the local folder.
    ///
    /// # Errors
    /// An address is in use, or a setting cannot be used.
    pub async fn start(
        settings: &Settings,
        on_trace: impl Fn(&str, &[u8]) + Send + Sync + 'static,
    ) -> anyhow::Result<Self> {
        let listeners = match settings.receive.listen {
            true => Some(Listeners::bind(&settings.receive).await?),
            false => None,
        };
        let admin = listen_for_operators(settings.admin).await?;
        let metrics = Metrics::default();
        let limit = settings.receive.max_body_bytes;
        let translator = bridge::load_translator()?;
        let quarantine = Quarantine::below(&settings.data_dir).limited(settings.delivery.quarantine_max_bytes);
        let (backlog, forwarding) = open_journal(settings, &quarantine, &translator, &metrics)?.unzip();
        let journal = backlog.as_ref().map(|backlog| backlog.journal.clone());
        metrics.watch_storage(quarantine.clone(), journal.clone());
        let storage = BridgeStorage { data_dir: &settings.data_dir, quarantine: quarantine.clone(), backlog };
        let bridge = bridge::start(&translator, &settings.delivery, limit, storage, &metrics, on_trace)?;
        let serve = |listeners: Listeners| listeners.serve(bridge.clone(), &rules(settings), metrics.received.clone());
        let receivers = listeners.map(serve).transpose()?;
        #[cfg(feature = "kafka")]
        let consumers = join_groups(settings, &bridge, forwarding.as_ref(), &quarantine, &metrics)?;
        #[cfg(not(feature = "kafka"))]
        if settings.kafka.is_some() {
            bail!("this program was built without Kafka (the Cargo feature kafka); drop --kafka-brokers");
        }
        let admin = match admin {
            Some(listener) => {
                let mlflow = match &settings.delivery.destination {
                    Destination::Server(server) => Some(MlflowServer::new(server)?),
                    // A Databricks workspace has nothing that costs nothing to ask for.
                    Destination::UnityCatalog(_) | Destination::Local => None,
                };
                let states = forwarding.iter().flat_map(Forwarding::states).cloned().collect();
                let (reach, data_dir) = (metrics.reachability().clone(), &settings.data_dir);
                let groups = metrics.consumer_groups();
                let kafka = KafkaReadiness { groups, required: receivers.is_none() };
                let readiness = Readiness::new(bridge.clone(), data_dir, mlflow, reach, journal.clone(), states, kafka);
                Some(admin::Admin::start(listener, metrics, readiness)?)
            }
            None => None,
        };
        Ok(Self {
            receivers,
            #[cfg(feature = "kafka")]
            consumers,
            admin,
            bridge,
            journal: journal.zip(forwarding),
        })
    }

    /// What is on disk until it is delivered; none: payloads are held in memory alone.
    pub fn journal(&self) -> Option<&Journal> {
        self.journal.as_ref().map(|(journal, _)| journal)
    }

    /// Where OTLP/gRPC and OTLP/HTTP are received, if they are.
    pub fn addresses(&self) -> Option<(SocketAddr, SocketAddr)> {
        self.receivers.as_ref().map(|receivers| (receivers.grpc_address(), receivers.http_address()))
    }

    /// Where operators look, if anywhere.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(admin::Admin::address)
    }

    /// The bridge behind the receivers.
    pub fn bridge(&self) -> &Handle {
        &self.bridge
    }

    /// Accept nothing more, deliver what is there within the limit, and say what was left.
    ///
    /// # Errors
    /// The bridge had stopped before.
    pub async fn stop(self, limit: Duration) -> anyhow::Result<Undelivered> {
        let deadline = Instant::now() + limit;
        if let Some(admin) = &self.admin {
            admin.announce_stop();
        }
        #[cfg(feature = "kafka")]
        self.consumers.iter().for_each(Consumers::pause);
        // Half of the time at most goes to senders that are still sending.
        if let Some(receivers) = self.receivers {
            receivers.stop(limit / 2).await;
        }
        let drained = self.bridge.drain(deadline.saturating_duration_since(Instant::now()));
        let left = match self.journal {
            None => drained.await?,
            Some((journal, forwarding)) => {
                let (left, ()) = tokio::join!(drained, forwarding.drain(deadline));
                journal.close().await;
                left?
            }
        };
        // What was delivered until the end is committed.
        #[cfg(feature = "kafka")]
        if let Some(consumers) = self.consumers {
            consumers.stop().await;
        }
        // Last, so that the metrics can be read until the end.
        if let Some(admin) = self.admin {
            admin.stop().await;
        }
        Ok(left)
    }
}

/// Applications must not be without a receiver because a port that nobody asked for is taken.
async fn listen_for_operators(admin: Admin) -> anyhow::Result<Option<TcpListener>> {
    match admin {
        Admin::Off => Ok(None),
        Admin::At(address) => Ok(Some(admin::Admin::bind(address).await?)),
        Admin::IfFree(address) => {
            Ok(admin::Admin::bind(address).await.inspect_err(|error| tracing::warn!("no /metrics: {error}")).ok())
        }
    }
}

fn rules(settings: &Settings) -> Rules {
    let mut limits = settings.limits.clone();
    limits.connections = connections_within_file_limit(limits.connections);
    Rules { max_body_bytes: settings.receive.max_body_bytes, limits, access: settings.access.clone() }
}

/// Joins the consumer groups, if there is a topic.
#[cfg(feature = "kafka")]
fn join_groups(
    settings: &Settings,
    bridge: &Handle,
    forwarding: Option<&Forwarding>,
    quarantine: &Quarantine,
    metrics: &Metrics,
) -> anyhow::Result<Option<Consumers>> {
    let Some(kafka) = &settings.kafka else { return Ok(None) };
    let group = &kafka.group;
    let mlflow = KafkaDestination::mlflow(group, Arc::new(bridge.clone()));
    let forwarded = forwarding.into_iter().flat_map(Forwarding::borrowers);
    let forwarded = forwarded.map(|(name, borrower)| KafkaDestination::forward(group, name, borrower));
    let destinations = std::iter::once(mlflow).chain(forwarded).collect();
    let limit = settings.receive.max_body_bytes;
    Ok(Some(Consumers::start(kafka, limit, destinations, quarantine, metrics)?))
}

/// Opens the journal, and starts to forward what it holds.
fn open_journal(
    settings: &Settings,
    quarantine: &Quarantine,
    translator: &Translator,
    metrics: &Metrics,
) -> anyhow::Result<Option<(Backlog, Forwarding)>> {
    let Some(limits) = settings.journal else { return Ok(None) };
    let forwarded = settings.forward.iter().map(ToString::to_string);
    let names: Vec<_> = std::iter::once(MLFLOW.to_owned()).chain(forwarded).collect();
    let (journal, consumers) = Journal::open(&settings.data_dir.join("journal"), limits, &names)?;
    for (name, consumer) in names.iter().zip(&consumers) {
        let payloads = journal.pending_count(*consumer);
        if payloads > 0 {
            tracing::info!(payloads, "the journal holds payloads that were not delivered to {name}: they are now");
        }
    }
    let Some(&consumer) = consumers.first() else { bail!("the journal knows nobody to deliver to") };
    let destinations = settings.forward.iter().cloned().zip(consumers.iter().skip(1).copied());
    let forwarding = Forwarding::start(&journal, destinations, quarantine, translator, metrics)?;
    expiry::watch(journal.clone(), names.into_iter().zip(consumers), quarantine.clone());
    retry::watch(journal.clone(), quarantine.clone());
    Ok(Some((Backlog { journal, consumer }, forwarding)))
}
