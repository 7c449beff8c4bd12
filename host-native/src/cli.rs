//! What can be typed: commands, flags, and the help that goes with them.
//!
//! Every setting is declared once, here: its flag, its environment variable, its key in the settings file (the flag's
//! name with underscores) and its description. `settings` decides which of the three wins; nothing in this file reads
//! the environment or a file, and no flag takes a secret, because the arguments of a process are visible to others.

mod access;
mod auth;
mod limits;

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use bytesize::ByteSize;
use clap::builder::NonEmptyStringValueParser;
use clap::{Arg, ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use secrecy::SecretString;
use serde::Deserialize;

use crate::settings::units::{AdminAddress, DecimalId, OtlpEndpoint, Period, address};
pub use access::AccessArgs;
pub use auth::{AuthAddArgs, AuthArgs, AuthCommand};
pub use limits::LimitArgs;

/// OpenInference spans in, MLflow traces out.
///
/// Applications export OpenTelemetry traces to this program over OTLP; MLflow receives whole traces with types, chat
/// messages, token usage and costs filled in.
#[derive(Debug, Parser)]
#[command(name = "openinference-mlflow", version, max_term_width = 110, after_long_help = EXAMPLES)]
pub struct Cli {
    /// Options that every command takes.
    #[command(flatten)]
    pub global: GlobalArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  openinference-mlflow demo
      See it work, with nothing else installed.
  openinference-mlflow serve
      Receive OTLP on 127.0.0.1, ports 4317 (gRPC) and 4318 (HTTP); keep traces as files and draw them.
  openinference-mlflow serve --tracking-uri http://127.0.0.1:5000 --experiment my-agent
      The same, with MLflow as the destination.
  OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 python my_agent.py
      Point an instrumented application at it.

Settings come from flags, then the environment, then the settings file, then defaults. A variable that is set to \
nothing counts as not set. In the settings file (TOML) each key is a flag's name with underscores:

  tracking_uri = \"https://mlflow.example.com\"
  experiment   = \"my-agent\"
  settle       = \"500ms\"

Credentials come from MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, or from the \
settings file (username, password, token), never from a flag.

RUST_LOG sets how much is logged: RUST_LOG=debug, RUST_LOG=openinference_mlflow=trace.";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Receive OTLP over gRPC and HTTP, and deliver traces to MLflow or to the local folder.
    Serve(Box<ServeArgs>),
    /// Translate one OTLP payload from standard input to standard output.
    Translate(TranslateArgs),
    /// Deliver captured OTLP files, the local folder or set-aside spans to MLflow.
    Replay(Box<ReplayArgs>),
    /// List, show, send again or drop what MLflow would not take.
    Quarantine(Box<QuarantineArgs>),
    /// Show what a running `serve` does.
    Status(StatusArgs),
    /// Say who may send to `serve`.
    Auth(AuthArgs),
    /// Check server, credentials, experiment, ports and folder, and say what to do about what is wrong.
    Doctor(Box<DoctorArgs>),
    /// Serve on loopback, send bundled sample traces as an application would, and draw them.
    Demo,
    /// Print the completion script of a shell.
    Completions(CompletionsArgs),
}

/// Options that every command takes.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[command(next_help_heading = "Global options")]
#[serde(default)]
pub struct GlobalArgs {
    /// Settings file (TOML).
    ///
    /// Without this, `openinference-mlflow/config.toml` in the user's configuration directory is read if it is there
    /// (on Linux `~/.config`). The working directory is never searched: a file that lies in somebody else's
    /// repository must not decide where credentials are sent.
    #[arg(long, global = true, value_name = "FILE", env = "OPENINFERENCE_MLFLOW_CONFIG", value_hint = ValueHint::FilePath)]
    #[serde(skip)]
    pub config: Option<PathBuf>,
    /// The local folder and all state.
    ///
    /// Default: `openinference-mlflow` in the user's data directory (on Linux `~/.local/share`).
    #[arg(long, global = true, value_name = "DIR", env = "OPENINFERENCE_MLFLOW_DATA_DIR", value_hint = ValueHint::DirPath)]
    pub data_dir: Option<PathBuf>,
    /// How log lines are written to standard error [default: human].
    #[arg(long, global = true, value_name = "FORMAT", env = "OPENINFERENCE_MLFLOW_LOG_FORMAT")]
    pub log_format: Option<LogFormat>,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people, coloured on a terminal.
    #[default]
    Human,
    /// One JSON object a line.
    Json,
}

/// Where traces go.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[command(next_help_heading = "Destination")]
#[serde(default)]
pub struct DestinationArgs {
    /// MLflow server, such as http://127.0.0.1:5000.
    ///
    /// Without it traces are kept in the local folder and drawn in the terminal. Only http and https are supported.
    #[arg(long, value_name = "URI", env = "MLFLOW_TRACKING_URI", value_hint = ValueHint::Url)]
    pub tracking_uri: Option<SecretString>,
    /// Experiment by name; created when it does not exist.
    ///
    /// Without an experiment, the resource attribute openinference.project.name names it, and without that traces go
    /// to experiment 0. A sender's x-mlflow-experiment-id and x-mlflow-experiment-name headers win over this setting.
    #[arg(long, value_name = "NAME", env = "MLFLOW_EXPERIMENT_NAME", value_parser = NonEmptyStringValueParser::new())]
    pub experiment: Option<String>,
    /// Experiment by id; wins over a name that is set in the same place.
    #[arg(long, value_name = "ID", env = "MLFLOW_EXPERIMENT_ID")]
    pub experiment_id: Option<DecimalId>,
    /// Link the traces to this run.
    #[arg(long, value_name = "ID", env = "MLFLOW_RUN_ID", value_parser = NonEmptyStringValueParser::new())]
    pub run_id: Option<String>,
    /// Workspace of a server that has workspaces.
    #[arg(long, value_name = "NAME", env = "MLFLOW_WORKSPACE", value_parser = NonEmptyStringValueParser::new())]
    pub workspace: Option<String>,
    /// File that holds the bearer token, such as a mounted secret.
    #[arg(long, value_name = "FILE", env = "OPENINFERENCE_MLFLOW_TOKEN_FILE", value_hint = ValueHint::FilePath)]
    pub token_file: Option<PathBuf>,
    /// Certificate authorities to trust instead of the system's (PEM).
    #[arg(long, value_name = "FILE", env = "MLFLOW_TRACKING_SERVER_CERT_PATH", value_hint = ValueHint::FilePath)]
    pub server_cert: Option<PathBuf>,
    /// Do not verify the server's certificate. For experiments only: anybody on the way can read the credentials.
    #[arg(long, value_name = "BOOL", env = "MLFLOW_TRACKING_INSECURE_TLS", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", action = ArgAction::Set, value_parser = clap::builder::BoolishValueParser::new())]
    pub insecure_tls: Option<bool>,
    /// Noise filter: deliver OpenInference spans alone, each below its nearest OpenInference ancestor.
    #[arg(long, value_name = "BOOL", env = "OPENINFERENCE_MLFLOW_OPENINFERENCE_ONLY", num_args = 0..=1,
          require_equals = true, default_missing_value = "true", action = ArgAction::Set,
          value_parser = clap::builder::BoolishValueParser::new())]
    pub openinference_only: Option<bool>,
}

/// Where applications send.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[command(next_help_heading = "Receiving")]
#[serde(default)]
pub struct ReceiveArgs {
    /// Address for OTLP/gRPC [default: 127.0.0.1:4317].
    #[arg(long, value_name = "IP:PORT", env = "OPENINFERENCE_MLFLOW_GRPC_LISTEN", value_parser = address)]
    pub grpc_listen: Option<SocketAddr>,
    /// Address for OTLP/HTTP, path /v1/traces [default: 127.0.0.1:4318].
    #[arg(long, value_name = "IP:PORT", env = "OPENINFERENCE_MLFLOW_HTTP_LISTEN", value_parser = address)]
    pub http_listen: Option<SocketAddr>,
    /// Largest payload that is accepted, decompressed [default: 64MiB].
    #[arg(long, value_name = "SIZE", env = "OPENINFERENCE_MLFLOW_MAX_BODY_SIZE")]
    pub max_body_size: Option<ByteSize>,
    /// On SIGTERM and Ctrl-C: how long to go on delivering what was accepted [default: 10s].
    #[arg(long, value_name = "DURATION", env = "OPENINFERENCE_MLFLOW_SHUTDOWN_TIMEOUT")]
    pub shutdown_timeout: Option<Period>,
}

/// What operators see.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[command(next_help_heading = "Operating")]
#[serde(default)]
pub struct OperateArgs {
    /// Address for /healthz, /readyz and /metrics, or off [default: 127.0.0.1:4319].
    ///
    /// Whoever reaches it can read figures (never spans, never credentials), and is not asked who they are. When the
    /// default is in use by another program, a warning says so and the rest works without it.
    #[arg(long, value_name = "IP:PORT", env = "OPENINFERENCE_MLFLOW_ADMIN_LISTEN")]
    pub admin_listen: Option<AdminAddress>,
    /// What the set-aside folder may hold [default: 1GiB].
    ///
    /// Beyond it nothing more is set aside, nor deleted to make room: every span that would be is told in the log.
    /// `quarantine replay` and `quarantine drop` make room.
    #[arg(long, value_name = "SIZE", env = "OPENINFERENCE_MLFLOW_QUARANTINE_MAX_BYTES")]
    pub quarantine_max_bytes: Option<ByteSize>,
    /// Where this program's own spans go: the base URL of an OTLP/HTTP endpoint, such as http://127.0.0.1:4418 [default:
    /// nowhere].
    ///
    /// They tell how long receiving, ingesting and requests take, and nothing of what is received. Headers come from
    /// OTEL_EXPORTER_OTLP_HEADERS; the other OTEL variables are for applications and are not read. It must not be this
    /// program's own receiver.
    #[arg(long, value_name = "URL", env = "OPENINFERENCE_MLFLOW_SELF_TRACE_ENDPOINT", value_hint = ValueHint::Url)]
    pub self_trace_endpoint: Option<OtlpEndpoint>,
}

/// Other endpoints, beside MLflow.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[command(next_help_heading = "Forwarding")]
#[serde(default)]
pub struct ForwardArgs {
    /// Send what is received, unchanged, to this OTLP endpoint as well. May be given several times.
    ///
    /// http://HOST:PORT and https://HOST:PORT are OTLP/HTTP (with a path, that is used as it is; without one, /v1/traces);
    /// grpc://HOST:PORT and grpcs://HOST:PORT are OTLP/gRPC (without a port: 4317 and 443). In the environment, several are
    /// separated by commas.
    ///
    /// Headers, such as API keys, come from OPENINFERENCE_MLFLOW_FORWARD_HEADERS or from forward_headers in the settings
    /// file: for each destination a line with its URL, a space, and name=value pairs with commas between them, values
    /// percent-encoded.
    #[arg(long, value_name = "URL", env = "OPENINFERENCE_MLFLOW_FORWARD", value_delimiter = ',', value_hint = ValueHint::Url)]
    pub forward: Option<Vec<SecretString>>,
}

/// What is kept on disk until it is delivered.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[command(next_help_heading = "Durability")]
#[serde(default)]
pub struct JournalArgs {
    /// What may wait on disk. Beyond it senders are asked to wait [default: 8GiB].
    ///
    /// The size of the payloads, without their compression; the file may be twice as large. Nothing is dropped to make
    /// room.
    #[arg(long, value_name = "SIZE", env = "OPENINFERENCE_MLFLOW_JOURNAL_MAX_BYTES")]
    pub journal_max_bytes: Option<ByteSize>,
    /// How long a payload may wait on disk [default: 7d].
    ///
    /// One that a destination did not take within this time is set aside in the data directory with the reason, and is
    /// kept there until somebody sends or deletes it.
    #[arg(long, value_name = "DURATION", env = "OPENINFERENCE_MLFLOW_JOURNAL_MAX_AGE")]
    pub journal_max_age: Option<Period>,
    /// Hold payloads in memory alone: what was acknowledged is lost when the program is killed. For measurements.
    #[arg(long, value_name = "BOOL", env = "OPENINFERENCE_MLFLOW_NO_JOURNAL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", action = ArgAction::Set, hide_short_help = true,
          value_parser = clap::builder::BoolishValueParser::new())]
    pub no_journal: Option<bool>,
}

/// Assembly and delivery. The defaults suit one server and any number of applications.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[command(next_help_heading = "Tuning")]
#[serde(default)]
pub struct TuningArgs {
    /// How long a trace whose root has ended waits for late spans [default: 500ms].
    #[arg(long, value_name = "DURATION", env = "OPENINFERENCE_MLFLOW_SETTLE", hide_short_help = true)]
    pub settle: Option<Period>,
    /// How often the finished spans of an unfinished trace are sent [default: 10s].
    #[arg(long, value_name = "DURATION", env = "OPENINFERENCE_MLFLOW_PARTIAL_INTERVAL", hide_short_help = true)]
    pub partial_interval: Option<Period>,
    /// A trace without a root is closed after so long without a new span [default: 5m].
    #[arg(long, value_name = "DURATION", env = "OPENINFERENCE_MLFLOW_IDLE_LIMIT", hide_short_help = true)]
    pub idle_limit: Option<Period>,
    /// How long the outline of a delivered trace is kept for spans that come late [default: 10m].
    #[arg(long, value_name = "DURATION", env = "OPENINFERENCE_MLFLOW_REMEMBER", hide_short_help = true)]
    pub remember: Option<Period>,
    /// Memory for undelivered spans. Beyond half of it traces are sent early, beyond it senders are asked to
    /// wait [default: 256MiB].
    #[arg(long, value_name = "SIZE", env = "OPENINFERENCE_MLFLOW_MAX_MEMORY", hide_short_help = true)]
    pub max_memory: Option<ByteSize>,
    /// Most spans in one request [default: 512].
    #[arg(long, value_name = "COUNT", env = "OPENINFERENCE_MLFLOW_BATCH_SPANS", hide_short_help = true)]
    pub batch_spans: Option<NonZeroU32>,
    /// Largest request [default: 4MiB].
    #[arg(long, value_name = "SIZE", env = "OPENINFERENCE_MLFLOW_BATCH_SIZE", hide_short_help = true)]
    pub batch_size: Option<ByteSize>,
    /// Requests under way at once [default: 4].
    #[arg(long, value_name = "COUNT", env = "OPENINFERENCE_MLFLOW_CONCURRENCY", hide_short_help = true)]
    pub concurrency: Option<NonZeroU32>,
    /// How long a request may take [default: 30s].
    #[arg(long, value_name = "DURATION", env = "OPENINFERENCE_MLFLOW_REQUEST_TIMEOUT", hide_short_help = true)]
    pub request_timeout: Option<Period>,
    /// Wait before the first repetition of a failed request; doubles each time [default: 500ms].
    #[arg(long, value_name = "DURATION", env = "OPENINFERENCE_MLFLOW_RETRY_INITIAL", hide_short_help = true)]
    pub retry_initial: Option<Period>,
    /// Longest wait between repetitions [default: 30s].
    #[arg(long, value_name = "DURATION", env = "OPENINFERENCE_MLFLOW_RETRY_MAX", hide_short_help = true)]
    pub retry_max: Option<Period>,
}

/// `serve`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  openinference-mlflow serve
      Local folder: traces are kept as files and drawn in the terminal.
  openinference-mlflow serve --tracking-uri http://127.0.0.1:5000 --experiment my-agent
  MLFLOW_TRACKING_TOKEN=… openinference-mlflow serve --tracking-uri https://mlflow.example.com
  openinference-mlflow serve --tracking-uri http://127.0.0.1:5000 --forward http://127.0.0.1:6006
      MLflow and Phoenix get the same traces.
  openinference-mlflow serve --grpc-listen 0.0.0.0:4317 --http-listen 0.0.0.0:4318 \\
      --tls-cert server.pem --tls-key server.key --auth-file senders
      A gateway for a team: over TLS, for those whom `openinference-mlflow auth add` made known.")]
pub struct ServeArgs {
    #[command(flatten)]
    pub(crate) destination: DestinationArgs,
    #[command(flatten)]
    pub(crate) receive: ReceiveArgs,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
    #[command(flatten)]
    pub(crate) forward: ForwardArgs,
    #[command(flatten)]
    pub(crate) journal: JournalArgs,
    #[command(flatten)]
    pub(crate) operate: OperateArgs,
    #[command(flatten)]
    pub(crate) tuning: TuningArgs,
}

/// An encoding of OTLP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OtlpEncoding {
    /// `ExportTraceServiceRequest` in protobuf.
    Protobuf,
    /// OTLP/JSON.
    Json,
}

/// `translate`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
The payload is an OTLP ExportTraceServiceRequest. All that came in goes out unchanged; mlflow.* attributes are added. \
What had to be repaired or left out is reported on standard error. The exit code is 0 when a translation was written, \
1 when the input is not a readable payload.

Examples:
  openinference-mlflow translate <spans.pb >translated.pb
  openinference-mlflow translate --from json --to json <spans.json | jq .")]
pub struct TranslateArgs {
    /// Encoding of standard input.
    #[arg(long, value_name = "ENCODING", default_value = "protobuf")]
    pub(crate) from: OtlpEncoding,
    /// Encoding of standard output.
    #[arg(long, value_name = "ENCODING", default_value = "protobuf")]
    pub(crate) to: OtlpEncoding,
}

/// `replay`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Files are recognised by their names and contents: OTLP protobuf (.pb, .binpb, .otlp, and .proto as the Collector's \
file exporter writes it), OTLP/JSON and JSON lines (.json, .jsonl), trace JSON of the local folder (tr-<id>.json), \
each also with .gz. Folders are searched. A trace of the local folder goes to the experiment that its folder names, \
unless --experiment or --experiment-id says otherwise.

What MLflow has acknowledged is remembered in the data directory, so that a repetition after an interruption goes on \
where it stopped; --again sends everything once more, which MLflow stores over the old spans. The exit code is 0 only \
when MLflow has everything.

Examples:
  openinference-mlflow replay traces/ --tracking-uri http://127.0.0.1:5000
  openinference-mlflow replay captured/*.pb --experiment imported")]
pub struct ReplayArgs {
    /// Files and folders.
    #[arg(required = true, value_name = "PATHS", value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<PathBuf>,
    /// Send what was already acknowledged, too.
    #[arg(long)]
    pub(crate) again: bool,
    #[command(flatten)]
    pub(crate) destination: DestinationArgs,
    #[command(flatten)]
    pub(crate) tuning: TuningArgs,
}

/// `quarantine`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
What MLflow would not take lies in the set-aside folder of the data directory, a payload and its reason side by side. \
The commands may be used while `serve` runs on the same data directory.

Examples:
  openinference-mlflow quarantine list
  openinference-mlflow quarantine show 0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331
  openinference-mlflow quarantine replay --all --tracking-uri http://127.0.0.1:5000")]
pub struct QuarantineArgs {
    /// What to do with it.
    #[command(subcommand)]
    pub(crate) action: QuarantineAction,
}

/// What to do with what is set aside.
#[derive(Debug, Subcommand)]
pub enum QuarantineAction {
    /// A line for each payload, oldest first.
    List {
        /// Write it as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Why a payload is set aside, and its spans by name; none of their content.
    Show {
        /// The payload, as `list` names it.
        id: String,
        /// Print the payload itself, as OTLP/JSON.
        #[arg(long)]
        content: bool,
    },
    /// Send payloads to MLflow, for the experiment that their senders named, and remove what MLflow has taken.
    ///
    /// The exit code is 0 when MLflow has all of them.
    Replay(Box<QuarantineReplayArgs>),
    /// Delete payloads, after a question.
    Drop {
        /// Which.
        #[command(flatten)]
        chosen: Chosen,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

/// `quarantine replay`.
#[derive(Debug, Args)]
pub struct QuarantineReplayArgs {
    #[command(flatten)]
    pub(crate) chosen: Chosen,
    #[command(flatten)]
    pub(crate) destination: DestinationArgs,
    #[command(flatten)]
    pub(crate) tuning: TuningArgs,
}

/// Some of what is set aside.
#[derive(Debug, Args)]
pub struct Chosen {
    /// The payloads, as `list` names them.
    #[arg(value_name = "ID", required_unless_present = "all")]
    pub(crate) ids: Vec<String>,
    /// All of them.
    #[arg(long, conflicts_with = "ids")]
    pub(crate) all: bool,
}

/// `status`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
On a terminal the view is renewed every second until Ctrl-C; elsewhere each second is a line. With --once or --json the \
exit code is 0 when the host is ready, 1 when it is not or nobody answers.

Examples:
  openinference-mlflow status
  openinference-mlflow status --once --url http://gateway.internal:4319
  openinference-mlflow status --json | jq '.figures[] | select(.name == \"delivered_spans_total\")'")]
pub struct StatusArgs {
    /// The host's --admin-listen address [default: http://127.0.0.1:4319].
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub(crate) url: Option<reqwest::Url>,
    /// Once, and then end.
    #[arg(long)]
    pub(crate) once: bool,
    /// Once, as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// How often the view is renewed [default: 1s].
    #[arg(long, value_name = "DURATION")]
    pub(crate) interval: Option<Period>,
}

/// `doctor`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Nothing is created or changed on the server. The exit code is 0 when nothing is broken, 1 otherwise.

Examples:
  openinference-mlflow doctor --tracking-uri http://127.0.0.1:5000 --experiment my-agent
  openinference-mlflow doctor --json | jq '.findings[] | select(.state != \"ok\")'")]
pub struct DoctorArgs {
    /// Write the findings as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) destination: DestinationArgs,
    #[command(flatten)]
    pub(crate) receive: ReceiveArgs,
}

/// `completions`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  openinference-mlflow completions bash >~/.local/share/bash-completion/completions/openinference-mlflow
  openinference-mlflow completions zsh  >\"${fpath[1]}/_openinference-mlflow\"
  openinference-mlflow completions fish >~/.config/fish/completions/openinference-mlflow.fish")]
pub struct CompletionsArgs {
    /// The shell.
    pub(crate) shell: Shell,
}

impl Cli {
    /// Parse the arguments of this process; prints help, the version or an error and ends the process where clap does.
    pub fn from_arguments() -> Self {
        let matches = command().get_matches();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }

    /// Parse the given arguments, the first being the program's name.
    ///
    /// # Errors
    /// What clap has to say: unknown flags and bad values, but also `--help` and `--version`.
    pub fn try_from_arguments<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Result<Self, clap::Error> {
        Self::from_arg_matches(&command().try_get_matches_from(arguments)?)
    }
}

/// The command line as clap knows it, with each setting's environment variable in its long help, but not read by clap: the
/// environment is a layer of its own in `settings`, below all flags.
pub fn command() -> clap::Command {
    fn describe(command: clap::Command) -> clap::Command {
        command.mut_args(name_variable_in_help).mut_subcommands(describe)
    }
    describe(Cli::command())
}

fn name_variable_in_help(arg: Arg) -> Arg {
    let Some(variable) = arg.get_env().map(|name| name.to_string_lossy().into_owned()) else { return arg };
    let help = arg.get_long_help().or(arg.get_help()).map(ToString::to_string).unwrap_or_default();
    arg.env(None::<&'static str>).long_help(format!("{help} [env: {variable}]"))
}

#[cfg(test)]
mod tests;
