//! One process at a time: an exclusive lock on a file beside the database, which the system lets go of when the process
//! ends, however it ends. It is held while the database is closed and opened again.

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
    /// Take the lock in this folder, which is made when it is not there: for this user alone, since payloads hold what
    /// applications say.
    pub(super) fn take(folder: &Path) -> Result<Self, OpenError> {
        let failed = |cause| OpenError::folder(folder, cause);
        create_private(folder).map_err(failed)?;
        // The folder is there after a power cut only when the one around it says so.
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

    /// Whether no journal was ever opened here.
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
