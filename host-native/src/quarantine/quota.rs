//! The size limit of the quarantine.

use std::io;
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;

/// The limit, and the folder's size when it was last counted plus what was stored since. Clones share the count.
#[derive(Debug, Clone, Default)]
pub(super) struct Quota {
    limit: Option<u64>,
    used: Arc<Mutex<Option<u64>>>,
}

// === impl Quota ===

impl Quota {
    pub(super) fn of(limit: Option<u64>) -> Self {
        Self { limit, used: Arc::default() }
    }

    /// Reserves bytes. Other processes may remove entries, so the folder is counted again before anything is refused.
    pub(super) fn take(&self, folder: &Path, bytes: usize) -> io::Result<()> {
        let Some(limit) = self.limit else { return Ok(()) };
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let mut used = self.used.lock();
        let mut wanted = used.unwrap_or(u64::MAX).saturating_add(bytes);
        if wanted > limit {
            wanted = count(folder)?.saturating_add(bytes);
        }
        if wanted > limit {
            let text = format!(
                "the quarantine is full (--quarantine-max-bytes: {limit} bytes); `openinference-mlflow quarantine drop` or \
                 `quarantine replay` makes room"
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
        // Reason files are small and do not count.
        if !entry.file_name().to_string_lossy().ends_with(super::REASON) {
            bytes = bytes.saturating_add(entry.metadata().map_or(0, |metadata| metadata.len()));
        }
    }
    Ok(bytes)
}
