//! Payloads that are ingested or waiting and not yet delivered: what a new instance must ingest again.
//!
//! Their bytes are in memory, in the [`Journal`](crate::journal::Journal), or in memory while a source keeps them:
//! - A payload is stored before the bridge sees it, and before its sender gets an answer.
//! - It stays until [`mark_delivered`](OpenPayloads::mark_delivered), which follows when its receipt is done, when it was refused,
//!   or when it was quarantined. Nothing else removes one.
//! - An instance ingests payloads in the order in which they were stored.
//!
//! The journal may contain more than the bridge has space for. It is read in order, as there is space.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use tokio::sync::oneshot;

use super::{Accepted, Backlog, Lender, Loan, Refused, Settled, Waiting};
use crate::journal::{EntryId, Unavailable};
use crate::payload::PayloadContext;
use crate::wasm::Quarantined;

/// The id of a payload, valid across instances. A later payload has a greater one.
pub(super) type PayloadId = u64;

/// The most payloads to read from the journal at once.
const READ_PAYLOADS: usize = 64;
/// The most bytes to read at once.
const READ_BYTES: usize = 8 << 20;
/// A sender waits for the translator only if at most this many payloads are before its own.
const MAX_LAG: EntryId = 1_024;

/// An undelivered payload.
#[derive(Debug)]
pub(super) struct OpenPayload {
    /// The bytes. None: the journal has them.
    bytes: Option<Bytes>,
    size: usize,
    keeper: Keeper,
    pub(super) context: PayloadContext,
    arrived: SystemTime,
    /// The traps that this payload caused.
    pub(super) traps: u32,
    /// The sender, until it has its answer.
    pub(super) sender: Option<Sender>,
    done: Option<oneshot::Sender<()>>,
    /// Part of it could not be quarantined, for this reason. The journal keeps it until it can.
    pending_quarantine: Option<Arc<str>>,
}

/// Who keeps a payload until it is delivered.
#[derive(Debug)]
enum Keeper {
    /// Nobody but this process.
    Memory,
    /// The journal, as this entry.
    Journal(EntryId),
    /// The source that has lent it, and the spans to give back to it.
    Lender(Box<dyn Lender>, Vec<Quarantined>),
}

/// All undelivered payloads.
#[derive(Debug, Default)]
pub(super) struct OpenPayloads {
    payloads: BTreeMap<PayloadId, OpenPayload>,
    /// Payloads that the current instance has not ingested.
    waiting: BTreeSet<PayloadId>,
    /// Ingested payloads, by their receipts.
    receipts: HashMap<u64, PayloadId>,
    /// The next id.
    next: PayloadId,
    /// The bytes in memory.
    bytes: usize,
    /// The number of payloads that sources have lent.
    lent: usize,
    journal: Option<JournalReader>,
}

/// The position of the bridge in the journal.
#[derive(Debug)]
struct JournalReader {
    backlog: Backlog,
    /// The next entry to read.
    next: EntryId,
    /// The newest entry.
    newest: EntryId,
    /// Senders of entries that were not read yet.
    senders: BTreeMap<EntryId, Sender>,
}

/// Answers the sender of a payload.
pub(super) type Sender = oneshot::Sender<Result<Accepted, Refused>>;

// === impl OpenPayloads ===

impl OpenPayloads {
    /// The payloads of a journal.
    pub(super) fn in_journal(backlog: Backlog) -> Self {
        let newest = *backlog.journal.newest().borrow();
        let reader = JournalReader { backlog, next: 0, newest, senders: BTreeMap::new() };
        Self { journal: Some(reader), ..Self::default() }
    }

    /// Stores a payload in memory. It waits to be ingested.
    pub(super) fn keep(&mut self, bytes: Bytes, context: PayloadContext, sender: Sender) {
        self.insert(Keeper::Memory, SystemTime::now(), bytes, context, Some(sender));
    }

    /// Takes a payload that its source keeps. It waits to be ingested.
    pub(super) fn borrow(&mut self, loan: Loan) {
        let Loan { payload, context, lender } = loan;
        self.lent += 1;
        self.insert(Keeper::Lender(lender, Vec::new()), SystemTime::now(), payload, context, None);
    }

    /// A payload was written to the journal. If many are before it, its sender is acknowledged at once.
    pub(super) fn written(&mut self, id: EntryId, sender: Sender) {
        let Some(reader) = &mut self.journal else { return };
        reader.newest = reader.newest.max(id);
        if id.saturating_sub(reader.next) > MAX_LAG {
            acknowledge(sender);
        } else {
            reader.senders.insert(id, sender);
        }
    }

    /// Reads more of the journal if nothing of it waits.
    pub(super) fn read_journal(&mut self) -> Result<(), Unavailable> {
        let of_journal =
            |id: &PayloadId| matches!(self.payloads.get(id), Some(OpenPayload { keeper: Keeper::Journal(_), .. }));
        if !self.has_unread_journal() || self.waiting.iter().any(of_journal) {
            return Ok(());
        }
        let Some(reader) = &mut self.journal else { return Ok(()) };
        let Backlog { journal, consumer } = &reader.backlog;
        let newest = reader.newest;
        let entries = journal.pending(*consumer, reader.next, READ_PAYLOADS, READ_BYTES)?;
        let entries: Vec<_> = entries.into_iter().filter(|entry| entry.id <= newest).collect();
        reader.next = entries.last().map_or(newest, |entry| entry.id) + 1;
        // The entries that were skipped are done already.
        let later = reader.senders.split_off(&reader.next);
        let mut senders = std::mem::replace(&mut reader.senders, later);
        for entry in entries {
            let sender = senders.remove(&entry.id);
            let arrived = UNIX_EPOCH + Duration::from_millis(entry.received_ms);
            self.insert(Keeper::Journal(entry.id), arrived, entry.payload, entry.context, sender);
        }
        senders.into_values().for_each(acknowledge);
        Ok(())
    }

    /// Whether the journal has entries that were not read.
    pub(super) fn has_unread_journal(&self) -> bool {
        self.journal.as_ref().is_some_and(|reader| reader.next <= reader.newest)
    }

    /// Acknowledges all waiting senders: their payloads are in the journal.
    pub(super) fn acknowledge_all(&mut self) {
        let Some(reader) = &mut self.journal else { return };
        std::mem::take(&mut reader.senders).into_values().for_each(acknowledge);
        for id in &self.waiting {
            let sender = self.payloads.get_mut(id).and_then(|payload| payload.sender.take());
            sender.into_iter().for_each(acknowledge);
        }
    }

    /// Whether there is a journal.
    pub(super) fn uses_journal(&self) -> bool {
        self.journal.is_some()
    }

    fn insert(
        &mut self,
        keeper: Keeper,
        arrived: SystemTime,
        bytes: Bytes,
        context: PayloadContext,
        sender: Option<Sender>,
    ) {
        self.bytes += bytes.len();
        let (size, bytes) = (bytes.len(), Some(bytes));
        let payload = OpenPayload {
            bytes,
            size,
            keeper,
            context,
            arrived,
            traps: 0,
            sender,
            done: None,
            pending_quarantine: None,
        };
        self.payloads.insert(self.next, payload);
        self.waiting.insert(self.next);
        self.next += 1;
    }

    /// The bytes of a payload. None: it is gone.
    pub(super) fn bytes(&self, id: PayloadId) -> Result<Option<Bytes>, Unavailable> {
        let Some(payload) = self.payloads.get(&id) else { return Ok(None) };
        match (&payload.bytes, &payload.keeper, &self.journal) {
            (Some(bytes), ..) => Ok(Some(bytes.clone())),
            (None, Keeper::Journal(entry), Some(reader)) => {
                Ok(reader.backlog.journal.entry(*entry)?.map(|entry| entry.payload))
            }
            (None, ..) => Ok(None),
        }
    }

    /// Removes a delivered payload. Returns what completes when it is.
    pub(super) fn mark_delivered(&mut self, id: PayloadId) -> Option<oneshot::Sender<()>> {
        let OpenPayload { keeper, size, pending_quarantine, done, .. } = self.evict(id)?;
        match (keeper, &self.journal) {
            (Keeper::Lender(lender, refused), _) => lender.settle(Settled::Delivered { refused }),
            (Keeper::Journal(entry), Some(JournalReader { backlog: Backlog { journal, consumer }, .. })) => {
                match &pending_quarantine {
                    None => journal.mark_delivered(*consumer, entry, size),
                    Some(reason) => journal.mark_for_quarantine(*consumer, entry, None, reason),
                }
            }
            (Keeper::Journal(_) | Keeper::Memory, _) => {}
        }
        done
    }

    /// Removes a payload that the quarantine cannot store now. The journal keeps it until it can.
    pub(super) fn mark_for_quarantine(&mut self, id: PayloadId, reason: &str) {
        if let Some(payload) = self.payloads.get_mut(&id) {
            payload.pending_quarantine = Some(reason.into());
            self.mark_delivered(id);
        }
    }

    /// Whether the journal has entries that wait for the quarantine.
    pub(super) fn has_pending_quarantine(&self) -> bool {
        self.journal.as_ref().is_some_and(|reader| reader.backlog.journal.pending_quarantine() > 0)
    }

    /// Removes a payload that the receiver refused for good.
    pub(super) fn discard(&mut self, id: PayloadId) -> Option<OpenPayload> {
        let payload = self.evict(id)?;
        if let (Keeper::Journal(entry), Some(reader)) = (&payload.keeper, &self.journal) {
            reader.backlog.journal.discard(*entry, payload.size);
        }
        Some(payload)
    }

    /// Gives a refused payload back to its source. Returns whether it has one.
    pub(super) fn give_back(&mut self, id: PayloadId, reason: &str) -> bool {
        if !self.is_lent(id) {
            return false;
        }
        if let Some(OpenPayload { keeper: Keeper::Lender(lender, _), .. }) = self.evict(id) {
            lender.settle(Settled::Refused(reason.to_owned()));
        }
        true
    }

    /// Removes a payload from memory only. In the journal, or at its source, it stays for the next start.
    pub(super) fn evict(&mut self, id: PayloadId) -> Option<OpenPayload> {
        self.waiting.remove(&id);
        let payload = self.payloads.remove(&id)?;
        self.bytes -= payload.bytes.as_ref().map_or(0, Bytes::len);
        self.lent -= usize::from(matches!(payload.keeper, Keeper::Lender(..)));
        Some(payload)
    }

    /// Removes the payload with this receipt, and notifies the task that waits for its delivery.
    pub(super) fn done(&mut self, receipt: u64) {
        if let Some(done) = self.receipts.remove(&receipt).and_then(|id| self.mark_delivered(id)) {
            // Most senders do not wait for the delivery.
            let _ = done.send(());
        }
    }

    /// The instance ingested a payload under this receipt. The first time, returns its sender, and the receiver that
    /// completes with the delivery.
    pub(super) fn taken(&mut self, id: PayloadId, receipt: u64) -> Option<(Sender, oneshot::Receiver<()>)> {
        self.waiting.remove(&id);
        self.receipts.insert(receipt, id);
        let payload = self.payloads.get_mut(&id)?;
        if let Keeper::Journal(_) = payload.keeper {
            self.bytes -= payload.bytes.take().map_or(0, |bytes| bytes.len());
        }
        let sender = payload.sender.take()?;
        let (done, receiver) = oneshot::channel();
        payload.done = Some(done);
        Some((sender, receiver))
    }

    /// The context of the payload with this receipt.
    pub(super) fn context_of(&self, receipt: u64) -> Option<&PayloadContext> {
        Some(&self.payloads.get(self.receipts.get(&receipt)?)?.context)
    }

    /// Part of the payload with this receipt cannot be quarantined now. Returns whether the journal keeps the whole
    /// payload until it can.
    pub(super) fn mark_receipt_for_quarantine(&mut self, receipt: u64, reason: &str) -> bool {
        match self.receipts.get(&receipt).and_then(|id| self.payloads.get_mut(id)) {
            Some(payload) if matches!(payload.keeper, Keeper::Journal(_)) => {
                payload.pending_quarantine.get_or_insert_with(|| reason.into());
                true
            }
            _ => false,
        }
    }

    /// Collects a refused span for the source of its payload. Returns the span if the payload has no source.
    pub(super) fn collect_refused(&mut self, span: Quarantined) -> Option<Quarantined> {
        let id = span.receipt.and_then(|receipt| self.receipts.get(&receipt));
        match id.and_then(|id| self.payloads.get_mut(id)) {
            Some(OpenPayload { keeper: Keeper::Lender(_, refused), .. }) => {
                refused.push(span);
                None
            }
            _ => Some(span),
        }
    }

    /// A new instance must ingest all payloads.
    pub(super) fn reset_ingested(&mut self) {
        self.receipts.clear();
        self.waiting = self.payloads.keys().copied().collect();
        for payload in self.payloads.values_mut() {
            if let Keeper::Lender(_, refused) = &mut payload.keeper {
                refused.clear();
            }
        }
    }

    /// Removes the payloads that wait and that their sources want back.
    pub(super) fn drop_withdrawn(&mut self) {
        if self.lent == 0 {
            return;
        }
        let withdrawn = |id: &&PayloadId| match self.payloads.get(*id).map(|payload| &payload.keeper) {
            Some(Keeper::Lender(lender, _)) => lender.is_withdrawn(),
            _ => false,
        };
        for id in self.waiting.iter().filter(withdrawn).copied().collect::<Vec<_>>() {
            self.evict(id);
        }
    }

    fn is_lent(&self, id: PayloadId) -> bool {
        matches!(self.payloads.get(&id), Some(OpenPayload { keeper: Keeper::Lender(..), .. }))
    }

    /// Payloads that the current instance has not ingested, oldest first.
    pub(super) fn waiting(&self) -> Vec<PayloadId> {
        self.waiting.iter().copied().collect()
    }

    /// Payloads that the current instance has ingested.
    pub(super) fn ingested(&self) -> Vec<PayloadId> {
        self.receipts.values().copied().collect()
    }

    pub(super) fn get(&self, id: PayloadId) -> Option<&OpenPayload> {
        self.payloads.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: PayloadId) -> Option<&mut OpenPayload> {
        self.payloads.get_mut(&id)
    }

    /// The payloads that nothing but this process keeps.
    pub(super) fn in_memory_only(&self) -> Vec<PayloadId> {
        let only = self.payloads.iter().filter(|(_, payload)| matches!(payload.keeper, Keeper::Memory));
        only.map(|(id, _)| *id).collect()
    }

    /// The number of undelivered payloads, including those that were not read yet, without those that a source keeps.
    pub(super) fn count(&self) -> usize {
        match &self.journal {
            None => self.payloads.len() - self.lent,
            Some(JournalReader { backlog: Backlog { journal, consumer }, .. }) => {
                usize::try_from(journal.pending_count(*consumer)).unwrap_or(usize::MAX)
            }
        }
    }

    /// What is undelivered, without what a source keeps. With a journal, the oldest payload that was read, which is the
    /// oldest of all if any was read.
    pub(super) fn size(&self) -> Waiting {
        let count = |count| u64::try_from(count).unwrap_or(u64::MAX);
        let bytes = match &self.journal {
            None => count(self.bytes),
            Some(JournalReader { backlog: Backlog { journal, consumer }, .. }) => journal.pending_bytes(*consumer),
        };
        let own = |payload: &&OpenPayload| !matches!(payload.keeper, Keeper::Lender(..));
        let any = self.lent < self.payloads.len();
        let oldest = self.payloads.values().find(|payload| any && own(payload)).map(|payload| payload.arrived);
        Waiting { payloads: count(self.count()), bytes, oldest }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.payloads.is_empty() && !self.has_unread_journal()
    }
}

/// Acknowledges a payload that is on disk.
fn acknowledge(sender: Sender) {
    let (_, done) = oneshot::channel();
    // A sender that did not wait for the answer will send again; repetition is harmless.
    let _ = sender.send(Ok(Accepted { spans: 0, rejected_spans: 0, message: String::new(), done }));
}
