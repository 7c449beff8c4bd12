//! The payloads whose receipts are open: what a new guest must be told again.
//!
//! The contract, which a store on disk can keep as well as this one in memory:
//! - [`keep`](OpenPayloads::keep) comes before the bridge sees a payload, and before its sender is answered;
//! - a payload is there until [`forget`](OpenPayloads::forget), which comes when its receipt is done, when it was
//!   refused, or when it was set aside; nothing else removes one;
//! - payloads are told to a guest in the order in which they were kept.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::SystemTime;

use bytes::Bytes;
use tokio::sync::oneshot;

use super::{Accepted, Refused, Waiting};
use crate::guest::Context;

/// Names a payload for as long as the program runs, across guests.
pub(super) type PayloadId = u64;

/// One payload that is not delivered.
#[derive(Debug)]
pub(super) struct OpenPayload {
    pub(super) bytes: Bytes,
    pub(super) context: Context,
    arrived: SystemTime,
    /// How many guests trapped that may have done so because of it.
    pub(super) traps: u32,
    /// Its sender, until it is answered.
    pub(super) sender: Option<oneshot::Sender<Result<Accepted, Refused>>>,
    done: Option<oneshot::Sender<()>>,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct OpenPayloads {
    payloads: BTreeMap<PayloadId, OpenPayload>,
    /// Those that the current guest has not been told.
    waiting: BTreeSet<PayloadId>,
    /// The others, by the current guest's receipts.
    receipts: HashMap<u64, PayloadId>,
    next: PayloadId,
    /// Of all of them.
    bytes: usize,
}

impl OpenPayloads {
    /// Hold a payload; it waits for the guest.
    pub(super) fn keep(&mut self, bytes: Bytes, context: Context, sender: oneshot::Sender<Result<Accepted, Refused>>) {
        self.bytes += bytes.len();
        let arrived = SystemTime::now();
        let payload = OpenPayload { bytes, context, arrived, traps: 0, sender: Some(sender), done: None };
        self.payloads.insert(self.next, payload);
        self.waiting.insert(self.next);
        self.next += 1;
    }

    /// Let go of a payload.
    pub(super) fn forget(&mut self, id: PayloadId) -> Option<OpenPayload> {
        self.waiting.remove(&id);
        let payload = self.payloads.remove(&id)?;
        self.bytes -= payload.bytes.len();
        Some(payload)
    }

    /// Let go of the payload with this receipt, and say so to whoever waits for it.
    pub(super) fn done(&mut self, receipt: u64) {
        let payload = self.receipts.remove(&receipt).and_then(|id| self.forget(id));
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
        let sender = payload.sender.take()?;
        let (done, receiver) = oneshot::channel();
        payload.done = Some(done);
        Some((sender, receiver))
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

    pub(super) fn size(&self) -> Waiting {
        let count = |count| u64::try_from(count).unwrap_or(u64::MAX);
        let oldest = self.payloads.first_key_value().map(|(_, payload)| payload.arrived);
        Waiting { payloads: count(self.payloads.len()), bytes: count(self.bytes), oldest }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.payloads.is_empty()
    }
}

/// Where the answer to a payload goes.
pub(super) type Sender = oneshot::Sender<Result<Accepted, Refused>>;
