//! The payloads whose receipts are open: what a new guest must be told again.
//!
//! They are kept in memory, or in the [`Journal`], which then has their bytes while this has their names alone:
//! - a payload is kept before the bridge sees it, and before its sender is answered;
//! - it is there until [`settle`](OpenPayloads::settle), which comes when its receipt is done, when it was refused, or
//!   when it was set aside; nothing else removes one;
//! - payloads are told to a guest in the order in which they were kept.
//!
//! In the journal may be more than a guest has room for. It is read in that order, a little at a time, as there is room.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use tokio::sync::oneshot;

use super::{Accepted, Backlog, Refused, Waiting};
use crate::journal::{EntryId, Unavailable};
use crate::wasm::Context;

/// Names a payload for as long as the program runs, across guests; in the journal, the entry's id.
pub(super) type PayloadId = EntryId;

/// How many payloads are read from the journal at once …
const READ: usize = 64;
/// … and no more after so many bytes.
const READ_BYTES: usize = 8 << 20;
/// How many payloads may wait in the journal before a new one, for its sender to wait for what the guest says of it.
const BEHIND: EntryId = 1_024;

/// One payload that is not delivered.
#[derive(Debug)]
pub(super) struct OpenPayload {
    /// None: the journal has them.
    bytes: Option<Bytes>,
    size: usize,
    pub(super) context: Context,
    arrived: SystemTime,
    /// How many guests trapped because of it.
    pub(super) traps: u32,
    /// Its sender, until it is answered.
    pub(super) sender: Option<Sender>,
    done: Option<oneshot::Sender<()>>,
    /// Something of it could not be set aside, for this reason: the journal keeps it until it can.
    held_back: Option<Arc<str>>,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct OpenPayloads {
    payloads: BTreeMap<PayloadId, OpenPayload>,
    /// Those that the current guest has not been told.
    waiting: BTreeSet<PayloadId>,
    /// The others, by the current guest's receipts.
    receipts: HashMap<u64, PayloadId>,
    /// In memory: the next payload's name. In the journal: the next entry to read.
    next: PayloadId,
    /// Of those whose bytes are in memory.
    bytes: usize,
    journal: Option<Reading>,
}

/// Where in the journal the bridge is.
#[derive(Debug)]
struct Reading {
    backlog: Backlog,
    /// The newest entry that was written.
    newest: EntryId,
    /// Who waits for what the guest says of an entry that was not read yet.
    senders: BTreeMap<EntryId, Sender>,
}

/// Where the answer to a payload goes.
pub(super) type Sender = oneshot::Sender<Result<Accepted, Refused>>;

// === impl OpenPayloads ===

impl OpenPayloads {
    /// What is in the journal waits for the guest.
    pub(super) fn in_journal(backlog: Backlog) -> Self {
        let newest = *backlog.journal.newest().borrow();
        Self { journal: Some(Reading { backlog, newest, senders: BTreeMap::new() }), ..Self::default() }
    }

    /// Hold a payload in memory; it waits for the guest.
    pub(super) fn keep(&mut self, bytes: Bytes, context: Context, sender: Sender) {
        self.insert(self.next, SystemTime::now(), bytes, context, Some(sender));
        self.next += 1;
    }

    /// A payload was written to the journal. Its sender is answered at once when there is much before it.
    pub(super) fn written(&mut self, id: EntryId, sender: Sender) {
        let Some(reading) = &mut self.journal else { return };
        reading.newest = reading.newest.max(id);
        if id.saturating_sub(self.next) > BEHIND {
            acknowledge(sender);
        } else {
            reading.senders.insert(id, sender);
        }
    }

    /// Read on in the journal, when nothing waits.
    pub(super) fn read_on(&mut self) -> Result<(), Unavailable> {
        if !self.waiting.is_empty() || !self.more_in_journal() {
            return Ok(());
        }
        let Some(reading) = &self.journal else { return Ok(()) };
        let Backlog { journal, owner } = &reading.backlog;
        let newest = reading.newest;
        let entries = journal.owed(*owner, self.next, READ, READ_BYTES)?;
        let mut entries: Vec<_> = entries.into_iter().filter(|entry| entry.id <= newest).collect();
        self.next = entries.last().map_or(newest, |entry| entry.id) + 1;
        for entry in entries.drain(..) {
            let sender = self.journal.as_mut().and_then(|reading| reading.senders.remove(&entry.id));
            let arrived = UNIX_EPOCH + Duration::from_millis(entry.received_ms);
            self.insert(entry.id, arrived, entry.payload, entry.context, sender);
        }
        let Some(reading) = &mut self.journal else { return Ok(()) };
        // Whoever waits for what was passed over waits for nothing: it was settled meanwhile.
        let later = reading.senders.split_off(&self.next);
        std::mem::replace(&mut reading.senders, later).into_values().for_each(acknowledge);
        Ok(())
    }

    /// Whether there is anything in the journal that was not read.
    pub(super) fn more_in_journal(&self) -> bool {
        self.journal.as_ref().is_some_and(|reading| self.next <= reading.newest)
    }

    /// What is in the journal is safe: nobody needs to wait any longer for what the guest says.
    pub(super) fn acknowledge_all(&mut self) {
        let Some(reading) = &mut self.journal else { return };
        std::mem::take(&mut reading.senders).into_values().for_each(acknowledge);
        for id in &self.waiting {
            let sender = self.payloads.get_mut(id).and_then(|payload| payload.sender.take());
            sender.into_iter().for_each(acknowledge);
        }
    }

    /// Whether payloads stay when the program ends.
    pub(super) fn are_in_journal(&self) -> bool {
        self.journal.is_some()
    }

    fn insert(&mut self, id: PayloadId, arrived: SystemTime, bytes: Bytes, context: Context, sender: Option<Sender>) {
        self.bytes += bytes.len();
        let (size, bytes) = (bytes.len(), Some(bytes));
        let payload = OpenPayload { bytes, size, context, arrived, traps: 0, sender, done: None, held_back: None };
        self.payloads.insert(id, payload);
        self.waiting.insert(id);
    }

    /// A payload's bytes; none when it is not there any more.
    pub(super) fn bytes(&self, id: PayloadId) -> Result<Option<Bytes>, Unavailable> {
        let Some(payload) = self.payloads.get(&id) else { return Ok(None) };
        match (&payload.bytes, &self.journal) {
            (Some(bytes), _) => Ok(Some(bytes.clone())),
            (None, Some(reading)) => Ok(reading.backlog.journal.entry(id)?.map(|entry| entry.payload)),
            (None, None) => Ok(None),
        }
    }

    /// Let go of a payload: MLflow needs it no more.
    pub(super) fn settle(&mut self, id: PayloadId) -> Option<OpenPayload> {
        let payload = self.forget(id)?;
        if let Some(Reading { backlog: Backlog { journal, owner }, .. }) = &self.journal {
            match &payload.held_back {
                None => journal.settle(*owner, id, payload.size),
                Some(reason) => journal.hold_back(*owner, id, None, reason),
            }
        }
        Some(payload)
    }

    /// Let go of a payload that should be set aside and cannot be now: the journal keeps it until it can.
    pub(super) fn hold_back(&mut self, id: PayloadId, reason: &str) {
        if let Some(payload) = self.payloads.get_mut(&id) {
            payload.held_back = Some(reason.into());
            self.settle(id);
        }
    }

    /// Whether anything waits in the journal until it can be set aside.
    pub(super) fn holds_back(&self) -> bool {
        self.journal.as_ref().is_some_and(|reading| reading.backlog.journal.held_back() > 0)
    }

    /// Let go of a payload that its sender was told not to send again: nobody needs it.
    pub(super) fn withdraw(&mut self, id: PayloadId) -> Option<OpenPayload> {
        let payload = self.forget(id)?;
        if let Some(reading) = &self.journal {
            reading.backlog.journal.withdraw(id, payload.size);
        }
        Some(payload)
    }

    /// Let go of a payload that stays in the journal for the next start.
    pub(super) fn forget(&mut self, id: PayloadId) -> Option<OpenPayload> {
        self.waiting.remove(&id);
        let payload = self.payloads.remove(&id)?;
        self.bytes -= payload.bytes.as_ref().map_or(0, Bytes::len);
        Some(payload)
    }

    /// Let go of the payload with this receipt, and say so to whoever waits for it.
    pub(super) fn done(&mut self, receipt: u64) {
        let payload = self.receipts.remove(&receipt).and_then(|id| self.settle(id));
        if let Some(done) = payload.and_then(|payload| payload.done) {
            // Most senders do not wait.
            let _ = done.send(());
        }
    }

    /// The guest has taken a payload under this receipt. Returns its sender if this is the first time, with what tells
    /// it when the payload is done.
    pub(super) fn taken(&mut self, id: PayloadId, receipt: u64) -> Option<(Sender, oneshot::Receiver<()>)> {
        self.waiting.remove(&id);
        self.receipts.insert(receipt, id);
        let payload = self.payloads.get_mut(&id)?;
        if self.journal.is_some() {
            self.bytes -= payload.bytes.take().map_or(0, |bytes| bytes.len());
        }
        let sender = payload.sender.take()?;
        let (done, receiver) = oneshot::channel();
        payload.done = Some(done);
        Some((sender, receiver))
    }

    /// What the sender said of the payload with this receipt.
    pub(super) fn context_of(&self, receipt: u64) -> Option<&Context> {
        Some(&self.payloads.get(self.receipts.get(&receipt)?)?.context)
    }

    /// Something of the payload with this receipt cannot be set aside now. Returns whether the journal keeps the whole of
    /// it, when the rest of it is delivered, until it can.
    pub(super) fn keep_for_later(&mut self, receipt: u64, reason: &str) -> bool {
        let in_journal = self.are_in_journal();
        let payload = self.receipts.get(&receipt).and_then(|id| self.payloads.get_mut(id));
        in_journal && payload.map(|payload| payload.held_back.get_or_insert_with(|| reason.into())).is_some()
    }

    /// A new guest knows nothing: all wait.
    pub(super) fn all_wait(&mut self) {
        self.receipts.clear();
        self.waiting = self.payloads.keys().copied().collect();
    }

    /// Those that the current guest has not been told, oldest first.
    pub(super) fn waiting(&self) -> Vec<PayloadId> {
        self.waiting.iter().copied().collect()
    }

    /// Those that the current guest has been told.
    pub(super) fn told(&self) -> Vec<PayloadId> {
        self.receipts.values().copied().collect()
    }

    pub(super) fn get(&self, id: PayloadId) -> Option<&OpenPayload> {
        self.payloads.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: PayloadId) -> Option<&mut OpenPayload> {
        self.payloads.get_mut(&id)
    }

    pub(super) fn ids(&self) -> Vec<PayloadId> {
        self.payloads.keys().copied().collect()
    }

    /// How many are not delivered, those included that were not read.
    pub(super) fn count(&self) -> usize {
        match &self.journal {
            None => self.payloads.len(),
            Some(Reading { backlog: Backlog { journal, owner }, .. }) => {
                usize::try_from(journal.owed_count(*owner)).unwrap_or(usize::MAX)
            }
        }
    }

    /// What is not delivered. Of the journal, the oldest payload that was read, which is the oldest of all unless there is
    /// none.
    pub(super) fn size(&self) -> Waiting {
        let count = |count| u64::try_from(count).unwrap_or(u64::MAX);
        let bytes = match &self.journal {
            None => count(self.bytes),
            Some(Reading { backlog: Backlog { journal, owner }, .. }) => journal.owed_bytes(*owner),
        };
        let oldest = self.payloads.first_key_value().map(|(_, payload)| payload.arrived);
        Waiting { payloads: count(self.count()), bytes, oldest }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.payloads.is_empty() && !self.more_in_journal()
    }
}

/// A payload that is on disk has been accepted, whatever becomes of it.
fn acknowledge(sender: Sender) {
    let (_, done) = oneshot::channel();
    // A sender that did not wait for the answer will send again; repetition is harmless.
    let _ = sender.send(Ok(Accepted { spans: 0, rejected_spans: 0, message: String::new(), done }));
}
