//! The resolved settings: flags, then the environment, then the settings file, then defaults, resolved once at
//! the start into values that need no further checks.
//!
//! Guarantees: a setting that is given in two places comes from the stronger one, and so do settings that exclude each
//! other (experiment by name and by id). Secrets are held in types that cannot be printed.

mod access;
mod credentials;
mod databricks;
mod delivery;
mod endpoint;
mod environment;
mod error;
mod file;
mod forward;
mod header_pairs;
mod kafka;
mod limits;
mod phoenix;
mod tracking_uri;
mod tuning;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use clap::Args;
use directories::ProjectDirs;
use serde::de::DeserializeOwned;

pub use access::{Access, TlsFiles};
pub use credentials::Credentials;
pub use delivery::{Delivery, Destination, Experiment, Server, Tls, Trust, UnityCatalog};
pub use endpoint::{ForwardEndpoint, ForwardEndpointError, ForwardProtocol};
pub use environment::Environment;
pub use error::SettingsError;
pub use file::SettingsFile;
pub use kafka::{Kafka, KafkaConfigError};
pub use limits::Limits;
pub use phoenix::PhoenixServer;
pub use tracking_uri::TrackingUri;
pub use tuning::Tuning;

use crate::cli::{AccessArgs, GlobalArgs, JournalArgs, LogFormat, OperateArgs, ReceiveArgs, ServeArgs};
use crate::journal;
use crate::units::{AdminAddress, OtlpEndpoint, Period};

/// How long a payload may wait on disk when nothing else is set.
const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Everything `serve` needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where applications send.
    pub receive: Receive,
    /// The Kafka topic that payloads come from, if any.
    pub kafka: Option<Kafka>,
    /// What senders may take of the receivers.
    pub limits: Limits,
    /// Who may connect to the receivers, and how.
    pub access: Access,
    /// Where traces go.
    pub delivery: Delivery,
    /// Who gets what is received beside MLflow.
    pub forward: Vec<ForwardEndpoint>,
    /// What may wait on disk; none: payloads are held in memory alone.
    pub journal: Option<journal::JournalLimits>,
    /// Where operators look.
    pub admin: Admin,
    /// The local folder and all state; need not exist yet.
    pub data_dir: PathBuf,
}

/// Where operators look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admin {
    /// Nowhere.
    Off,
    /// At this address if it is free: nobody asked for it.
    IfFree(SocketAddr),
    /// At this address.
    At(SocketAddr),
}

/// Where operators look unless they say: the port after OTLP's.
pub const DEFAULT_ADMIN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4319);

/// Where applications send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receive {
    /// Whether to listen at all.
    pub listen: bool,
    /// Address for OTLP/gRPC.
    pub grpc_listen: SocketAddr,
    /// Address for OTLP/HTTP.
    pub http_listen: SocketAddr,
    /// Largest payload that is accepted, in bytes after decompression.
    pub max_body_bytes: usize,
    /// How long to go on delivering after a signal to stop.
    pub shutdown_timeout: Duration,
}

/// Settings that every command has.
#[derive(Debug, Clone)]
pub struct Global {
    /// The local folder and all state; need not exist yet.
    pub data_dir: PathBuf,
    /// How log lines are written.
    pub log_format: LogFormat,
}

/// The places settings come from besides the flags.
#[derive(Debug, Clone)]
pub struct Sources {
    environment: Environment,
    file: SettingsFile,
}

/// One group of settings as each place gives it, strongest first.
#[derive(Debug, Clone)]
struct Layers<T>([T; 3]);

// === impl Sources ===

impl Sources {
    /// Read the settings file that the flags or the environment name, or the default one.
    ///
    /// # Errors
    /// The file cannot be read or understood.
    pub fn read(environment: Environment, global: &GlobalArgs) -> Result<Self, SettingsError> {
        let named = global.config.clone().or_else(|| environment.get("OPENINFERENCE_MLFLOW_CONFIG").map(PathBuf::from));
        let file = SettingsFile::read(named.as_deref())?;
        Ok(Self { environment, file })
    }

    /// An environment and a file that are already there.
    pub fn new(environment: Environment, file: SettingsFile) -> Self {
        Self { environment, file }
    }

    /// The settings file, if there is one.
    pub fn file(&self) -> &SettingsFile {
        &self.file
    }

    /// Settings that every command has.
    ///
    /// # Errors
    /// A value is malformed, or there is no home directory to put the data directory into.
    pub fn global(&self, flags: &GlobalArgs) -> Result<Global, SettingsError> {
        let layers = self.layers(flags)?;
        let data_dir = match layers.pick(|args| &args.data_dir) {
            Some(dir) => dir,
            None => {
                ProjectDirs::from("", "", "openinference-mlflow").ok_or(SettingsError::NoHome)?.data_dir().to_path_buf()
            }
        };
        Ok(Global { data_dir, log_format: layers.pick(|args| &args.log_format).unwrap_or_default() })
    }

    /// Everything `serve` needs to know.
    ///
    /// # Errors
    /// What is wrong with which setting, and what would be right.
    pub fn serve(&self, flags: &ServeArgs, data_dir: PathBuf) -> Result<Settings, SettingsError> {
        let receive = self.receive(&flags.receive)?;
        let kafka = self.kafka(&flags.kafka)?;
        if kafka.is_none() && !receive.listen {
            return Err(SettingsError::NoSource);
        }
        let limits = Limits::resolve(&self.layers(&flags.limits)?, receive.max_body_bytes)?;
        let access = Access::resolve(&self.layers(&flags.access)?, &receive)?;
        let mut delivery = self.delivery(&flags.destination, &flags.tuning)?;
        let quarantine = self.layers(&flags.operate)?.pick(|args| &args.quarantine_max_bytes);
        delivery.quarantine_max_bytes = Some(quarantine.unwrap_or(ByteSize::gib(1)).as_u64());
        let admin = self.admin(&flags.operate)?;
        let forward = self.forward(&flags.forward)?;
        let journal = self.journal(&flags.journal)?;
        if journal.is_none() && !forward.is_empty() {
            return Err(SettingsError::ForwardWithoutJournal);
        }
        Ok(Settings { receive, kafka, limits, access, delivery, forward, journal, admin, data_dir })
    }

    /// Where `serve` exports its own spans, if anywhere.
    ///
    /// # Errors
    /// A value is malformed, or the endpoint is the gateway's own receiver, whose spans would make more spans.
    pub fn self_trace(&self, flags: &ServeArgs) -> Result<Option<reqwest::Url>, SettingsError> {
        let Some(OtlpEndpoint(url)) = self.layers(&flags.operate)?.pick(|args| &args.self_trace_endpoint) else {
            return Ok(None);
        };
        let receive = self.receive(&flags.receive)?;
        let own = [receive.grpc_listen, receive.http_listen];
        if own.iter().any(|address| is_at(&url, *address)) { Err(SettingsError::TracesItself) } else { Ok(Some(url)) }
    }

    fn admin(&self, flags: &OperateArgs) -> Result<Admin, SettingsError> {
        let layers = self.layers(flags)?;
        Ok(match layers.pick(|args| &args.admin_listen) {
            Some(AdminAddress::Off) => Admin::Off,
            Some(AdminAddress::At(address)) => Admin::At(address),
            None => Admin::IfFree(DEFAULT_ADMIN),
        })
    }

    fn journal(&self, flags: &JournalArgs) -> Result<Option<journal::JournalLimits>, SettingsError> {
        let layers = self.layers(flags)?;
        let limits = journal::JournalLimits {
            max_bytes: layers.pick(|args| &args.journal_max_bytes).unwrap_or(ByteSize::gib(8)).as_u64(),
            max_age: layers.pick(|args| &args.journal_max_age).map_or(WEEK, |Period(time)| time),
        };
        Ok(Some(limits).filter(|_| !layers.pick(|args| &args.no_journal).unwrap_or(false)))
    }

    /// Where applications send.
    ///
    /// # Errors
    /// What is wrong with which setting, and what would be right.
    pub fn receive(&self, flags: &ReceiveArgs) -> Result<Receive, SettingsError> {
        let layers = self.layers(flags)?;
        let loopback = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let max_body = layers.pick(|args| &args.max_body_size).unwrap_or(ByteSize::mib(32));
        Ok(Receive {
            listen: !layers.pick(|args| &args.no_receivers).unwrap_or(false),
            grpc_listen: layers.pick(|args| &args.grpc_listen).unwrap_or(loopback(4317)),
            http_listen: layers.pick(|args| &args.http_listen).unwrap_or(loopback(4318)),
            max_body_bytes: usize::try_from(max_body.as_u64()).unwrap_or(usize::MAX),
            shutdown_timeout: layers
                .pick(|args| &args.shutdown_timeout)
                .map_or(Duration::from_secs(10), |Period(time)| time),
        })
    }

    /// The file of those who may send.
    ///
    /// # Errors
    /// None is named anywhere.
    pub fn auth_file(&self, flag: Option<&PathBuf>) -> Result<PathBuf, SettingsError> {
        let flags = AccessArgs { auth_file: flag.cloned(), ..AccessArgs::default() };
        self.layers(&flags)?.pick(|args| &args.auth_file).ok_or(SettingsError::NoAuthFile)
    }

    fn layers<T: Args + Clone + DeserializeOwned>(&self, flags: &T) -> Result<Layers<T>, SettingsError> {
        Ok(Layers([flags.clone(), self.environment.layer()?, self.file.layer()?]))
    }
}

/// Whether the URL names this address of this machine. Other names of this machine are not recognised.
fn is_at(url: &reqwest::Url, address: SocketAddr) -> bool {
    let ip = url.host_str().and_then(|host| host.trim_matches(['[', ']']).parse::<IpAddr>().ok());
    let same_host = match ip {
        Some(ip) => ip == address.ip() || ip.is_unspecified() || (address.ip().is_unspecified() && ip.is_loopback()),
        None => url.host_str() == Some("localhost") && (address.ip().is_loopback() || address.ip().is_unspecified()),
    };
    same_host && url.port_or_known_default() == Some(address.port())
}

// === impl Layers ===

impl<T> Layers<T> {
    /// The value of the strongest layer that has one.
    fn pick<V: Clone>(&self, field: impl Fn(&T) -> &Option<V>) -> Option<V> {
        self.0.iter().find_map(|layer| field(layer).clone())
    }

    /// How weak the strongest layer is that satisfies the condition.
    fn rank(&self, condition: impl Fn(&T) -> bool) -> usize {
        self.0.iter().position(condition).unwrap_or(self.0.len())
    }
}

#[cfg(test)]
mod tests;
