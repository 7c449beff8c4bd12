//! The folder as a list: what is set aside, and its end.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::record::Record;
use super::{REASON, SetAsideFolder};

/// One payload that was set aside.
#[derive(Debug, Clone)]
pub struct Item {
    /// Its name in the folder, without extension.
    pub id: String,
    /// The file that holds its bytes.
    pub path: PathBuf,
    /// Why it is there.
    pub record: Record,
    /// Its size.
    pub bytes: u64,
    /// When it was set aside.
    pub since: SystemTime,
}

// === impl SetAsideFolder ===

impl SetAsideFolder {
    /// Everything that is set aside, oldest first. A folder that is not there holds nothing.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn items(&self) -> io::Result<Vec<Item>> {
        let entries = match fs::read_dir(self.path()) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut items = Vec::new();
        for entry in entries {
            items.extend(item(&entry?.path())?);
        }
        items.sort_by(|a: &Item, b| (a.since, &a.id).cmp(&(b.since, &b.id)));
        Ok(items)
    }
}

fn item(path: &Path) -> io::Result<Option<Item>> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let Some((id, _)) = name.rsplit_once('.').filter(|(_, extension)| matches!(*extension, "pb" | "json")) else {
        return Ok(None);
    };
    if name.ends_with(REASON) || name.starts_with('.') {
        return Ok(None);
    }
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        // Somebody has just dropped it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let record = fs::read(reason_of(path)).ok().and_then(|text| serde_json::from_slice::<Record>(&text).ok());
    let record = record.unwrap_or_else(|| Record { reason: "(its reason cannot be read)".into(), ..Record::default() });
    let recorded = record.at.as_deref().and_then(|at| humantime::parse_rfc3339(at).ok());
    let since = recorded.or_else(|| metadata.modified().ok()).unwrap_or(SystemTime::UNIX_EPOCH);
    Ok(Some(Item { id: id.to_owned(), path: path.to_path_buf(), record, bytes: metadata.len(), since }))
}

fn reason_of(path: &Path) -> PathBuf {
    path.with_extension(&REASON[1..])
}

// === impl Item ===

impl Item {
    /// The end of it: the bytes, then the reason, so that there is never a payload without its reason.
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
