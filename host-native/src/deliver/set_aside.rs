//! Keeps what MLflow will not take, so that it can be sent again once the reason is gone.
//!
//! `<data-dir>/set-aside/` holds pairs of files: an OTLP payload (`.pb`, or `.json` as its sender encoded it) and beside
//! it a `.reason.json` that says why it is there. Each file is written whole or not at all, the reason first, so that
//! there is no payload without its reason; a file that is there is never overwritten with other contents.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use tempfile::NamedTempFile;

use crate::guest::{Context, Encoding, SetAside};

/// The folder of things set aside.
#[derive(Debug, Clone)]
pub struct SetAsideFolder(PathBuf);

/// Something cannot be set aside; its bytes are lost when they are held nowhere else.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be written: {cause}", path.display())]
pub struct NotKept {
    path: PathBuf,
    cause: io::Error,
}

/// What stands in a `.reason.json`.
#[derive(Serialize)]
struct Reason<'a> {
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    span_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    experiment_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    experiment_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    workspace: Option<&'a str>,
}

// === impl SetAsideFolder ===

impl SetAsideFolder {
    /// The folder below this data directory. It is created when it is needed.
    pub fn below(data_dir: &Path) -> Self {
        Self(data_dir.join("set-aside"))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Keep one span that MLflow refused. Returns the file that holds it.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub fn keep_span(&self, span: &SetAside) -> Result<PathBuf, NotKept> {
        let reason = Reason {
            reason: &span.reason,
            trace_id: Some(&span.trace_id),
            span_id: Some(&span.span_id),
            experiment_id: None,
            experiment_name: None,
            run_id: None,
            workspace: None,
        };
        let name = format!("{}-{}", hexadecimal(&span.trace_id), hexadecimal(&span.span_id));
        self.keep(&name, "pb", &span.payload, &reason)
    }

    /// Keep a whole payload with what its sender said about it. Returns the file that holds it.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub fn keep_payload(&self, payload: &[u8], context: &Context, reason: &str) -> Result<PathBuf, NotKept> {
        let reason = Reason {
            reason,
            trace_id: None,
            span_id: None,
            experiment_id: context.experiment_id.as_deref(),
            experiment_name: context.experiment_name.as_deref(),
            run_id: context.run_id.as_deref(),
            workspace: context.workspace.as_deref(),
        };
        let extension = match context.encoding {
            Encoding::Protobuf => "pb",
            Encoding::Json | Encoding::TraceJson => "json",
        };
        self.keep("payload", extension, payload, &reason)
    }

    fn keep(&self, name: &str, extension: &str, payload: &[u8], reason: &Reason<'_>) -> Result<PathBuf, NotKept> {
        let failed = |path: &Path, cause| NotKept { path: path.to_path_buf(), cause };
        fs::create_dir_all(&self.0).map_err(|cause| failed(&self.0, cause))?;
        let (stem, path) = self.free_name(name, extension, payload);
        let reason_path = self.0.join(format!("{stem}.reason.json"));
        let reason = serde_json::to_vec_pretty(reason).map_err(|error| failed(&reason_path, error.into()))?;
        replace(&reason_path, &reason).map_err(|cause| failed(&reason_path, cause))?;
        replace(&path, payload).map_err(|cause| failed(&path, cause))?;
        Ok(path)
    }

    /// The first of `name`, `name-2`, `name-3`, … that is free or holds just this payload.
    fn free_name(&self, name: &str, extension: &str, payload: &[u8]) -> (String, PathBuf) {
        let mut stem = name.to_owned();
        let mut next = 2_u64;
        loop {
            let path = self.0.join(format!("{stem}.{extension}"));
            let taken = path.exists() && fs::read(&path).is_ok_and(|held| held != payload);
            if !taken {
                return (stem, path);
            }
            stem = format!("{name}-{next}");
            next += 1;
        }
    }
}

/// Replaces a file by one that is complete and on disk.
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

    fn span(payload: &[u8]) -> SetAside {
        SetAside {
            trace_id: "0af7651916cd43dd8448eb211c80319c".to_owned(),
            span_id: "b7ad6b7169203331".to_owned(),
            reason: "too large".to_owned(),
            payload: payload.to_vec(),
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
        let path = folder.keep_span(&span(b"bytes")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"bytes");
        let reason: serde_json::Value =
            serde_json::from_slice(&fs::read(path.with_extension("reason.json")).unwrap()).unwrap();
        assert_eq!(reason["reason"], "too large");
        assert_eq!(reason["span_id"], "b7ad6b7169203331");
    }

    #[test]
    fn given_the_same_span_twice_then_it_is_kept_once_and_another_version_is_kept_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let folder = SetAsideFolder::below(dir.path());
        let first = folder.keep_span(&span(b"one")).unwrap();
        assert_eq!(folder.keep_span(&span(b"one")).unwrap(), first);
        let second = folder.keep_span(&span(b"two")).unwrap();
        assert_ne!(first, second);
        assert_eq!(fs::read(first).unwrap(), b"one");
        assert_eq!(fs::read(second).unwrap(), b"two");
        assert_eq!(files(&folder).len(), 4);
    }

    #[test]
    fn given_ids_that_are_no_file_name_then_nothing_is_written_outside_the_folder() {
        let dir = tempfile::tempdir().unwrap();
        let folder = SetAsideFolder::below(dir.path());
        let mut span = span(b"bytes");
        span.trace_id = "../../outside".to_owned();
        span.span_id = String::new();
        let path = folder.keep_span(&span).unwrap();
        assert_eq!(path.parent().unwrap(), folder.path());
    }
}
