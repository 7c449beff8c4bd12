//! How much more the folder may hold.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// The limit, and what the folder held when last counted with what was kept since. Clones count together.
#[derive(Debug, Clone, Default)]
pub(super) struct Room {
    limit: Option<u64>,
    used: Arc<Mutex<Option<u64>>>,
}

// === impl Room ===

impl Room {
    pub(super) fn of(limit: Option<u64>) -> Self {
        Self { limit, used: Arc::default() }
    }

    /// Takes so many bytes of the room. Others remove what they want, so that the folder is counted again before anything
    /// is refused.
    pub(super) fn take(&self, folder: &Path, bytes: usize) -> io::Result<()> {
        let Some(limit) = self.limit else { return Ok(()) };
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let mut wanted = used.unwrap_or(u64::MAX).saturating_add(bytes);
        if wanted > limit {
            wanted = count(folder)?.saturating_add(bytes);
        }
        if wanted > limit {
            let text = format!(
                "it holds as much as --quarantine-max-bytes allows, {limit} bytes; `openinference-mlflow quarantine drop` \
                 and `quarantine replay` make room"
            );
            return Err(io::Error::other(text));
        }
        *used = Some(wanted);
        Ok(())
    }
}

fn count(folder: &Path) -> io::Result<u64> {
    let mut bytes: u64 = 0;
    for entry in folder.read_dir()? {
        let entry = entry?;
        // Reasons are small, and one more or less decides nothing.
        if !entry.file_name().to_string_lossy().ends_with(super::REASON) {
            bytes = bytes.saturating_add(entry.metadata().map_or(0, |metadata| metadata.len()));
        }
    }
    Ok(bytes)
}
