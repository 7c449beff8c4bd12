//! Why Phoenix does not give what it was asked for.

use std::time::Duration;

/// A request that is given up.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// It has no such thing.
    #[error("Phoenix does not have it")]
    NotFound,
    /// It fails on what was asked for, or that is too large: less of it may work.
    #[error("Phoenix {0}")]
    Content(String),
    /// Nothing else would work either.
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

/// One attempt that failed.
#[derive(Debug)]
pub(super) enum Attempt {
    /// Phoenix is away or busy, and says perhaps for how long.
    Away(String, Option<Duration>),
    /// Phoenix failed.
    Crashed(String),
    /// No repetition would help.
    Fails(Failure),
}

impl From<Failure> for Attempt {
    fn from(failure: Failure) -> Self {
        Self::Fails(failure)
    }
}
