//! `import`: the history of another server to MLflow.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{ArgGroup, Args, ValueHint};
use secrecy::SecretString;

use crate::cli::{DestinationArgs, TuningArgs};
use crate::units::Moment;

/// `import`.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("which").required(true).args(["projects", "all_projects"]),
    after_long_help = "\
Moves spans with their annotations, and annotations of traces and sessions, which become MLflow's assessments. Each \
project goes to the experiment of its name, unless --experiment or --experiment-id says otherwise.

Phoenix's API key comes from PHOENIX_API_KEY or from phoenix_api_key in the settings file, other headers from \
PHOENIX_CLIENT_HEADERS or phoenix_client_headers (name=value pairs with commas between them, values percent-encoded), \
never from a flag.

What MLflow has acknowledged is remembered in the data directory, so that a repetition after an interruption goes on \
where it stopped, and a later one sends what is new; --again sends everything once more, which MLflow stores over the \
old spans. The exit code is 0 only when MLflow has everything.

Examples:
  openinference-mlflow import --from-phoenix http://127.0.0.1:6006 --all-projects --dry-run
  openinference-mlflow import --from-phoenix http://127.0.0.1:6006 --project my-agent \\
      --tracking-uri http://127.0.0.1:5000
  PHOENIX_API_KEY=… openinference-mlflow import --from-phoenix https://phoenix.example.com --project my-agent --since 30d"
)]
pub struct ImportArgs {
    /// Phoenix server, such as http://127.0.0.1:6006.
    #[arg(long, value_name = "URL", required = true, value_hint = ValueHint::Url)]
    pub(crate) from_phoenix: SecretString,
    /// Project by name. May be given several times.
    #[arg(long = "project", value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) projects: Vec<String>,
    /// Every project but those of Phoenix's own experiments.
    #[arg(long)]
    pub(crate) all_projects: bool,
    /// Only traces that began then or later: a day (2026-11-01), a time in UTC (2026-11-01T12:00:00Z), or how long ago
    /// (30d).
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<Moment>,
    /// Only traces that began before then [default: the start of the import].
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<Moment>,
    /// Spans that one request asks Phoenix for. Of more than 15, Phoenix on SQLite reads the whole project each time; on
    /// PostgreSQL 200 are faster.
    #[arg(long, value_name = "COUNT", default_value_t = 15, value_parser = clap::value_parser!(u16).range(1..=200))]
    pub(crate) page_size: u16,
    /// Count what would be sent, and send nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Send what was already acknowledged, too.
    #[arg(long)]
    pub(crate) again: bool,
    /// Write the summary as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Certificate authorities to trust for Phoenix instead of the system's (PEM).
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) phoenix_cert: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) destination: DestinationArgs,
    #[command(flatten)]
    pub(crate) tuning: TuningArgs,
}
