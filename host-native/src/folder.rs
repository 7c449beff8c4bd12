//! A folder's names on disk: what was made or renamed in it is there after a power cut only when the folder was synced,
//! whatever was done to the file itself.

use std::io;
use std::path::Path;

/// Returns when the names in this folder are on disk.
#[cfg(unix)]
pub(crate) fn sync(folder: &Path) -> io::Result<()> {
    // A relative path of one name stands in the current folder.
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    std::fs::File::open(folder)?.sync_all()
}

/// Elsewhere a folder cannot be opened as a file, and there is no such thing to do.
#[cfg(not(unix))]
pub(crate) fn sync(_folder: &Path) -> io::Result<()> {
    Ok(())
}
