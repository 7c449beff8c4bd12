//! Keeps what MLflow will not take, so that it can be sent again once the reason is gone.
//!
//! `<data-dir>/set-aside/` holds pairs of files: an OTLP payload (`.pb`, or `.json` as its sender encoded it) and beside
//! it a `.reason.json` that says why it is there. Each file is written whole or not at all, the reason first, so that
//! there is no payload without its reason; a file that is there is never overwritten with other contents, nor with the same
//! for somebody else. What was kept is on disk, with its name.

mod items;
mod record;
mod room;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tempfile::NamedTempFile;
use xxhash_rust::xxh3::xxh3_64;

use crate::folder::sync;
use crate::wasm::{Context, Encoding, Quarantined};

pub use items::Item;
pub use record::Record;
use room::Room;

/// How the files end that say why.
const REASON: &str = ".reason.json";

/// The folder of things set aside.
#[derive(Debug, Clone)]
pub struct SetAsideFolder {
    path: PathBuf,
    room: Room,
    kept: Arc<AtomicU64>,
    /// Held while a name is found and taken.
    naming: Arc<Mutex<()>>,
}

/// Something cannot be set aside; its bytes are lost when they are held nowhere else.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be written: {cause}", path.display())]
pub struct NotKept {
    path: PathBuf,
    cause: io::Error,
}

// === impl SetAsideFolder ===

impl SetAsideFolder {
    /// The folder below this data directory. It is created when it is needed.
    pub fn below(data_dir: &Path) -> Self {
        Self { path: data_dir.join("set-aside"), room: Room::default(), kept: Arc::default(), naming: Arc::default() }
    }

    /// With so many bytes of room; none: any.
    pub fn limited(mut self, bytes: Option<u64>) -> Self {
        self.room = Room::of(bytes);
        self
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How much was set aside, by this one and its clones.
    pub fn kept(&self) -> u64 {
        self.kept.load(Ordering::Relaxed)
    }

    /// Keep one span that MLflow refused, with what the sender said about the payload it came in. Returns the file that
    /// holds it.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub fn keep_span(&self, span: &Quarantined, context: Option<&Context>) -> Result<PathBuf, NotKept> {
        let record = Record::now(&span.reason);
        let record = Record {
            trace_id: Some(span.trace_id.clone()),
            span_id: Some(span.span_id.clone()),
            ..context.map_or(record.clone(), |context| record.of(context))
        };
        let name = format!("{}-{}", hexadecimal(&span.trace_id), hexadecimal(&span.span_id));
        self.keep(&name, "pb", &span.payload, &record)
    }

    /// Keep a whole payload with what its sender said about it. Returns the file that holds it.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub fn keep_payload(&self, payload: &[u8], context: &Context, reason: &str) -> Result<PathBuf, NotKept> {
        self.keep_payload_for(None, payload, context, reason)
    }

    /// The same for another destination than MLflow.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub fn keep_payload_for(
        &self,
        destination: Option<&str>,
        payload: &[u8],
        context: &Context,
        reason: &str,
    ) -> Result<PathBuf, NotKept> {
        let record = Record { destination: destination.map(str::to_owned), ..Record::now(reason).of(context) };
        let extension = match context.encoding {
            Encoding::Protobuf => "pb",
            Encoding::Json | Encoding::TraceJson => "json",
        };
        // Names of their own, so that a free one is found at once among many.
        self.keep(&format!("payload-{:016x}", xxh3_64(payload)), extension, payload, &record)
    }

    /// Take something over that another folder holds. What is said of the same bytes here is said on, but for the
    /// reason. Returns the file that holds it.
    ///
    /// # Errors
    /// It cannot be read, or this folder cannot be written to.
    pub fn adopt(&self, item: &Item) -> Result<PathBuf, NotKept> {
        let payload = fs::read(&item.path).map_err(|cause| NotKept { path: item.path.clone(), cause })?;
        let extension = if item.path.extension().is_some_and(|extension| extension == "json") { "json" } else { "pb" };
        let (stem, path) = self.free_name(&item.id, extension, &payload, None);
        let known = fs::read(self.path.join(format!("{stem}{REASON}"))).ok();
        let known = known.filter(|_| path.exists()).and_then(|text| serde_json::from_slice::<Record>(&text).ok());
        let Record { reason, at, .. } = item.record.clone();
        let record = known.map_or_else(|| item.record.clone(), |known| Record { reason, at, ..known });
        self.keep(&item.id, extension, &payload, &record)
    }

    /// Say another reason for which something is set aside, from now on.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub fn keep_reason(&self, item: &Item, reason: &str) -> Result<(), NotKept> {
        let path = self.path.join(format!("{}{REASON}", item.id));
        let Record { reason, at, .. } = Record::now(reason);
        let record = Record { reason, at, ..item.record.clone() };
        let text = serde_json::to_vec_pretty(&record).map_err(io::Error::from);
        text.and_then(|text| replace(&path, &text)).map_err(|cause| NotKept { path, cause })
    }

    fn keep(&self, name: &str, extension: &str, payload: &[u8], record: &Record) -> Result<PathBuf, NotKept> {
        let failed = |path: &Path, cause| NotKept { path: path.to_path_buf(), cause };
        self.create().map_err(|cause| failed(&self.path, cause))?;
        self.room.take(&self.path, payload.len()).map_err(|cause| failed(&self.path, cause))?;
        let _naming = self.naming.lock().unwrap_or_else(PoisonError::into_inner);
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

    /// The first of `name`, `name-2`, `name-3`, … that is free or holds just this payload, for those that the record names if there
    /// is one.
    fn free_name(&self, name: &str, extension: &str, payload: &[u8], record: Option<&Record>) -> (String, PathBuf) {
        let is_for_others = |stem: &str| {
            let known = fs::read(self.path.join(format!("{stem}{REASON}"))).ok();
            let known = known.and_then(|text| serde_json::from_slice::<Record>(&text).ok());
            record.zip(known).is_some_and(|(record, known)| !known.is_for_the_same(record))
        };
        let mut stem = name.to_owned();
        let mut next = 2_u64;
        loop {
            let path = self.path.join(format!("{stem}.{extension}"));
            let taken = path.exists() && (fs::read(&path).is_ok_and(|held| held != payload) || is_for_others(&stem));
            if !taken {
                return (stem, path);
            }
            stem = format!("{name}-{next}");
            next += 1;
        }
    }
}

/// Replaces a file by one that is complete and on disk; that it has this name is on disk when its folder is synced.
fn replace(path: &Path, contents: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(contents)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// Ids as a file name may hold them; a span that MLflow refuses may have any.
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

    fn files(folder: &SetAsideFolder) -> Vec<String> {
        let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    #[test]
    fn given_a_span_then_its_payload_and_its_reason_stand_side_by_side() {
        let dir = tempfile::tempdir().unwrap();
        let folder = SetAsideFolder::below(dir.path());
        let context = Context {
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
        let folder = SetAsideFolder::below(dir.path());
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
        let folder = SetAsideFolder::below(dir.path());
        let context = |name: &str| Context {
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
            folder.items().unwrap().into_iter().map(|item| (item.record.destination, item.record.experiment_name));
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
        let folder = SetAsideFolder::below(dir.path()).limited(Some(10));
        folder.keep_span(&span(b"12345678"), None).unwrap();
        let said = folder.keep_span(&span(b"876"), None).unwrap_err().to_string();
        assert!(said.contains("--quarantine-max-bytes") && said.contains("quarantine drop"), "{said}");
        assert_eq!(files(&folder).len(), 2);
        folder.items().unwrap()[0].remove().unwrap();
        folder.keep_span(&span(b"876"), None).unwrap();
    }

    #[test]
    fn given_ids_that_are_no_file_name_then_nothing_is_written_outside_the_folder() {
        let dir = tempfile::tempdir().unwrap();
        let folder = SetAsideFolder::below(dir.path());
        let mut span = span(b"bytes");
        span.trace_id = "../../outside".to_owned();
        span.span_id = String::new();
        let path = folder.keep_span(&span, None).unwrap();
        assert_eq!(path.parent().unwrap(), folder.path());
    }
}
