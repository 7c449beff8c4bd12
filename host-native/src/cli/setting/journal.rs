//! What is kept on disk until it is delivered.

use bytesize::ByteSize;
use clap::{ArgAction, Args};
use serde::Deserialize;

use crate::units::Period;

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
    /// The gateway moves an older payload to the quarantine folder with the reason. It stays there until you replay or
    /// drop it.
    #[arg(long, value_name = "DURATION", env = "OPENINFERENCE_MLFLOW_JOURNAL_MAX_AGE")]
    pub journal_max_age: Option<Period>,
    /// Hold payloads in memory alone: what was acknowledged is lost when the program is killed. For measurements.
    #[arg(long, value_name = "BOOL", env = "OPENINFERENCE_MLFLOW_NO_JOURNAL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", action = ArgAction::Set, hide_short_help = true,
          value_parser = clap::builder::BoolishValueParser::new())]
    pub no_journal: Option<bool>,
}
