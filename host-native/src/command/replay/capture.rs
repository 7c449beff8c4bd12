//! What was captured: files and folders in, payloads out, each with where it belongs.
//!
//! | file | holds |
//! |---|---|
//! | `.pb`, `.binpb`, `.otlp`, `.proto` | one OTLP protobuf payload, or many with a four-byte length before each, as the Collector's file exporter writes them |
//! | `.json`, `.jsonl` | one OTLP/JSON payload, or one on each line, or one trace in MLflow's trace JSON |
//! | `tr-<id>.json` | a trace of the local folder; the folder it is in names its experiment |
//! | any of these beside a `.reason.json` | what was quarantined, for the destination that its sender had asked for |
//!
//! Each may end in `.gz`. Folders are searched for these names; a file that is named itself may have any. What is in a
//! file follows from its first bytes. One damaged payload does not cost the others in its file.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use serde::de::IgnoredAny;
use walkdir::{DirEntry, WalkDir};

use crate::command::transfer::MAX_PAYLOAD;
use crate::exporter::local::{experiment_of_folder, trace_of_file};
use crate::payload::{Encoding, PayloadContext};
use crate::quarantine::QuarantineRecord;

/// The largest file, in bytes after decompression.
const MAX_FILE: u64 = 1 << 30;

const EXTENSIONS: [&str; 6] = ["pb", "binpb", "otlp", "proto", "json", "jsonl"];
const REASON: &str = ".reason.json";
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// The first byte of every `ExportTraceServiceRequest` that is not empty: field 1, length-delimited.
const RESOURCE_SPANS: u8 = 0x0a;

/// One payload, and where it belongs.
#[derive(Debug)]
pub(super) struct Captured {
    pub(super) payload: Bytes,
    pub(super) context: PayloadContext,
    /// MLflow refused it before.
    pub(super) quarantined: bool,
}

/// Something that holds no payload.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("{} cannot be read: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("{} is larger than {} MiB; split it", path.display(), MAX_FILE >> 20)]
    FileTooLarge { path: PathBuf },
    #[error("{}, payload {number}: larger than {} MiB", path.display(), MAX_PAYLOAD >> 20)]
    PayloadTooLarge { path: PathBuf, number: usize },
    #[error("{}, payload {number}: the file ends within it", path.display())]
    Truncated { path: PathBuf, number: usize },
}

/// The files that hold payloads, in the order of their names.
pub(super) fn files(paths: &[PathBuf]) -> Vec<Result<PathBuf, Unreadable>> {
    let mut files = Vec::new();
    for path in paths {
        let entries = WalkDir::new(path).sort_by_file_name().into_iter();
        for entry in entries.filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry)) {
            match entry {
                Ok(entry) if entry.file_type().is_dir() => {}
                Ok(entry) if entry.depth() == 0 || holds_payloads(entry.path()) => files.push(Ok(entry.into_path())),
                Ok(_) => {}
                Err(error) => {
                    let path = error.path().unwrap_or(path).to_path_buf();
                    files.push(Err(Unreadable::File { path, source: error.into() }));
                }
            }
        }
    }
    files
}

/// The payloads of a file, in their order.
pub(super) fn read(path: &Path) -> Vec<Result<Captured, Unreadable>> {
    let contents = match contents(path) {
        Ok(contents) => contents,
        Err(error) => return vec![Err(error)],
    };
    let (context, quarantined) = belongs(path);
    let is_json = is_json(&contents);
    let payloads = if is_json { json(&contents) } else { protobuf(path, &contents) };
    let sized = payloads.into_iter().enumerate().map(|(index, payload)| match payload {
        Ok(payload) if payload.len() > MAX_PAYLOAD => {
            Err(Unreadable::PayloadTooLarge { path: path.to_path_buf(), number: index + 1 })
        }
        payload => payload,
    });
    let captured = |payload: Bytes| {
        let encoding = if is_json { encoding_of(&payload) } else { Encoding::Protobuf };
        Captured { payload, context: PayloadContext { encoding, ..context.clone() }, quarantined }
    };
    sized.map(|payload| payload.map(captured)).collect()
}

fn is_json(contents: &[u8]) -> bool {
    contents.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|byte| matches!(byte, b'{' | b'['))
}

/// How a payload is encoded, by its first bytes.
pub(in crate::command) fn encoding_of(payload: &[u8]) -> Encoding {
    match is_json(payload) {
        true if is_trace(payload) => Encoding::TraceJson,
        true => Encoding::Json,
        false => Encoding::Protobuf,
    }
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().to_str().is_some_and(|name| name.starts_with('.'))
}

fn holds_payloads(path: &Path) -> bool {
    let name = plain_name(path);
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    EXTENSIONS.contains(&extension) && !name.ends_with(REASON)
}

/// The file's name without `.gz`.
fn plain_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.strip_suffix(".gz").unwrap_or(&name).to_owned()
}

fn contents(path: &Path) -> Result<Bytes, Unreadable> {
    let failed = |source| Unreadable::File { path: path.to_path_buf(), source };
    let mut file = File::open(path).map_err(failed)?.take(MAX_FILE + 1);
    let mut contents = Vec::new();
    file.read_to_end(&mut contents).map_err(failed)?;
    if contents.starts_with(&GZIP_MAGIC) {
        let mut inflated = Vec::new();
        MultiGzDecoder::new(contents.as_slice()).take(MAX_FILE + 1).read_to_end(&mut inflated).map_err(failed)?;
        contents = inflated;
    }
    if contents.len() as u64 > MAX_FILE {
        return Err(Unreadable::FileTooLarge { path: path.to_path_buf() });
    }
    Ok(contents.into())
}

fn protobuf(path: &Path, contents: &Bytes) -> Vec<Result<Bytes, Unreadable>> {
    if contents.first().is_none_or(|first| *first == RESOURCE_SPANS) {
        return vec![Ok(contents.clone())];
    }
    let mut payloads = Vec::new();
    let mut rest = contents.clone();
    while !rest.is_empty() {
        match framed(&mut rest) {
            Some(payload) => payloads.push(Ok(payload)),
            // Neither frames nor a payload: the translator will report what is wrong with it.
            None if payloads.is_empty() => return vec![Ok(contents.clone())],
            None => {
                payloads.push(Err(Unreadable::Truncated { path: path.to_path_buf(), number: payloads.len() + 1 }));
                break;
            }
        }
    }
    payloads
}

/// Takes one payload with its length before it, four bytes in network order.
fn framed(rest: &mut Bytes) -> Option<Bytes> {
    let (length, _) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    if length > rest.len() - 4 {
        return None;
    }
    let _ = rest.split_to(4);
    Some(rest.split_to(length))
}

fn json(contents: &Bytes) -> Vec<Result<Bytes, Unreadable>> {
    let lines: Vec<_> = contents.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).collect();
    let first_is_whole = lines.first().is_some_and(|line| serde_json::from_slice::<IgnoredAny>(line).is_ok());
    if lines.len() > 1 && first_is_whole {
        lines.into_iter().map(|line| Ok(contents.slice_ref(line))).collect()
    } else {
        vec![Ok(contents.clone())]
    }
}

/// Whether this is a trace as `mlflow.entities.Trace.to_json` writes it.
fn is_trace(payload: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Trace {
        #[serde(rename = "info")]
        _info: IgnoredAny,
        #[serde(rename = "data")]
        _data: IgnoredAny,
    }
    serde_json::from_slice::<Trace>(payload).is_ok()
}

/// Where the payloads of a file belong, and whether they were quarantined.
fn belongs(path: &Path) -> (PayloadContext, bool) {
    let nowhere = QuarantineRecord::default().context(Encoding::Protobuf);
    let reason = fs::read(path.with_extension(&REASON[1..])).ok();
    if let Some(record) = reason.and_then(|reason| serde_json::from_slice::<QuarantineRecord>(&reason).ok()) {
        return (record.context(Encoding::Protobuf), true);
    }
    let folder = fs::canonicalize(path).ok().and_then(|path| Some(path.parent()?.file_name()?.to_str()?.to_owned()));
    match folder.filter(|_| trace_of_file(&plain_name(path)).is_some()).map(|folder| experiment_of_folder(&folder)) {
        // The local folder of traces whose experiment was chosen by id.
        Some(id) if id.bytes().all(|byte| byte.is_ascii_digit()) => {
            (PayloadContext { experiment_id: Some(id), ..nowhere }, false)
        }
        name => (PayloadContext { experiment_name: name, ..nowhere }, false),
    }
}

#[cfg(test)]
mod tests;
