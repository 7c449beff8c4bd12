//! Syncs a folder. A file that was created or renamed survives a power failure only after its folder is synced, even if
//! the file itself was synced.

use std::io;
use std::path::Path;

/// Returns once the names in this folder are on disk.
#[cfg(unix)]
pub(crate) fn sync(folder: &Path) -> io::Result<()> {
    // A relative path with a single component is in the current folder.
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    std::fs::File::open(folder)?.sync_all()
}

/// Other systems cannot open a folder as a file, and do not need it.
#[cfg(not(unix))]
pub(crate) fn sync(_folder: &Path) -> io::Result<()> {
    Ok(())
}
