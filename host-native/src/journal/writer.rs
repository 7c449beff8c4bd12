//! The journal's thread, the only one that writes.
//!
//! It takes all waiting payloads into one transaction, up to a limit, so that they share an `fsync`. Delivery marks go with
//! the next transaction, or into one of their own after [`FLUSH_DELAY`].

use std::io::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use super::error::{AppendError, FAULT_WAIT, FULL_WAIT};
use super::lock::Lock;
use super::store::{Delivered, NewEntry, StoreError};
use super::{EntryId, Shared, salvage};
use crate::payload::PayloadContext;

/// The most entries in one transaction.
const GROUP: usize = 512;
/// The most bytes in one transaction. The last entry may exceed it.
const GROUP_BYTES: usize = 16 << 20;
/// How long delivery marks wait for a transaction with new entries.
const FLUSH_DELAY: Duration = Duration::from_millis(200);
/// The interval of retries while the disk fails.
const RETRY: Duration = Duration::from_secs(1);
/// The bytes that a test write must store before the journal is reopened.
const PROBE: usize = 1 << 20;

/// A payload to append.
pub(super) struct Append {
    pub(super) payload: Bytes,
    pub(super) context: PayloadContext,
    pub(super) answer: Answer,
}

/// Called with the result of an append.
pub(super) type Answer = Box<dyn FnOnce(Result<EntryId, AppendError>) + Send>;

pub(super) enum Command {
    Append(Append),
    /// There are delivery marks to write, or a reader found damage.
    Flush,
    Close(oneshot::Sender<()>),
}

pub(super) struct Writer {
    shared: Arc<Shared>,
    queue: mpsc::Receiver<Command>,
    group: Vec<Append>,
    flush_at: Option<Instant>,
    /// When to reopen the database. None: it is open.
    retry_at: Option<Instant>,
    /// The damage, if that is the fault.
    damaged: Option<String>,
    /// Whether the fault was logged.
    fault_logged: bool,
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
            flush_at: None,
            retry_at: None,
            damaged: None,
            fault_logged: false,
            lock,
        };
        let thread = thread::Builder::new().name("journal".to_owned());
        thread.spawn(move || runtime.block_on(writer.run())).map(drop)
    }

    async fn run(mut self) {
        let closed = loop {
            // While the disk fails, marks cannot be written.
            let due = self.retry_at.or(self.flush_at);
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
            Command::Flush | Command::Close(_) => {
                self.flush_at.get_or_insert_with(|| Instant::now() + FLUSH_DELAY);
            }
        }
    }

    fn group_is_large(&self) -> bool {
        self.group.len() >= GROUP || self.group.iter().map(|append| append.payload.len()).sum::<usize>() >= GROUP_BYTES
    }

    fn work(&mut self) {
        let seen = self.shared.seen_by_readers.lock().take();
        if let Some(error) = seen {
            self.fail(error);
        }
        if self.retry_at.is_some_and(|at| at <= Instant::now()) {
            self.reopen();
        }
        if self.retry_at.is_some() {
            return self.refuse_group(AppendError::Unavailable(FAULT_WAIT));
        }
        let flush_due = self.flush_at.is_some_and(|at| at <= Instant::now());
        if !self.group.is_empty() || flush_due {
            self.flush_at = None;
            self.commit();
        }
    }

    /// Writes the group and the delivery marks, and answers.
    fn commit(&mut self) {
        let delivered = self.shared.delivered.lock().clone();
        let group = std::mem::take(&mut self.group);
        let (fits, full) = self.divide(group);
        for append in full {
            let size = u64::try_from(append.payload.len()).unwrap_or(u64::MAX);
            // A payload larger than the limit does not mean that the journal is full.
            if size <= self.shared.limits.max_bytes {
                self.shared.refused.fetch_min(size, Ordering::Relaxed);
            }
            (append.answer)(Err(AppendError::Full(FULL_WAIT)));
        }
        if fits.is_empty() && delivered.is_empty() {
            return;
        }
        match self.write(&fits, &delivered) {
            Ok(first) => {
                if fits.is_empty() {
                    return;
                }
                for (append, id) in fits.into_iter().zip(first..) {
                    (append.answer)(Ok(id));
                }
                self.shared.newest.send_replace(self.shared.totals.lock().newest());
                if std::mem::take(&mut self.fault_logged) {
                    tracing::info!("the journal works again");
                }
            }
            Err(error) => {
                self.group = fits;
                self.fail(error);
                self.refuse_group(AppendError::Unavailable(FAULT_WAIT));
            }
        }
    }

    /// Splits the group into what fits and the rest.
    fn divide(&self, group: Vec<Append>) -> (Vec<Append>, Vec<Append>) {
        let mut bytes = self.shared.totals.lock().bytes;
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

    fn write(&self, group: &[Append], delivered: &Delivered) -> Result<EntryId, StoreError> {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let received_ms = u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX);
        let entries =
            group.iter().map(|append| NewEntry { received_ms, payload: &append.payload, context: &append.context });
        let entries: Vec<_> = entries.collect();
        let store = self.shared.store.read();
        let Some(store) = store.as_ref() else { return Err(StoreError::Io(io::Error::other("it is closed"))) };
        let before = self.shared.totals.lock().clone();
        let after = store.commit(&before, &entries, delivered)?;
        let mut waiting = self.shared.delivered.lock();
        waiting.retain(|each, _| !delivered.contains_key(each));
        *self.shared.totals.lock() = after;
        Ok(before.next)
    }

    /// Closes the database until it can be reopened. Logs the fault once.
    fn fail(&mut self, error: StoreError) {
        self.close();
        *self.shared.fault.lock() = Some(error.to_string());
        if !std::mem::replace(&mut self.fault_logged, true) {
            tracing::error!(
                "the journal in {} failed: {error}; refusing new payloads until it works again",
                self.shared.folder.display()
            );
        }
        // Salvages damage now. A failing disk is retried later.
        self.retry_at = Some(Instant::now() + RETRY);
        if let StoreError::Damaged(what) = error {
            self.damaged = Some(what);
            self.reopen();
        }
    }

    /// Reopens the database if the disk accepts a test write.
    fn reopen(&mut self) {
        self.retry_at = Some(Instant::now() + RETRY);
        let Shared { folder, names, .. } = &*self.shared;
        let known = self.shared.totals.lock().known();
        let opened = probe(folder)
            .map_err(StoreError::Io)
            .and_then(|()| salvage::reopen(folder, names, &known, self.damaged.as_deref()));
        match opened {
            Ok((store, mut totals)) => {
                let newest = {
                    let mut before = self.shared.totals.lock();
                    // Readers have passed these ids already.
                    totals.next = totals.next.max(before.next);
                    *before = totals;
                    before.newest()
                };
                *self.shared.store.write() = Some(store);
                *self.shared.fault.lock() = None;
                (self.retry_at, self.damaged) = (None, None);
                self.flush_at = Some(Instant::now());
                // Wakes readers that failed to read.
                self.shared.newest.send_replace(newest);
            }
            Err(error) => {
                // A salvage may take long.
                self.retry_at = Some(Instant::now() + RETRY);
                *self.shared.fault.lock() = Some(error.to_string());
            }
        }
    }

    fn close(&self) {
        let store = self.shared.store.write().take();
        // If closing fails, the next open repairs the file.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(store)));
    }

    fn refuse_group(&mut self, error: AppendError) {
        for append in self.group.drain(..) {
            (append.answer)(Err(error));
        }
    }

    /// Writes the delivery marks, refuses the remaining commands, and closes the database before it answers.
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
            // The caller may be gone.
            let _ = closed.send(());
        }
    }
}

/// Checks that the disk accepts a write of some size.
fn probe(folder: &Path) -> io::Result<()> {
    let mut file = tempfile::tempfile_in(folder)?;
    file.write_all(&vec![0; PROBE])?;
    file.sync_data()
}
