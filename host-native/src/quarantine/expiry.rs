//! Quarantines journal entries that a destination did not take within `--journal-max-age`, so that the journal does not
//! keep them forever. An entry that does not fit into the quarantine stays in the journal.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::sleep;

use super::Quarantine;
use crate::journal::{Consumer, EntryId, Journal, MLFLOW};

/// The pause between two rounds.
const INTERVAL: Duration = Duration::from_secs(60);
/// The most entries to read at once.
const READ_ENTRIES: usize = 64;
/// The most bytes to read at once.
const READ_BYTES: usize = 1 << 20;
/// A round ends after this many entries that do not fit.
const MAX_MISSES: u32 = 8;

/// Quarantines expired entries until the journal is closed. Must be called within a tokio runtime.
pub fn watch(journal: Journal, consumers: impl IntoIterator<Item = (String, Consumer)>, quarantine: Quarantine) {
    let consumers: Vec<_> = consumers.into_iter().collect();
    tokio::spawn(async move {
        while !journal.is_closed() {
            let (journal, consumers, quarantine) = (journal.clone(), consumers.clone(), quarantine.clone());
            let round = move || {
                for (name, consumer) in &consumers {
                    let mut from = Some(0);
                    while let Some(id) = from {
                        from = quarantine_expired(&journal, name, *consumer, &quarantine, id);
                    }
                }
            };
            if tokio::task::spawn_blocking(round).await.is_err() {
                return;
            }
            sleep(INTERVAL).await;
        }
    });
}

/// Quarantines the expired entries among the next few. Returns where to continue; none ends the round.
fn quarantine_expired(
    journal: &Journal,
    name: &str,
    consumer: Consumer,
    quarantine: &Quarantine,
    mut from: EntryId,
) -> Option<EntryId> {
    let max_age = journal.limits().max_age;
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let oldest = u64::try_from(since_epoch.saturating_sub(max_age).as_millis()).unwrap_or(u64::MAX);
    let reason = format!(
        "{name} did not take it within {} (--journal-max-age); replay it once the reason is gone",
        humantime::format_duration(max_age)
    );
    let reason = Arc::from(reason);
    let entries =
        journal.pending(consumer, from, READ_ENTRIES, READ_BYTES).ok().filter(|entries| !entries.is_empty())?;
    let mut misses = 0;
    for entry in entries {
        if entry.received_ms > oldest {
            return None;
        }
        from = entry.id + 1;
        if journal.is_pending_quarantine(consumer, entry.id) {
            continue;
        }
        let destination = Some(name).filter(|name| *name != MLFLOW);
        match quarantine.keep_payload_for(destination, &entry.payload, &entry.context, &reason) {
            Ok(path) => {
                tracing::warn!("quarantined a payload in {}: {reason}", path.display());
                journal.mark_delivered(consumer, entry.id, entry.payload.len());
            }
            Err(_) => {
                // `retry` tries it again. Smaller entries behind it may fit.
                journal.mark_for_quarantine(consumer, entry.id, destination, &reason);
                misses += 1;
                if misses == MAX_MISSES {
                    return None;
                }
            }
        }
    }
    Some(from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::JournalLimits;
    use crate::payload::{Encoding, PayloadContext};

    #[tokio::test]
    async fn given_an_entry_that_is_too_old_then_it_is_quarantined_with_the_reason_and_leaves_the_journal() {
        let dir = tempfile::tempdir().unwrap();
        let limits = JournalLimits { max_bytes: 1 << 20, max_age: Duration::ZERO };
        let (journal, consumers) = Journal::open(&dir.path().join("journal"), limits, &["mlflow".to_owned()]).unwrap();
        let (answer, answered) = tokio::sync::oneshot::channel();
        let name = Some("agents".to_owned());
        let encoding = Encoding::Protobuf;
        let context =
            PayloadContext { encoding, experiment_id: None, experiment_name: name, run_id: None, workspace: None };
        journal.append(b"payload".as_slice().into(), context, |appended| answer.send(appended).unwrap()).await;
        answered.await.unwrap().unwrap();

        let quarantine = Quarantine::below(dir.path());
        watch(journal.clone(), [("mlflow".to_owned(), consumers[0])], quarantine.clone());
        while journal.pending_count(consumers[0]) > 0 {
            sleep(Duration::from_millis(5)).await;
        }
        let [item] = &quarantine.entries().unwrap()[..] else { panic!("one is quarantined") };
        assert_eq!(std::fs::read(&item.path).unwrap(), b"payload");
        assert!(item.record.reason.contains("mlflow did not take it"), "{}", item.record.reason);
        assert_eq!(item.record.experiment_name.as_deref(), Some("agents"));
    }
}
