//! Errors of the journal.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long senders wait while the disk fails.
pub(super) const FAULT_WAIT: Duration = Duration::from_secs(5);
/// How long senders wait while the journal is full.
pub(super) const FULL_WAIT: Duration = Duration::from_secs(5);

/// The journal cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process uses the journal.
    #[error(
        "another process uses the journal in {}\n\
         hint: stop the other `serve`, or choose another --data-dir",
        folder.display()
    )]
    InUse {
        /// The journal's folder.
        folder: PathBuf,
    },
    /// The folder cannot be used.
    #[error(
        "failed to open the journal in {}: {cause}\n\
         hint: free disk space, grant this user write access, or choose another --data-dir",
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
        /// The format of the file.
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

/// A payload was not stored. Its sender must keep it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The journal is full. Retry after this time.
    #[error("the journal is full")]
    Full(Duration),
    /// The disk fails. Retry after this time.
    #[error("failed to write the journal")]
    Unavailable(Duration),
    /// The gateway is stopping.
    #[error("the journal is closed")]
    Closed,
}

/// The journal cannot be read now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("failed to read the journal; see the log")]
pub struct Unavailable;
