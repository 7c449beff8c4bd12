//! Where traces go: the server or the local folder, the experiment, and how the two sides prove who they are.

use std::path::PathBuf;

use secrecy::ExposeSecret;

use super::credentials::{CredentialKeys, Credentials};
use super::databricks::{self, Access};
use super::{Layers, SettingsError, Sources, TrackingUri, Tuning};
use crate::cli::{DestinationArgs, TuningArgs};

/// Where traces go, and how.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The server, or the local folder.
    pub destination: Destination,
    /// The experiment of payloads whose sender names none.
    pub experiment: Option<Experiment>,
    /// The run that traces are linked to when the sender names none.
    pub run_id: Option<String>,
    /// The workspace when the sender names none.
    pub workspace: Option<String>,
    /// Deliver OpenInference spans alone.
    pub openinference_only: bool,
    /// What the quarantine folder may hold, in bytes; none: any.
    pub quarantine_max_bytes: Option<u64>,
    /// What was set of the bridge's tuning.
    pub tuning: Tuning,
}

/// The server, or the local folder.
#[derive(Debug, Clone)]
pub enum Destination {
    /// An MLflow server.
    Server(Server),
    /// Unity Catalog of a Databricks workspace.
    UnityCatalog(UnityCatalog),
    /// `<data_dir>/traces`.
    Local,
}

/// Where a Databricks workspace keeps traces.
#[derive(Debug, Clone)]
pub struct UnityCatalog {
    /// The workspace.
    pub workspace: Server,
    /// `catalog.schema` or `catalog.schema.prefix`.
    pub location: String,
}

/// How to reach MLflow.
#[derive(Debug, Clone)]
pub struct Server {
    /// Its address, without credentials.
    pub uri: TrackingUri,
    /// How requests authenticate.
    pub credentials: Credentials,
    /// Whether it is who it says it is, and what it is shown.
    pub trust: Trust,
}

/// How the two sides of an https connection prove who they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    /// Whom to trust.
    pub verify: Tls,
    /// This program's certificate with its key, in one PEM file, for servers that ask for one.
    pub identity: Option<PathBuf>,
}

/// Whom to trust on an https connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Tls {
    /// The system's certificate authorities.
    #[default]
    System,
    /// The authorities in this PEM file, and no other.
    Authorities(PathBuf),
    /// Anybody.
    Unverified,
}

impl From<Tls> for Trust {
    fn from(verify: Tls) -> Self {
        Self { verify, identity: None }
    }
}

/// An experiment, as a person names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Experiment {
    /// By id, in decimal digits.
    Id(String),
    /// By name.
    Name(String),
}

// === impl Destination ===

impl Destination {
    /// Who takes the spans over HTTP, if anybody.
    pub fn server(&self) -> Option<&Server> {
        match self {
            Self::Server(server) => Some(server),
            Self::UnityCatalog(catalog) => Some(&catalog.workspace),
            Self::Local => None,
        }
    }
}

// === impl Sources ===

impl Sources {
    /// Where traces go, and how.
    ///
    /// # Errors
    /// What is wrong with which setting, and what would be right.
    pub fn delivery(&self, flags: &DestinationArgs, tuning: &TuningArgs) -> Result<Delivery, SettingsError> {
        let layers = self.layers(flags)?;
        Ok(Delivery {
            destination: self.destination(&layers)?,
            experiment: experiment(&layers)?,
            run_id: layers.pick(|args| &args.run_id),
            workspace: layers.pick(|args| &args.workspace),
            openinference_only: layers.pick(|args| &args.openinference_only).unwrap_or(false),
            quarantine_max_bytes: None,
            tuning: Tuning::from(&self.layers(tuning)?),
        })
    }

    fn destination(&self, layers: &Layers<DestinationArgs>) -> Result<Destination, SettingsError> {
        let Some(uri) = layers.pick(|args| &args.tracking_uri) else { return Ok(Destination::Local) };
        if let Some(access) = databricks::access(uri.expose_secret(), &self.environment) {
            let Access { host, token } = access?;
            let (uri, _) = TrackingUri::parse(&host)?;
            let workspace = Server { uri, credentials: Credentials::Bearer(token), trust: trust(layers)? };
            return Ok(Destination::UnityCatalog(UnityCatalog { workspace, location: location(layers)? }));
        }
        let (uri, in_uri) = TrackingUri::parse(uri.expose_secret())?;
        let Layers([flags, environment, file]) = layers;
        let credentials = Layers([
            CredentialKeys::default().with_token_file(flags.token_file.as_deref())?,
            CredentialKeys::of_environment(&self.environment).with_token_file(environment.token_file.as_deref())?,
            self.file.layer::<CredentialKeys>()?.with_token_file(file.token_file.as_deref())?,
        ]);
        let credentials = credentials.resolve(in_uri)?;
        Ok(Destination::Server(Server { uri, credentials, trust: trust(layers)? }))
    }
}

fn trust(layers: &Layers<DestinationArgs>) -> Result<Trust, SettingsError> {
    let insecure = layers.pick(|args| &args.insecure_tls).unwrap_or(false);
    let verify = match (insecure, layers.pick(|args| &args.server_cert)) {
        (false, None) => Tls::System,
        (false, Some(file)) => Tls::Authorities(file),
        (true, None) => Tls::Unverified,
        (true, Some(_)) => return Err(SettingsError::ContradictoryTls),
    };
    Ok(Trust { verify, identity: layers.pick(|args| &args.client_cert) })
}

fn location(layers: &Layers<DestinationArgs>) -> Result<String, SettingsError> {
    let named = layers.pick(|args| &args.trace_location);
    let location = named.ok_or(SettingsError::TraceLocation { found: "no location in it is named" })?;
    let parts: Vec<_> = location.split('.').collect();
    let is_name = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_graphic());
    match parts.len() {
        2 | 3 if parts.iter().all(is_name) => Ok(location),
        1 => Err(SettingsError::TraceLocation { found: "the trace location is an experiment's id" }),
        _ => Err(SettingsError::TraceLocation { found: "the trace location is none" }),
    }
}

fn experiment(layers: &Layers<DestinationArgs>) -> Result<Option<Experiment>, SettingsError> {
    let strongest = layers.0.iter().find(|args| args.experiment_id.is_some() || args.experiment.is_some());
    match strongest.map(|args| (&args.experiment_id, &args.experiment)) {
        Some((Some(id), _)) => Ok(Some(Experiment::Id(id.to_string()))),
        Some((None, Some(name))) if name.trim().is_empty() => Err(SettingsError::EmptyExperiment),
        Some((None, Some(name))) => Ok(Some(Experiment::Name(name.clone()))),
        Some((None, None)) | None => Ok(None),
    }
}
