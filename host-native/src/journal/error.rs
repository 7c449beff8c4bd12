//! What can go wrong with the journal.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long senders wait while the disk fails.
pub(super) const FAULT_WAIT: Duration = Duration::from_secs(5);
/// How long senders wait for a journal that is full.
pub(super) const FULL_WAIT: Duration = Duration::from_secs(5);

/// The journal cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error(
        "another process has the journal in {}\n\
         hint: one `serve` at a time uses a data directory: stop the other one, or choose another --data-dir",
        folder.display()
    )]
    InUse {
        /// The journal's folder.
        folder: PathBuf,
    },
    /// The folder cannot be used.
    #[error(
        "the journal in {} cannot be opened: {cause}\n\
         hint: make room or give this user the right to write there, or choose another --data-dir",
        folder.display()
    )]
    Folder {
        /// The journal's folder.
        folder: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// A later version wrote it.
    #[error(
        "the journal in {} has format {found}, and this version reads format {expected}\n\
         hint: run the later version until the journal is empty, or choose another --data-dir",
        folder.display()
    )]
    Format {
        /// The journal's folder.
        folder: PathBuf,
        /// The format that is there.
        found: u64,
        /// The format that this version reads.
        expected: u64,
    },
}

impl OpenError {
    pub(super) fn folder(folder: &Path, cause: io::Error) -> Self {
        Self::Folder { folder: folder.to_path_buf(), cause }
    }
}

/// A payload was not written down; its sender keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The journal holds as much as it may. Try again after this time.
    #[error("the journal is full")]
    Full(Duration),
    /// The disk fails. Try again after this time.
    #[error("the journal cannot be written")]
    Unavailable(Duration),
    /// The program is stopping.
    #[error("the journal is closed")]
    Closed,
}

/// The journal cannot be read just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the journal cannot be read; the log says why")]
pub struct Unavailable;
