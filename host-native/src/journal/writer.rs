//! The journal's thread: the only one that writes.
//!
//! It takes all that waits into one transaction, up to a limit, so that the cost of an `fsync` is shared by whoever came
//! while the last one ran. What was settled goes with it, or alone after [`SETTLE_DELAY`].

use std::io::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use super::error::{AppendError, FAULT_WAIT, FULL_WAIT};
use super::lock::Lock;
use super::store::{NewEntry, Settled, StoreError};
use super::{EntryId, Shared, guard, salvage};
use crate::wasm::Context;

/// The most entries in one transaction.
const GROUP: usize = 512;
/// The most bytes in one transaction, but for its last entry.
const GROUP_BYTES: usize = 16 << 20;
/// How long what was settled waits for a transaction that it can go with.
const SETTLE_DELAY: Duration = Duration::from_millis(200);
/// How often a disk that fails is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// What a disk must take before it is believed to be well again, in bytes.
const PROBE: usize = 1 << 20;

/// A payload to be written down.
pub(super) struct Append {
    pub(super) payload: Bytes,
    pub(super) context: Context,
    pub(super) answer: Answer,
}

/// Who wants to know what became of a payload.
pub(super) type Answer = Box<dyn FnOnce(Result<EntryId, AppendError>) + Send>;

pub(super) enum Command {
    Append(Append),
    /// Something was settled, or damage was met.
    Settle,
    Close(oneshot::Sender<()>),
}

pub(super) struct Writer {
    shared: Arc<Shared>,
    queue: mpsc::Receiver<Command>,
    group: Vec<Append>,
    settle_at: Option<Instant>,
    /// When to open the database again, while it is closed because of a fault.
    retry_at: Option<Instant>,
    /// What was damaged, when that is the fault.
    damaged: Option<String>,
    /// Whether the fault was said.
    said: bool,
    lock: Lock,
}

// === impl Writer ===

impl Writer {
    pub(super) fn start(shared: Arc<Shared>, queue: mpsc::Receiver<Command>, lock: Lock) -> io::Result<()> {
        let runtime = tokio::runtime::Handle::current();
        let writer = Self {
            shared,
            queue,
            group: Vec::new(),
            settle_at: None,
            retry_at: None,
            damaged: None,
            said: false,
            lock,
        };
        let thread = thread::Builder::new().name("journal".to_owned());
        thread.spawn(move || runtime.block_on(writer.run())).map(drop)
    }

    async fn run(mut self) {
        let closed = loop {
            // While the disk fails there is nothing to settle with.
            let due = self.retry_at.or(self.settle_at);
            let command = tokio::select! {
                command = self.queue.recv() => Some(command),
                () = async { sleep_until(due.unwrap_or_else(Instant::now)).await }, if due.is_some() => None,
            };
            match command {
                Some(Some(Command::Close(closed))) => break Some(closed),
                Some(None) => break None,
                Some(Some(command)) => self.take(command),
                None => {}
            }
            let mut close = None;
            while close.is_none() && !self.group_is_large() {
                match self.queue.try_recv() {
                    Ok(Command::Close(closed)) => close = Some(closed),
                    Ok(command) => self.take(command),
                    Err(_) => break,
                }
            }
            self.work();
            if close.is_some() {
                break close;
            }
        };
        self.end(closed);
    }

    fn take(&mut self, command: Command) {
        match command {
            Command::Append(append) => self.group.push(append),
            Command::Settle | Command::Close(_) => {
                self.settle_at.get_or_insert_with(|| Instant::now() + SETTLE_DELAY);
            }
        }
    }

    fn group_is_large(&self) -> bool {
        self.group.len() >= GROUP || self.group.iter().map(|append| append.payload.len()).sum::<usize>() >= GROUP_BYTES
    }

    fn work(&mut self) {
        let seen = guard(self.shared.seen_by_readers.lock()).take();
        if let Some(error) = seen {
            self.fail(error);
        }
        if self.retry_at.is_some_and(|at| at <= Instant::now()) {
            self.reopen();
        }
        if self.retry_at.is_some() {
            return self.refuse_group(AppendError::Unavailable(FAULT_WAIT));
        }
        let settles = self.settle_at.is_some_and(|at| at <= Instant::now());
        if !self.group.is_empty() || settles {
            self.settle_at = None;
            self.commit();
        }
    }

    /// Writes the group and what was settled, and answers.
    fn commit(&mut self) {
        let settled = guard(self.shared.settled.lock()).clone();
        let group = std::mem::take(&mut self.group);
        let (fits, full) = self.divide(group);
        for append in full {
            let size = u64::try_from(append.payload.len()).unwrap_or(u64::MAX);
            // What would never fit says nothing of how full it is.
            if size <= self.shared.limits.max_bytes {
                self.shared.refused.fetch_min(size, Ordering::Relaxed);
            }
            (append.answer)(Err(AppendError::Full(FULL_WAIT)));
        }
        if fits.is_empty() && settled.is_empty() {
            return;
        }
        match self.write(&fits, &settled) {
            Ok(first) => {
                if fits.is_empty() {
                    return;
                }
                for (append, id) in fits.into_iter().zip(first..) {
                    (append.answer)(Ok(id));
                }
                self.shared.newest.send_replace(guard(self.shared.totals.lock()).newest());
                if std::mem::take(&mut self.said) {
                    tracing::info!("the journal can be written again");
                }
            }
            Err(error) => {
                self.group = fits;
                self.fail(error);
                self.refuse_group(AppendError::Unavailable(FAULT_WAIT));
            }
        }
    }

    /// What there is room for, and the rest.
    fn divide(&self, group: Vec<Append>) -> (Vec<Append>, Vec<Append>) {
        let mut bytes = guard(self.shared.totals.lock()).bytes;
        let limit = self.shared.limits.max_bytes;
        group.into_iter().partition(|append| {
            let more = bytes.saturating_add(u64::try_from(append.payload.len()).unwrap_or(u64::MAX));
            let fits = more <= limit;
            if fits {
                bytes = more;
            }
            fits
        })
    }

    fn write(&self, group: &[Append], settled: &Settled) -> Result<EntryId, StoreError> {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let received_ms = u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX);
        let entries =
            group.iter().map(|append| NewEntry { received_ms, payload: &append.payload, context: &append.context });
        let entries: Vec<_> = entries.collect();
        let store = self.shared.store.read().unwrap_or_else(PoisonError::into_inner);
        let Some(store) = store.as_ref() else { return Err(StoreError::Io(io::Error::other("it is closed"))) };
        let before = guard(self.shared.totals.lock()).clone();
        let after = store.commit(&before, &entries, settled)?;
        let mut waiting = guard(self.shared.settled.lock());
        waiting.retain(|each, _| !settled.contains_key(each));
        *guard(self.shared.totals.lock()) = after;
        Ok(before.next)
    }

    /// Lets go of the database until it can be opened again. Says why, once.
    fn fail(&mut self, error: StoreError) {
        self.close();
        *guard(self.shared.fault.lock()) = Some(error.to_string());
        if !std::mem::replace(&mut self.said, true) {
            tracing::error!(
                "the journal in {} fails: {error}; until it works again new payloads are refused, and senders keep them",
                self.shared.folder.display()
            );
        }
        // Damage can be dealt with at once, a disk that fails after a while.
        self.retry_at = Some(Instant::now() + RETRY);
        if let StoreError::Damaged(what) = error {
            self.damaged = Some(what);
            self.reopen();
        }
    }

    /// Opens the database again, when its disk takes something.
    fn reopen(&mut self) {
        self.retry_at = Some(Instant::now() + RETRY);
        let Shared { folder, names, .. } = &*self.shared;
        let known = guard(self.shared.totals.lock()).known();
        let opened = probe(folder)
            .map_err(StoreError::Io)
            .and_then(|()| salvage::reopen(folder, names, &known, self.damaged.as_deref()));
        match opened {
            Ok((store, mut totals)) => {
                let newest = {
                    let mut before = guard(self.shared.totals.lock());
                    // Readers have passed these ids, whatever became of their entries.
                    totals.next = totals.next.max(before.next);
                    *before = totals;
                    before.newest()
                };
                *self.shared.store.write().unwrap_or_else(PoisonError::into_inner) = Some(store);
                *guard(self.shared.fault.lock()) = None;
                (self.retry_at, self.damaged) = (None, None);
                self.settle_at = Some(Instant::now());
                // Readers that could not read try again.
                self.shared.newest.send_replace(newest);
            }
            Err(error) => {
                // A salvage may have taken long.
                self.retry_at = Some(Instant::now() + RETRY);
                *guard(self.shared.fault.lock()) = Some(error.to_string());
            }
        }
    }

    fn close(&self) {
        let store = self.shared.store.write().unwrap_or_else(PoisonError::into_inner).take();
        // What cannot be closed in order is repaired when it is opened.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(store)));
    }

    fn refuse_group(&mut self, error: AppendError) {
        for append in self.group.drain(..) {
            (append.answer)(Err(error));
        }
    }

    /// Writes down what was settled, refuses what has come since, and closes the database before it says that it has.
    fn end(mut self, closed: Option<oneshot::Sender<()>>) {
        self.refuse_group(AppendError::Closed);
        self.queue.close();
        while let Ok(command) = self.queue.try_recv() {
            if let Command::Append(append) = command {
                (append.answer)(Err(AppendError::Closed));
            }
        }
        if self.retry_at.is_none() {
            self.commit();
        }
        self.close();
        drop(self.lock);
        if let Some(closed) = closed {
            // Whoever asked may have gone.
            let _ = closed.send(());
        }
    }
}

/// Whether the disk takes a little more than nothing.
fn probe(folder: &Path) -> io::Result<()> {
    let mut file = tempfile::tempfile_in(folder)?;
    file.write_all(&vec![0; PROBE])?;
    file.sync_data()
}
