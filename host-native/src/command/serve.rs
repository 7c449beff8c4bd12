//! `serve`: receive, translate and deliver until told to stop.
//!
//! On SIGTERM and Ctrl-C: nothing more is accepted, and what was accepted is delivered until the time is up. What is left
//! then stays in the journal for the next start; without a journal it is set aside, and the exit code says that something
//! was. A second signal ends the program at once.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{self, ExitCode};
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::net::TcpListener;
use tokio::time::Instant;

use super::process::connections_within_file_limit;
use super::supervisor;
use crate::bridge;
use crate::cli::LogFormat;
use crate::deliver::mlflow::MlflowServer;
use crate::deliver::set_aside::SetAsideFolder;
use crate::draw;
use crate::drive::{Backlog, Handle, Left};
use crate::forward::Forwarding;
use crate::guest::Translator;
use crate::journal::{self, Journal, MLFLOW};
use crate::observe::{self, Metrics, Readiness};
use crate::receive::{Listeners, Receivers, Rules};
use crate::settings::{Admin, Delivery, Destination, Experiment, Settings};

/// What a shell says of a program that ended on Ctrl-C.
const INTERRUPTED: i32 = 130;

/// Receivers and a bridge, at work.
#[derive(Debug)]
pub struct Service {
    receivers: Receivers,
    admin: Option<observe::Admin>,
    bridge: Handle,
    journal: Option<(Journal, Forwarding)>,
}

// === impl Service ===

impl Service {
    /// Listen, and start the bridge. `on_trace` is told of each trace that is written to the local folder.
    ///
    /// # Errors
    /// An address is in use, or a setting cannot be used.
    pub async fn start(
        settings: &Settings,
        on_trace: impl Fn(&str, &[u8]) + Send + Sync + 'static,
    ) -> anyhow::Result<Self> {
        let listeners = Listeners::bind(&settings.receive).await?;
        let admin = listen_for_operators(settings.admin).await?;
        let metrics = Metrics::default();
        let limit = settings.receive.max_body_bytes;
        let translator = bridge::load_translator()?;
        let (backlog, forwarding) = open_journal(settings, &translator)?.unzip();
        let journal = backlog.as_ref().map(|backlog| backlog.journal.clone());
        let bridge =
            bridge::start(&translator, &settings.delivery, &settings.data_dir, limit, backlog, &metrics, on_trace)?;
        let receivers = listeners.serve(bridge.clone(), &rules(settings), metrics.received.clone())?;
        let admin = match admin {
            Some(listener) => {
                let mlflow = match &settings.delivery.destination {
                    Destination::Server(server) => Some(MlflowServer::new(server)?),
                    Destination::Local => None,
                };
                let readiness = Readiness::new(bridge.clone(), &settings.data_dir, mlflow, metrics.reach().clone());
                Some(observe::Admin::start(listener, metrics, readiness)?)
            }
            None => None,
        };
        Ok(Self { receivers, admin, bridge, journal: journal.zip(forwarding) })
    }

    /// What is on disk until it is delivered; none: payloads are held in memory alone.
    pub fn journal(&self) -> Option<&Journal> {
        self.journal.as_ref().map(|(journal, _)| journal)
    }

    /// Where OTLP/gRPC is received.
    pub fn grpc_address(&self) -> SocketAddr {
        self.receivers.grpc_address()
    }

    /// Where OTLP/HTTP is received.
    pub fn http_address(&self) -> SocketAddr {
        self.receivers.http_address()
    }

    /// Where operators look, if anywhere.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(observe::Admin::address)
    }

    /// The bridge behind the receivers.
    pub fn bridge(&self) -> &Handle {
        &self.bridge
    }

    /// Accept nothing more, deliver what is there within the limit, and say what was left.
    ///
    /// # Errors
    /// The bridge had stopped before.
    pub async fn stop(self, limit: Duration) -> anyhow::Result<Left> {
        let deadline = Instant::now() + limit;
        if let Some(admin) = &self.admin {
            admin.announce_stop();
        }
        // Half of the time at most goes to senders that are still sending.
        self.receivers.stop(limit / 2).await;
        let drained = self.bridge.drain(deadline.saturating_duration_since(Instant::now()));
        let left = match self.journal {
            None => drained.await?,
            Some((journal, forwarding)) => {
                let (left, ()) = tokio::join!(drained, forwarding.drain(deadline));
                journal.close().await;
                left?
            }
        };
        // Last, so that the figures can be watched until the end.
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
        Admin::At(address) => Ok(Some(observe::Admin::bind(address).await?)),
        Admin::IfFree(address) => {
            Ok(observe::Admin::bind(address).await.inspect_err(|error| tracing::warn!("no /metrics: {error}")).ok())
        }
    }
}

fn rules(settings: &Settings) -> Rules {
    let mut limits = settings.limits.clone();
    limits.connections = connections_within_file_limit(limits.connections);
    Rules { max_body_bytes: settings.receive.max_body_bytes, limits, access: settings.access.clone() }
}

/// Opens the journal, and starts to forward what it holds.
fn open_journal(settings: &Settings, translator: &Translator) -> anyhow::Result<Option<(Backlog, Forwarding)>> {
    let Some(limits) = settings.journal else { return Ok(None) };
    let forwarded = settings.forward.iter().map(ToString::to_string);
    let names: Vec<_> = std::iter::once(MLFLOW.to_owned()).chain(forwarded).collect();
    let (journal, owners) = Journal::open(&settings.data_dir.join("journal"), limits, &names)?;
    for (name, owner) in names.iter().zip(&owners) {
        let payloads = journal.owed_count(*owner);
        if payloads > 0 {
            tracing::info!(payloads, "the journal holds payloads that were not delivered to {name}: they are now");
        }
    }
    let Some(&owner) = owners.first() else { bail!("the journal knows nobody to deliver to") };
    let set_aside = SetAsideFolder::below(&settings.data_dir).limited(settings.delivery.quarantine_max_bytes);
    let destinations = settings.forward.iter().cloned().zip(owners.iter().skip(1).copied());
    let forwarding = Forwarding::start(&journal, destinations, &set_aside, translator)?;
    journal::age::watch(journal.clone(), names.into_iter().zip(owners), set_aside);
    Ok(Some((Backlog { journal, owner }, forwarding)))
}

/// Run until a signal comes. The exit code is 0 when nothing was left undelivered, or the journal has it.
///
/// # Errors
/// The service cannot start, or the translator failed for good.
pub async fn run(settings: &Settings, log_format: LogFormat) -> anyhow::Result<ExitCode> {
    let mut signals = Signals::listen().context("signals cannot be received")?;
    let service = Service::start(settings, draw::print).await?;
    announce(&service, settings, log_format);
    warn_of_bare_credentials(settings);
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
    Ok(say_what_is_left(left, settings))
}

fn say_what_is_left(left: Left, settings: &Settings) -> ExitCode {
    let Left { payloads, spans, kept } = left;
    if payloads == 0 {
        tracing::info!("stopped: everything that was accepted has been delivered");
        return ExitCode::SUCCESS;
    }
    if settings.journal.is_some() {
        tracing::warn!(payloads, "stopped: the journal keeps what was not delivered, for the next start");
        return ExitCode::SUCCESS;
    }
    let folder = settings.data_dir.join("set-aside");
    tracing::warn!(
        payloads,
        spans,
        kept,
        "stopped with undelivered spans; what was kept is in {folder}: send it with `openinference-mlflow replay {folder}`",
        folder = folder.display()
    );
    ExitCode::FAILURE
}

/// Says where it listens, where it delivers, and how to point an application at it.
fn announce(service: &Service, settings: &Settings, log_format: LogFormat) {
    let (grpc, http) = (service.grpc_address(), service.http_address());
    let scheme = if settings.access.tls.is_some() { "https" } else { "http" };
    let destination = destination(&settings.delivery, settings.data_dir.join("traces"));
    let admin = service.admin_address().map_or("nowhere".to_owned(), |address| format!("http://{address}/metrics"));
    match log_format {
        LogFormat::Json => tracing::info!(%grpc, %http, admin, destination, forward = ?settings.forward, "serving"),
        LogFormat::Human => eprintln!(
            "openinference-mlflow {version}\n  \
             receives   OTLP/gRPC at {grpc}, OTLP/HTTP at {scheme}://{http}/v1/traces\n  \
             delivers   to {destination}\n{forwards}  \
             figures    at {admin}\n  \
             To send an application's traces here, start it with\n    \
             OTEL_EXPORTER_OTLP_ENDPOINT={scheme}://{reachable} OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
            version = env!("CARGO_PKG_VERSION"),
            forwards = settings.forward.iter().map(|to| format!("  forwards   to {to}\n")).collect::<String>(),
            reachable = reachable(http),
        ),
    }
}

fn warn_of_bare_credentials(settings: &Settings) {
    let Settings { receive, access, .. } = settings;
    let exposed = [receive.grpc_listen, receive.http_listen].iter().any(|address| !address.ip().is_loopback());
    if exposed && access.auth_file.is_some() && access.tls.is_none() {
        tracing::warn!(
            "senders' credentials cross the network in the clear; set --tls-cert and --tls-key, unless a proxy in front of \
             this program speaks TLS"
        );
    }
}

fn destination(delivery: &Delivery, folder: PathBuf) -> String {
    let experiment = match &delivery.experiment {
        Some(Experiment::Id(id)) => format!(", experiment {id}"),
        Some(Experiment::Name(name)) => format!(", experiment {name:?}"),
        None => String::new(),
    };
    match &delivery.destination {
        Destination::Server(server) => format!("{}{experiment}", server.uri),
        Destination::Local => {
            format!("{} (no tracking URI is set; --tracking-uri sends to MLflow)", folder.display())
        }
    }
}

/// An address that a client can use: one that stands for all of a machine's becomes loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => std::net::Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => std::net::Ipv6Addr::LOCALHOST.into(),
        address => address.ip(),
    };
    SocketAddr::new(ip, address.port())
}

/// The signals that ask a program to end.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    /// A limit on the size of files is reached, which ends a program that does not listen for it: to the journal, that is
    /// a disk without room.
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    _file_size: tokio::signal::unix::Signal,
}

/// SIGXFSZ.
#[cfg(any(target_os = "linux", target_os = "macos"))]
const FILE_SIZE: i32 = 25;

impl Signals {
    #[cfg(unix)]
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            #[cfg(any(target_os = "linux", target_os = "macos"))]
            _file_size: signal(SignalKind::from_raw(FILE_SIZE))?,
        })
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    #[cfg(not(unix))]
    fn listen() -> std::io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        // Without a handler there will be no signal to wait for.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
