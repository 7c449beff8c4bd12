//! Takes over the folder `set-aside/`, as the quarantine was called before version 0.2.
//!
//! No entry is lost, whenever the program stops: a rename moves the whole folder, and where both folders exist, an entry is
//! complete in the new folder before it leaves the old one.

use std::io::{self, ErrorKind};
use std::path::Path;

use super::Quarantine;
use crate::folder::sync;

const OLD_NAME: &str = "set-aside";

/// Moves the entries of the old folder into the quarantine. If that fails they stay where they are, until the next start.
pub(super) fn take_over(data_dir: &Path, quarantine: &Quarantine) {
    let old = data_dir.join(OLD_NAME);
    if !old.is_dir() {
        return;
    }
    match move_entries(data_dir, &old, quarantine) {
        Ok(()) => tracing::info!("moved {} to {}", old.display(), quarantine.path().display()),
        // Another process took it over at the same time.
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => tracing::warn!(
            "failed to move {} to {}: {error}; its entries stay there",
            old.display(),
            quarantine.path().display()
        ),
    }
}

fn move_entries(data_dir: &Path, old: &Path, quarantine: &Quarantine) -> io::Result<()> {
    if !quarantine.path().exists() {
        std::fs::rename(old, quarantine.path())?;
        return sync(data_dir);
    }
    for entry in Quarantine::at(old.to_path_buf()).entries()? {
        quarantine.adopt(&entry).map_err(|error| io::Error::other(error.to_string()))?;
        entry.remove()?;
    }
    std::fs::remove_dir(old)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::payload::{Encoding, PayloadContext};

    fn context() -> PayloadContext {
        let name = Some("agents".to_owned());
        let encoding = Encoding::Protobuf;
        PayloadContext { encoding, experiment_id: None, experiment_name: name, run_id: None, workspace: None }
    }

    /// A data directory as an earlier version left it.
    fn left_by_an_earlier_version(payloads: &[&[u8]]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let old = Quarantine::at(dir.path().join(OLD_NAME));
        for payload in payloads {
            old.keep_payload(payload, &context(), "refused").unwrap();
        }
        dir
    }

    fn payloads(quarantine: &Quarantine) -> Vec<Vec<u8>> {
        let mut payloads: Vec<_> =
            quarantine.entries().unwrap().iter().map(|entry| fs::read(&entry.path).unwrap()).collect();
        payloads.sort();
        payloads
    }

    #[test]
    fn given_an_old_folder_then_its_entries_are_in_the_quarantine_with_their_reasons() {
        let dir = left_by_an_earlier_version(&[b"one", b"two"]);
        let quarantine = Quarantine::below(dir.path());
        assert_eq!(payloads(&quarantine), [b"one", b"two"]);
        for entry in quarantine.entries().unwrap() {
            assert_eq!(entry.record.reason, "refused");
            assert_eq!(entry.record.experiment_name.as_deref(), Some("agents"));
        }
        assert!(!dir.path().join(OLD_NAME).exists());
    }

    #[test]
    fn given_entries_in_both_folders_then_the_quarantine_has_each_once_whatever_its_limit() {
        let dir = left_by_an_earlier_version(&[b"one", b"two"]);
        let quarantine = Quarantine::at(dir.path().join("quarantine"));
        quarantine.keep_payload(b"two", &context(), "refused").unwrap();
        quarantine.keep_payload(b"three", &context(), "refused").unwrap();

        let quarantine = Quarantine::below(dir.path()).limited(Some(1));
        assert_eq!(payloads(&quarantine), [&b"one"[..], b"three", b"two"]);
        assert!(!dir.path().join(OLD_NAME).exists());
        assert_eq!(quarantine.kept(), 0);
    }

    #[test]
    fn given_a_stop_between_copy_and_removal_then_the_next_start_finishes() {
        let dir = left_by_an_earlier_version(&[b"one", b"two"]);
        let old = Quarantine::at(dir.path().join(OLD_NAME));
        let first = old.entries().unwrap().remove(0);
        Quarantine::at(dir.path().join("quarantine")).adopt(&first).unwrap();

        assert_eq!(payloads(&Quarantine::below(dir.path())), [b"one", b"two"]);
        assert!(!dir.path().join(OLD_NAME).exists());
    }

    #[test]
    #[cfg(unix)]
    fn given_a_quarantine_that_cannot_be_written_then_the_old_entries_stay() {
        let dir = left_by_an_earlier_version(&[b"one"]);
        // A file where the folder belongs: nothing can be moved there, even by root.
        fs::write(dir.path().join("quarantine"), "").unwrap();
        Quarantine::below(dir.path());
        assert_eq!(payloads(&Quarantine::at(dir.path().join(OLD_NAME))), [b"one"]);
    }
}
