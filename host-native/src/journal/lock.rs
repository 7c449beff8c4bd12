//! An exclusive lock on a file beside the database, so that only one process uses it. The system releases the lock when the
//! process ends. The lock is held while the database is closed and reopened.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::Path;

use super::error::OpenError;
use crate::folder::sync;

#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
    first_time: bool,
}

impl Lock {
    /// Takes the lock in this folder. Creates the folder, readable only by this user, because payloads contain prompts
    /// and completions.
    pub(super) fn take(folder: &Path) -> Result<Self, OpenError> {
        let failed = |cause| OpenError::folder(folder, cause);
        create_private(folder).map_err(failed)?;
        // The folder survives a power failure only after its parent is synced.
        sync(folder.parent().unwrap_or(folder)).map_err(failed)?;
        let path = folder.join("lock");
        let first_time = !path.exists();
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file, first_time }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse { folder: folder.to_path_buf() }),
            Err(TryLockError::Error(cause)) => Err(failed(cause)),
        }
    }

    /// Whether the folder had no journal before.
    pub(super) fn first_time(&self) -> bool {
        self.first_time
    }
}

fn create_private(folder: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
