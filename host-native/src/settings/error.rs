//! What can be wrong with settings, and what would be right.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use thiserror::Error;

use super::endpoint::ForwardEndpointError;
use super::kafka::KafkaConfigError;

/// A setting that cannot be used. No variant holds a secret.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// An environment variable has a value that cannot be read.
    #[error("{variable} cannot be used: {reason}")]
    Variable {
        /// Its name.
        variable: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A settings file cannot be read.
    #[error("the settings file {} cannot be read: {source}\nhint: create it, or drop --config (or OPENINFERENCE_MLFLOW_CONFIG)", path.display())]
    FileUnreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A settings file is no TOML, or a value in it has the wrong type.
    #[error("the settings file {} cannot be understood, line {line}: {reason}", path.display())]
    FileMalformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
    /// A settings file sets something that does not exist.
    #[error("the settings file {} has an unknown key {key}\nhint: {hint}", path.display())]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
        /// What may have been meant.
        hint: String,
    },
    /// The token file cannot be read.
    #[error("the token file {} cannot be read: {source}", path.display())]
    TokenFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The tracking URI is of a kind that needs MLflow's Python client.
    #[error(
        "the tracking URI names {kind}, and this program speaks to an MLflow server over http or https only\n\
         hint: start `mlflow server` on that store and use its address, such as http://127.0.0.1:5000; to keep traces \
         in the local folder instead, run with MLFLOW_TRACKING_URI= (set to nothing)"
    )]
    UnsupportedUri {
        /// What it names.
        kind: String,
    },
    /// The tracking URI names a Databricks workspace, and something of it is not known.
    #[error(
        "the tracking URI names a Databricks workspace, but {reason}\n\
         hint: set DATABRICKS_HOST and DATABRICKS_TOKEN, or name a profile of ~/.databrickscfg that has a host and a token \
         (databricks://PROFILE)"
    )]
    Databricks {
        /// What is missing.
        reason: String,
    },
    /// Databricks takes spans into tables of Unity Catalog.
    #[error(
        "a Databricks workspace takes OpenTelemetry spans into Unity Catalog, and {found}\n\
         hint: name the location that an experiment is linked to with --trace-location (MLFLOW_TRACING_DESTINATION), as \
         catalog.schema.prefix or catalog.schema"
    )]
    TraceLocation {
        /// What is set, if anything.
        found: &'static str,
    },
    /// The tracking URI starts like a URL and is none.
    #[error("the tracking URI is not a valid URL; expected something like http://127.0.0.1:5000")]
    MalformedUri,
    /// User name without password, or the other way round.
    #[error("{found} for MLflow is set, but {missing} is not; set both, or use MLFLOW_TRACKING_TOKEN")]
    HalfCredentials {
        /// What is there.
        found: &'static str,
        /// The variable that is not.
        missing: &'static str,
    },
    /// A certificate to trust, and nothing to verify.
    #[error(
        "both a server certificate and insecure TLS are set; drop --insecure-tls (MLFLOW_TRACKING_INSECURE_TLS) to \
         verify against --server-cert (MLFLOW_TRACKING_SERVER_CERT_PATH)"
    )]
    ContradictoryTls,
    /// The program's own spans would come back to it.
    #[error(
        "--self-trace-endpoint is this program's own receiver: its spans about spans would never end\n\
         hint: name another collector, or Phoenix"
    )]
    TracesItself,
    /// A destination to forward to, or its headers.
    #[error(transparent)]
    Forward(#[from] ForwardEndpointError),
    /// The address of a Phoenix server.
    #[error("--from-phoenix is not the address of a Phoenix server; expected something like http://127.0.0.1:6006")]
    PhoenixUrl,
    /// The API key or the headers for Phoenix.
    #[error(
        "{variable} cannot be sent; a key is one line of text, headers are comma-separated name=value pairs with \
         percent-encoded values"
    )]
    PhoenixHeader {
        /// Where it comes from.
        variable: &'static str,
    },
    /// Forwarding needs the journal.
    #[error("--forward needs the journal, and --no-journal turns it off; drop one of them")]
    ForwardWithoutJournal,
    /// A property of librdkafka.
    #[error(transparent)]
    KafkaConfig(#[from] KafkaConfigError),
    /// The file with properties of librdkafka cannot be read.
    #[error("the file of --kafka-config-file, {}, cannot be read: {source}", path.display())]
    KafkaConfigFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Nothing to receive from.
    #[error("--no-receivers leaves nothing to receive from; name the brokers with --kafka-brokers, or drop it")]
    NoSource,
    /// An experiment name of no characters.
    #[error("the experiment's name is empty; name one, or leave the setting out")]
    EmptyExperiment,
    /// A certificate without its key, or the other way round.
    #[error("{found} is set, but {missing} is not; TLS needs both")]
    HalfTls {
        /// What is there.
        found: &'static str,
        /// What is not.
        missing: &'static str,
    },
    /// An address that others reach, and nobody is asked who he is.
    #[error(
        "{flag} {address} is reachable from other machines, and anyone there could write traces\n\
         hint: ask senders for credentials with --auth-file (`openinference-mlflow auth add NAME --auth-file FILE` makes \
         them) or for certificates with --tls-client-ca, listen on 127.0.0.1, or, where the network keeps strangers out, \
         say so with --allow-unauthenticated"
    )]
    Exposed {
        /// Where.
        address: SocketAddr,
        /// The flag that says where.
        flag: &'static str,
    },
    /// No file to write entries into.
    #[error("no auth file is named; say which with --auth-file or OPENINFERENCE_MLFLOW_AUTH_FILE")]
    NoAuthFile,
    /// A limit below what the rest needs.
    #[error("{flag} is too small; expected at least {least}")]
    TooLittle {
        /// The setting's flag.
        flag: &'static str,
        /// What would do.
        least: String,
    },
    /// Nowhere to put the data directory.
    #[error("there is no home directory to keep data in; say where with --data-dir or OPENINFERENCE_MLFLOW_DATA_DIR")]
    NoHome,
}
