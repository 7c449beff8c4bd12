//! What a destination did not take for too long is set aside, whole and with the reason, so that the journal does not wait
//! for it for ever. What cannot be set aside stays.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::sleep;

use super::{EntryId, Journal, MLFLOW, Owner};
use crate::quarantine::SetAsideFolder;

/// How often it is looked for.
const INTERVAL: Duration = Duration::from_secs(60);
/// How many entries are looked at at once.
const READ: usize = 64;
/// How many may have no room before the rest waits for the next look.
const MISSES: u32 = 8;

/// Look for such entries from now on, until the journal is closed. Must be called within a tokio runtime.
pub fn watch(journal: Journal, owners: impl IntoIterator<Item = (String, Owner)>, set_aside: SetAsideFolder) {
    let owners: Vec<_> = owners.into_iter().collect();
    tokio::spawn(async move {
        while !journal.is_closed() {
            let (journal, owners, set_aside) = (journal.clone(), owners.clone(), set_aside.clone());
            let look = move || {
                for (name, owner) in &owners {
                    let mut from = Some(0);
                    while let Some(id) = from {
                        from = set_oldest_aside(&journal, name, *owner, &set_aside, id);
                    }
                }
            };
            if tokio::task::spawn_blocking(look).await.is_err() {
                return;
            }
            sleep(INTERVAL).await;
        }
    });
}

/// Looks at some entries from this one on. Returns where to go on, if it is worth it.
fn set_oldest_aside(
    journal: &Journal,
    name: &str,
    owner: Owner,
    set_aside: &SetAsideFolder,
    mut from: EntryId,
) -> Option<EntryId> {
    let max_age = journal.limits().max_age;
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let oldest = u64::try_from(since_epoch.saturating_sub(max_age).as_millis()).unwrap_or(u64::MAX);
    let reason = format!(
        "{name} did not take it within {} (--journal-max-age); send it again once the reason is gone",
        humantime::format_duration(max_age)
    );
    let reason = Arc::from(reason);
    let entries = journal.owed(owner, from, READ, 1 << 20).ok().filter(|entries| !entries.is_empty())?;
    let mut misses = 0;
    for entry in entries {
        if entry.received_ms > oldest {
            return None;
        }
        from = entry.id + 1;
        if journal.is_held_back(owner, entry.id) {
            continue;
        }
        let destination = Some(name).filter(|name| *name != MLFLOW);
        match set_aside.keep_payload_for(destination, &entry.payload, &entry.context, &reason) {
            Ok(path) => {
                tracing::warn!("a payload was set aside in {}: {reason}", path.display());
                journal.settle(owner, entry.id, entry.payload.len());
            }
            Err(_) => {
                // It is tried again by itself; smaller ones behind it may have room.
                journal.hold_back(owner, entry.id, destination, &reason);
                misses += 1;
                if misses == MISSES {
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
    use crate::journal::Limits;
    use crate::wasm::{Context, Encoding};

    #[tokio::test]
    async fn given_an_entry_that_is_too_old_then_it_is_set_aside_with_the_reason_and_leaves_the_journal() {
        let dir = tempfile::tempdir().unwrap();
        let limits = Limits { max_bytes: 1 << 20, max_age: Duration::ZERO };
        let (journal, owners) = Journal::open(&dir.path().join("journal"), limits, &["mlflow".to_owned()]).unwrap();
        let (answer, answered) = tokio::sync::oneshot::channel();
        let name = Some("agents".to_owned());
        let encoding = Encoding::Protobuf;
        let context = Context { encoding, experiment_id: None, experiment_name: name, run_id: None, workspace: None };
        journal.append(b"payload".as_slice().into(), context, |appended| answer.send(appended).unwrap()).await;
        answered.await.unwrap().unwrap();

        let set_aside = SetAsideFolder::below(dir.path());
        watch(journal.clone(), [("mlflow".to_owned(), owners[0])], set_aside.clone());
        while journal.owed_count(owners[0]) > 0 {
            sleep(Duration::from_millis(5)).await;
        }
        let [item] = &set_aside.items().unwrap()[..] else { panic!("one is set aside") };
        assert_eq!(std::fs::read(&item.path).unwrap(), b"payload");
        assert!(item.record.reason.contains("mlflow did not take it"), "{}", item.record.reason);
        assert_eq!(item.record.experiment_name.as_deref(), Some("agents"));
    }
}
