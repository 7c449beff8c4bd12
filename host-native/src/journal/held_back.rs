//! What should be set aside and cannot be now, because the folder has no room or its disk fails: it stays in the journal,
//! and is set aside as soon as that works again. An operator makes room; no restart is needed.
//!
//! Of a payload of which MLflow refused a span alone, the whole is set aside then: sent again, what MLflow has is stored
//! over itself. After a restart the payload is delivered as all that is in the journal, and its span refused again.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{EntryId, Journal, Owner, guard};
use crate::quarantine::SetAsideFolder;

/// How often it is tried, unless trying takes long.
const INTERVAL: Duration = Duration::from_secs(1);
/// How much of the time trying may take: one part of so many.
const SHARE: u32 = 20;
/// How many may have no room before the next round, which goes on behind them: one that never has must not hold up others.
const MISSES: u32 = 8;
/// How many entries are remembered. What is beyond that stays in the journal until the next start.
const MOST: usize = 1 << 17;

/// Entries that wait to be set aside.
#[derive(Debug, Default)]
pub(super) struct HeldBack(Mutex<BTreeMap<Key, Held>>);

type Key = (Owner, EntryId);

#[derive(Debug, Clone)]
struct Held {
    /// Whom it was for; none: MLflow.
    destination: Option<Arc<str>>,
    reason: Arc<str>,
}

// === impl HeldBack ===

impl HeldBack {
    fn add(&self, owner: Owner, entry: EntryId, destination: Option<&str>, reason: &Arc<str>) {
        let mut entries = guard(self.0.lock());
        if entries.is_empty() {
            tracing::error!(
                "what should be set aside stays in the journal until it can be: see /readyz, and make room with \
                 `openinference-mlflow quarantine drop` or `replay`"
            );
        }
        if entries.len() < MOST {
            // Most have the reason and the destination of the one before.
            let before = entries.last_key_value().map(|(_, held)| held.clone());
            let same = |known: Arc<str>, wanted: &str| (&*known == wanted).then_some(known);
            let known = before.and_then(|held| same(held.reason, reason)).unwrap_or_else(|| Arc::clone(reason));
            entries.insert((owner, entry), Held { destination: destination.map(Arc::from), reason: known });
        }
    }

    fn next(&self, from: Bound<Key>) -> Option<(Key, Held)> {
        let entries = guard(self.0.lock());
        entries.range((from, Bound::Unbounded)).next().map(|(key, held)| (*key, held.clone()))
    }
}

// === impl Journal ===

impl Journal {
    /// An entry should be set aside for this reason, and cannot be now; none: for MLflow. It stays owed until it is.
    pub fn hold_back(&self, owner: Owner, entry: EntryId, destination: Option<&str>, reason: &Arc<str>) {
        self.shared.held_back.add(owner, entry, destination, reason);
    }

    /// How many entries wait to be set aside.
    pub fn held_back(&self) -> usize {
        guard(self.shared.held_back.0.lock()).len()
    }

    /// Whether this one does, for this destination.
    pub(super) fn is_held_back(&self, owner: Owner, entry: EntryId) -> bool {
        guard(self.shared.held_back.0.lock()).contains_key(&(owner, entry))
    }

    /// How many of them were for this destination.
    pub fn held_back_of(&self, owner: Owner) -> usize {
        guard(self.shared.held_back.0.lock()).range((owner, 0)..=(owner, EntryId::MAX)).count()
    }

    /// Sets aside what waits for it from there on, as far as that is possible now. Returns where to go on.
    fn set_held_back_aside(&self, folder: &SetAsideFolder, mut from: Bound<Key>) -> Bound<Key> {
        let mut misses = 0;
        while let Some((key @ (owner, id), Held { destination, reason })) = self.shared.held_back.next(from) {
            from = Bound::Excluded(key);
            let Ok(entries) = self.owed(owner, id, 1, 0) else { return Bound::Unbounded };
            // It may have been settled in another way, such as by its age.
            if let Some(entry) = entries.first().filter(|entry| entry.id == id) {
                match folder.keep_payload_for(destination.as_deref(), &entry.payload, &entry.context, &reason) {
                    Ok(path) => tracing::warn!("a payload was set aside in {}: {reason}", path.display()),
                    Err(_) if misses == MISSES => return from,
                    Err(_) => {
                        misses += 1;
                        continue;
                    }
                }
                self.settle(owner, id, entry.payload.len());
            }
            guard(self.shared.held_back.0.lock()).remove(&key);
        }
        Bound::Unbounded
    }
}

/// Set aside what waits for it from now on, until the journal is closed. Must be called within a tokio runtime.
pub fn watch(journal: Journal, folder: SetAsideFolder) {
    tokio::spawn(async move {
        let (mut pause, mut from) = (INTERVAL, Bound::Unbounded);
        while !journal.is_closed() {
            sleep(pause).await;
            if journal.held_back() == 0 {
                pause = INTERVAL;
                continue;
            }
            let (journal, folder) = (journal.clone(), folder.clone());
            let started = Instant::now();
            let tried = tokio::task::spawn_blocking(move || journal.set_held_back_aside(&folder, from)).await;
            let Ok(next) = tried else { return };
            from = next;
            pause = INTERVAL.max(started.elapsed() * SHARE);
        }
    });
}
