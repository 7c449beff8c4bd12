//! What a server has acknowledged, so that a replay or an import that was interrupted goes on where it stopped.
//!
//! One file a server, `<data-dir>/replayed/<hash of its address>`: a line for each fingerprint, the SHA-256 of what was
//! sent and of where it went, in hexadecimal. Lines are only ever appended, and one that was torn off is not a
//! fingerprint of anything: at worst a payload is sent again, which MLflow stores over the old spans.

use std::collections::HashSet;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::payload::{Encoding, PayloadContext};

/// What one server has.
#[derive(Debug)]
pub(in crate::command) struct Acknowledged {
    path: PathBuf,
    file: File,
    known: HashSet<Fingerprint>,
}

/// Names something that is sent, and where it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::command) struct Fingerprint([u8; 32]);

// === impl Acknowledged ===

impl Acknowledged {
    /// What the server at this address has, as far as this data directory knows.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub(in crate::command) fn open(data_dir: &Path, server: &str) -> io::Result<Self> {
        let folder = data_dir.join("replayed");
        fs::create_dir_all(&folder)?;
        let path = folder.join(Fingerprint::of([server.as_bytes()]).to_string());
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(&path)?;
        let lines = fs::read_to_string(&path)?;
        if !lines.is_empty() && !lines.ends_with('\n') {
            file.write_all(b"\n")?;
        }
        let known = lines.lines().filter_map(Fingerprint::parse).collect();
        Ok(Self { path, file, known })
    }

    pub(in crate::command) fn contains(&self, fingerprint: &Fingerprint) -> bool {
        self.known.contains(fingerprint)
    }

    /// Remember it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn add(&mut self, fingerprint: Fingerprint) -> io::Result<()> {
        if self.known.insert(fingerprint) {
            self.file.write_all(format!("{fingerprint}\n").as_bytes())?;
        }
        Ok(())
    }

    /// Where it is kept.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

// === impl Fingerprint ===

impl Fingerprint {
    /// Of a payload, or of words that identify it, which goes where its context says, and where that says nothing, to
    /// `otherwise`.
    pub(in crate::command) fn new(payload: &[u8], context: &PayloadContext, otherwise: &str) -> Self {
        let encoding = match context.encoding {
            Encoding::Protobuf => "protobuf",
            Encoding::Json => "json",
            Encoding::TraceJson => "trace-json",
        };
        let text = |part: &Option<String>| part.clone().unwrap_or_default();
        let PayloadContext { experiment_id, experiment_name, run_id, workspace, .. } = context;
        let place = [experiment_id, experiment_name, run_id, workspace].map(text);
        let parts = place.iter().map(String::as_bytes).chain([otherwise.as_bytes(), encoding.as_bytes(), payload]);
        Self::of(parts)
    }

    fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }

    fn parse(line: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        if line.len() != 2 * bytes.len() {
            return None;
        }
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(line.get(2 * index..2 * index + 2)?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(payload: &[u8], experiment: Option<&str>) -> Fingerprint {
        let experiment_name = experiment.map(str::to_owned);
        let context = PayloadContext {
            encoding: Encoding::Json,
            experiment_id: None,
            experiment_name,
            run_id: None,
            workspace: None,
        };
        Fingerprint::new(payload, &context, "")
    }

    #[test]
    fn given_an_acknowledged_payload_then_another_run_knows_it_for_the_same_server_and_experiment_only() {
        let dir = tempfile::tempdir().unwrap();
        let mut first = Acknowledged::open(dir.path(), "http://a").unwrap();
        first.add(fingerprint(b"payload", None)).unwrap();
        drop(first);

        let again = Acknowledged::open(dir.path(), "http://a").unwrap();
        assert!(again.contains(&fingerprint(b"payload", None)));
        assert!(!again.contains(&fingerprint(b"payload", Some("other"))));
        assert!(!again.contains(&fingerprint(b"other", None)));
        assert!(!Acknowledged::open(dir.path(), "http://b").unwrap().contains(&fingerprint(b"payload", None)));
    }

    #[test]
    fn given_a_line_that_was_torn_off_then_the_next_one_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let mut first = Acknowledged::open(dir.path(), "http://a").unwrap();
        first.add(fingerprint(b"one", None)).unwrap();
        let lines = fs::read_to_string(first.path()).unwrap();
        fs::write(first.path(), lines.get(..20).unwrap()).unwrap();

        let mut second = Acknowledged::open(dir.path(), "http://a").unwrap();
        assert!(!second.contains(&fingerprint(b"one", None)));
        second.add(fingerprint(b"two", None)).unwrap();
        assert!(Acknowledged::open(dir.path(), "http://a").unwrap().contains(&fingerprint(b"two", None)));
    }
}
