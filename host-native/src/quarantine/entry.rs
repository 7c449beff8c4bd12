//! The entries of the quarantine.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::record::QuarantineRecord;
use super::{Quarantine, REASON};

/// One quarantined payload or span.
#[derive(Debug, Clone)]
pub struct QuarantineEntry {
    /// The file name without its extension.
    pub id: String,
    /// The payload file.
    pub path: PathBuf,
    /// The reason and the destination.
    pub record: QuarantineRecord,
    /// The size of the payload.
    pub bytes: u64,
    /// When it was quarantined.
    pub since: SystemTime,
}

// === impl Quarantine ===

impl Quarantine {
    /// All entries, oldest first. A missing folder has none.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn entries(&self) -> io::Result<Vec<QuarantineEntry>> {
        let entries = match fs::read_dir(self.path()) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut items = Vec::new();
        for entry in entries {
            items.extend(item(&entry?.path())?);
        }
        items.sort_by(|a: &QuarantineEntry, b| (a.since, &a.id).cmp(&(b.since, &b.id)));
        Ok(items)
    }
}

fn item(path: &Path) -> io::Result<Option<QuarantineEntry>> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let Some((id, _)) = name.rsplit_once('.').filter(|(_, extension)| matches!(*extension, "pb" | "json")) else {
        return Ok(None);
    };
    if name.ends_with(REASON) || name.starts_with('.') {
        return Ok(None);
    }
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        // Another process removed it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let record = fs::read(reason_of(path)).ok().and_then(|text| serde_json::from_slice::<QuarantineRecord>(&text).ok());
    let record = record.unwrap_or_else(|| QuarantineRecord {
        reason: "(unreadable reason file)".into(),
        ..QuarantineRecord::default()
    });
    let recorded = record.at.as_deref().and_then(|at| humantime::parse_rfc3339(at).ok());
    let since = recorded.or_else(|| metadata.modified().ok()).unwrap_or(SystemTime::UNIX_EPOCH);
    Ok(Some(QuarantineEntry { id: id.to_owned(), path: path.to_path_buf(), record, bytes: metadata.len(), since }))
}

fn reason_of(path: &Path) -> PathBuf {
    path.with_extension(&REASON[1..])
}

// === impl Item ===

impl QuarantineEntry {
    /// Removes the payload, then the reason, so that no payload is ever without its reason.
    ///
    /// # Errors
    /// A file cannot be removed.
    pub fn remove(&self) -> io::Result<()> {
        for path in [&self.path, &reason_of(&self.path)] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}
