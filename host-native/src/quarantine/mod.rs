//! Stores what a destination refuses, so that it can be replayed once the reason is gone.
//!
//! `<data-dir>/quarantine/` contains pairs of files: an OTLP payload (`.pb`, or `.json` if the sender used JSON) and a
//! `.reason.json` with the reason and the destination.
//!
//! Guarantees: each file is written atomically and synced; the reason is written first, so that no payload is without its
//! reason; a payload is never overwritten with other bytes, nor with the same bytes for another destination.

mod entry;
pub mod expiry;
mod migration;
mod quota;
mod record;
pub mod retry;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use tempfile::NamedTempFile;
use xxhash_rust::xxh3::xxh3_64;

use crate::folder::sync;
use crate::payload::{Encoding, PayloadContext};
use crate::wasm::Quarantined;

pub use entry::QuarantineEntry;
use quota::Quota;
pub use record::QuarantineRecord;

/// The suffix of the files with the reasons.
const REASON: &str = ".reason.json";

/// The quarantine folder. Clones share their limit and their count.
#[derive(Debug, Clone)]
pub struct Quarantine {
    path: PathBuf,
    quota: Quota,
    kept: Arc<AtomicU64>,
    /// Locked while a free name is chosen and taken.
    naming: Arc<Mutex<()>>,
}

/// A payload cannot be quarantined. Its bytes are lost unless something else holds them.
#[derive(Debug, thiserror::Error)]
#[error("failed to write {}: {cause}", path.display())]
pub struct QuarantineError {
    path: PathBuf,
    cause: io::Error,
}

// === impl Quarantine ===

impl Quarantine {
    /// The folder in this data directory, with what an earlier version left in `set-aside/`. The folder is created with
    /// the first entry.
    pub fn below(data_dir: &Path) -> Self {
        let path = data_dir.join("quarantine");
        migration::take_over(data_dir, &Self::at(path.clone()));
        Self::at(path)
    }

    fn at(path: PathBuf) -> Self {
        Self { path, quota: Quota::default(), kept: Arc::default(), naming: Arc::default() }
    }

    /// Limits the folder to this many bytes. None: no limit.
    pub fn limited(mut self, bytes: Option<u64>) -> Self {
        self.quota = Quota::of(bytes);
        self
    }

    /// The path of the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The number of entries that this quarantine and its clones stored.
    pub fn kept(&self) -> u64 {
        self.kept.load(Ordering::Relaxed)
    }

    /// Stores one span that MLflow refused, with the context of its payload. Returns the payload file.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn keep_span(&self, span: &Quarantined, context: Option<&PayloadContext>) -> Result<PathBuf, QuarantineError> {
        let record = QuarantineRecord::now(&span.reason);
        let record = QuarantineRecord {
            trace_id: Some(span.trace_id.clone()),
            span_id: Some(span.span_id.clone()),
            ..context.map_or(record.clone(), |context| record.of(context))
        };
        let name = format!("{}-{}", hexadecimal(&span.trace_id), hexadecimal(&span.span_id));
        self.keep(&name, "pb", &span.payload, &record)
    }

    /// Stores a whole payload that MLflow or the translator refused, with its context. Returns the payload file.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn keep_payload(
        &self,
        payload: &[u8],
        context: &PayloadContext,
        reason: &str,
    ) -> Result<PathBuf, QuarantineError> {
        self.keep_payload_for(None, payload, context, reason)
    }

    /// Stores a payload that a forward destination refused; none: MLflow. Returns the payload file.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn keep_payload_for(
        &self,
        destination: Option<&str>,
        payload: &[u8],
        context: &PayloadContext,
        reason: &str,
    ) -> Result<PathBuf, QuarantineError> {
        let record = QuarantineRecord {
            destination: destination.map(str::to_owned),
            ..QuarantineRecord::now(reason).of(context)
        };
        let extension = match context.encoding {
            Encoding::Protobuf => "pb",
            Encoding::Json | Encoding::TraceJson => "json",
        };
        // The name contains a digest, so that a free name is found quickly among many.
        self.keep(&format!("payload-{:016x}", xxh3_64(payload)), extension, payload, &record)
    }

    /// Copies an entry of another quarantine folder. If this folder has the same bytes, their record keeps everything but
    /// the reason and its time. Returns the payload file.
    ///
    /// # Errors
    /// The entry cannot be read, or this folder cannot be written.
    pub fn adopt(&self, item: &QuarantineEntry) -> Result<PathBuf, QuarantineError> {
        let payload = fs::read(&item.path).map_err(|cause| QuarantineError { path: item.path.clone(), cause })?;
        let extension = if item.path.extension().is_some_and(|extension| extension == "json") { "json" } else { "pb" };
        let (stem, path) = self.free_name(&item.id, extension, &payload, None);
        let known = fs::read(self.path.join(format!("{stem}{REASON}"))).ok();
        let known =
            known.filter(|_| path.exists()).and_then(|text| serde_json::from_slice::<QuarantineRecord>(&text).ok());
        let QuarantineRecord { reason, at, .. } = item.record.clone();
        let record = known.map_or_else(|| item.record.clone(), |known| QuarantineRecord { reason, at, ..known });
        self.keep(&item.id, extension, &payload, &record)
    }

    /// Replaces the reason of an entry.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn keep_reason(&self, item: &QuarantineEntry, reason: &str) -> Result<(), QuarantineError> {
        let path = self.path.join(format!("{}{REASON}", item.id));
        let QuarantineRecord { reason, at, .. } = QuarantineRecord::now(reason);
        let record = QuarantineRecord { reason, at, ..item.record.clone() };
        let text = serde_json::to_vec_pretty(&record).map_err(io::Error::from);
        text.and_then(|text| replace(&path, &text)).map_err(|cause| QuarantineError { path, cause })
    }

    fn keep(
        &self,
        name: &str,
        extension: &str,
        payload: &[u8],
        record: &QuarantineRecord,
    ) -> Result<PathBuf, QuarantineError> {
        let failed = |path: &Path, cause| QuarantineError { path: path.to_path_buf(), cause };
        self.create().map_err(|cause| failed(&self.path, cause))?;
        self.quota.take(&self.path, payload.len()).map_err(|cause| failed(&self.path, cause))?;
        let _naming = self.naming.lock();
        let (stem, path) = self.free_name(name, extension, payload, Some(record));
        let reason_path = self.path.join(format!("{stem}{REASON}"));
        let reason = serde_json::to_vec_pretty(record).map_err(|error| failed(&reason_path, error.into()))?;
        replace(&reason_path, &reason).map_err(|cause| failed(&reason_path, cause))?;
        replace(&path, payload).map_err(|cause| failed(&path, cause))?;
        sync(&self.path).map_err(|cause| failed(&self.path, cause))?;
        self.kept.fetch_add(1, Ordering::Relaxed);
        Ok(path)
    }

    fn create(&self) -> io::Result<()> {
        if self.path.is_dir() {
            return Ok(());
        }
        fs::create_dir_all(&self.path)?;
        sync(self.path.parent().unwrap_or(&self.path))
    }

    /// The first of `name`, `name-2`, `name-3`, … that is free, or that holds this payload for the same destination as the
    /// record, if there is a record.
    fn free_name(
        &self,
        name: &str,
        extension: &str,
        payload: &[u8],
        record: Option<&QuarantineRecord>,
    ) -> (String, PathBuf) {
        let has_other_destination = |stem: &str| {
            let known = fs::read(self.path.join(format!("{stem}{REASON}"))).ok();
            let known = known.and_then(|text| serde_json::from_slice::<QuarantineRecord>(&text).ok());
            record.zip(known).is_some_and(|(record, known)| !known.has_same_destination(record))
        };
        let mut stem = name.to_owned();
        let mut next = 2_u64;
        loop {
            let path = self.path.join(format!("{stem}.{extension}"));
            let taken =
                path.exists() && (fs::read(&path).is_ok_and(|held| held != payload) || has_other_destination(&stem));
            if !taken {
                return (stem, path);
            }
            stem = format!("{name}-{next}");
            next += 1;
        }
    }
}

/// Replaces a file atomically and syncs its contents. The caller syncs the folder.
fn replace(path: &Path, contents: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(contents)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// An id for use in a file name. A refused span may have any id.
fn hexadecimal(id: &str) -> &str {
    if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_hexdigit()) { id } else { "unidentified" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(payload: &[u8]) -> Quarantined {
        Quarantined {
            trace_id: "0af7651916cd43dd8448eb211c80319c".to_owned(),
            span_id: "b7ad6b7169203331".to_owned(),
            reason: "too large".to_owned(),
            payload: payload.to_vec(),
            receipt: None,
        }
    }

    fn files(folder: &Quarantine) -> Vec<String> {
        let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    #[test]
    fn given_a_span_then_its_payload_and_its_reason_stand_side_by_side() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Quarantine::below(dir.path());
        let context = PayloadContext {
            encoding: Encoding::Protobuf,
            experiment_id: None,
            experiment_name: Some("agents".to_owned()),
            run_id: None,
            workspace: Some("team".to_owned()),
        };
        let path = folder.keep_span(&span(b"bytes"), Some(&context)).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"bytes");
        let reason: serde_json::Value =
            serde_json::from_slice(&fs::read(path.with_extension("reason.json")).unwrap()).unwrap();
        assert_eq!(reason["reason"], "too large");
        assert_eq!(reason["span_id"], "b7ad6b7169203331");
        assert_eq!((&reason["experiment_name"], &reason["workspace"]), (&"agents".into(), &"team".into()));
        assert!(reason.get("experiment_id").is_none());
    }

    #[test]
    fn given_the_same_span_twice_then_it_is_kept_once_and_another_version_is_kept_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Quarantine::below(dir.path());
        let first = folder.keep_span(&span(b"one"), None).unwrap();
        assert_eq!(folder.keep_span(&span(b"one"), None).unwrap(), first);
        let second = folder.keep_span(&span(b"two"), None).unwrap();
        assert_ne!(first, second);
        assert_eq!(fs::read(first).unwrap(), b"one");
        assert_eq!(fs::read(second).unwrap(), b"two");
        assert_eq!(files(&folder).len(), 4);
    }

    #[test]
    fn given_one_payload_for_two_destinations_then_it_is_kept_for_both() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Quarantine::below(dir.path());
        let context = |name: &str| PayloadContext {
            encoding: Encoding::Protobuf,
            experiment_id: None,
            experiment_name: Some(name.to_owned()),
            run_id: None,
            workspace: None,
        };
        let keep = |destination, name| folder.keep_payload_for(destination, b"bytes", &context(name), "old").unwrap();
        let kept = [keep(None, "agents"), keep(Some("http://phoenix"), "agents"), keep(None, "others")];
        assert_eq!([keep(None, "agents"), keep(Some("http://phoenix"), "agents"), keep(None, "others")], kept);
        let mut items =
            folder.entries().unwrap().into_iter().map(|item| (item.record.destination, item.record.experiment_name));
        let mut items: Vec<_> = items.by_ref().collect();
        items.sort();
        let agents = Some("agents".to_owned());
        assert_eq!(
            items,
            [(None, agents.clone()), (None, Some("others".to_owned())), (Some("http://phoenix".to_owned()), agents)]
        );
    }

    #[test]
    fn given_a_limit_then_nothing_is_kept_beyond_it_until_something_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Quarantine::below(dir.path()).limited(Some(10));
        folder.keep_span(&span(b"12345678"), None).unwrap();
        let said = folder.keep_span(&span(b"876"), None).unwrap_err().to_string();
        assert!(said.contains("--quarantine-max-bytes") && said.contains("quarantine drop"), "{said}");
        assert_eq!(files(&folder).len(), 2);
        folder.entries().unwrap()[0].remove().unwrap();
        folder.keep_span(&span(b"876"), None).unwrap();
    }

    #[test]
    fn given_ids_that_are_no_file_name_then_nothing_is_written_outside_the_folder() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Quarantine::below(dir.path());
        let mut span = span(b"bytes");
        span.trace_id = "../../outside".to_owned();
        span.span_id = String::new();
        let path = folder.keep_span(&span, None).unwrap();
        assert_eq!(path.parent().unwrap(), folder.path());
    }
}
