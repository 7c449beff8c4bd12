//! What is done, one file a command.

mod auth;
mod completions;
mod doctor;
mod import;
mod man;
mod quarantine;
mod replay;
mod serve;
mod status;
mod translate;

use clap::Subcommand;

pub use auth::{AuthAddArgs, AuthArgs, AuthCommand};
pub use completions::CompletionsArgs;
pub use doctor::DoctorArgs;
pub use import::ImportArgs;
pub use man::ManArgs;
pub use quarantine::{Chosen, QuarantineAction, QuarantineArgs, QuarantineReplayArgs};
pub use replay::ReplayArgs;
pub use serve::ServeArgs;
pub use status::StatusArgs;
pub use translate::{OtlpEncoding, TranslateArgs};

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Receive OTLP over gRPC and HTTP, and deliver traces to MLflow or to the local folder.
    Serve(Box<ServeArgs>),
    /// Translate one OTLP payload from standard input to standard output.
    Translate(TranslateArgs),
    /// Deliver captured OTLP files, the local folder or quarantined spans to MLflow.
    Replay(Box<ReplayArgs>),
    /// Move the history of Phoenix projects, spans and annotations, to MLflow.
    Import(Box<ImportArgs>),
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
    /// Write the man pages into a folder.
    #[command(hide = true)]
    Man(ManArgs),
}
