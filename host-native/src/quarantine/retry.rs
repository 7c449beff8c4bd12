//! Moves journal entries that are pending quarantine into the quarantine as soon as it has room again. An operator makes
//! room; no restart is needed.

use std::ops::Bound;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Quarantine;
use crate::journal::{Journal, PendingEntry, PendingKey};

/// The pause between two rounds, unless a round takes long.
const INTERVAL: Duration = Duration::from_secs(1);
/// A round takes at most one part in this many of the time.
const SHARE: u32 = 20;
/// A round ends after this many entries that do not fit. The next round continues behind them, so that an entry that never
/// fits does not block the others.
const MAX_MISSES: u32 = 8;

/// Retries until the journal is closed. Must be called within a tokio runtime.
pub fn watch(journal: Journal, quarantine: Quarantine) {
    tokio::spawn(async move {
        let (mut pause, mut from) = (INTERVAL, Bound::Unbounded);
        while !journal.is_closed() {
            sleep(pause).await;
            if journal.pending_quarantine() == 0 {
                pause = INTERVAL;
                continue;
            }
            let (journal, quarantine) = (journal.clone(), quarantine.clone());
            let started = Instant::now();
            let round = tokio::task::spawn_blocking(move || retry(&journal, &quarantine, from)).await;
            let Ok(next) = round else { return };
            from = next;
            pause = INTERVAL.max(started.elapsed() * SHARE);
        }
    });
}

/// Runs one round. Returns where the next one starts.
fn retry(journal: &Journal, quarantine: &Quarantine, mut from: Bound<PendingKey>) -> Bound<PendingKey> {
    let mut misses = 0;
    while let Some((key @ (consumer, id), PendingEntry { destination, reason })) = journal.next_pending_quarantine(from)
    {
        from = Bound::Excluded(key);
        let Ok(entries) = journal.pending(consumer, id, 1, 0) else { return Bound::Unbounded };
        // The entry may be gone, for example because it expired.
        if let Some(entry) = entries.first().filter(|entry| entry.id == id) {
            match quarantine.keep_payload_for(destination.as_deref(), &entry.payload, &entry.context, &reason) {
                Ok(path) => tracing::warn!("quarantined a payload in {}: {reason}", path.display()),
                Err(_) if misses == MAX_MISSES => return from,
                Err(_) => {
                    misses += 1;
                    continue;
                }
            }
            journal.mark_delivered(consumer, id, entry.payload.len());
        }
        journal.unmark_for_quarantine(key);
    }
    Bound::Unbounded
}
