//! A message that was read and is not settled.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use bytes::Bytes;
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};

use super::partitions::Assignment;
use crate::driver::{Lender, Settled};
use crate::payload::{Encoding, PayloadContext};

/// A message that was read. It counts against the limit of its consumer group until it is dropped.
pub(super) struct Message {
    pub(super) assignment: Arc<Assignment>,
    pub(super) offset: i64,
    pub(super) key: Option<Bytes>,
    pub(super) payload: Bytes,
    pub(super) headers: Vec<(String, Option<Bytes>)>,
    _weight: Weight,
}

/// The bytes of all messages of a consumer group that are read and not settled. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Inflight(Arc<AtomicUsize>);

/// The part of one message.
struct Weight {
    bytes: usize,
    of: Inflight,
}

/// A message that a destination has, and the way back.
#[derive(Debug)]
pub(super) struct Lent {
    pub(super) message: Message,
    pub(super) back: mpsc::Sender<Returned>,
}

/// A message that a destination is done with.
#[derive(Debug)]
pub(super) struct Returned {
    pub(super) message: Message,
    pub(super) settled: Settled,
}

// === impl Message ===

impl Message {
    /// Copies a message out of librdkafka's memory.
    pub(super) fn copy(message: &BorrowedMessage<'_>, assignment: Arc<Assignment>, inflight: &Inflight) -> Self {
        let payload = message.payload().map_or_else(Bytes::new, Bytes::copy_from_slice);
        let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
        Self {
            assignment,
            offset: message.offset(),
            key: message.key().map(Bytes::copy_from_slice),
            headers: headers.map(|header| (header.key.to_owned(), header.value.map(Bytes::copy_from_slice))).collect(),
            _weight: inflight.add(payload.len()),
            payload,
        }
    }

    /// The destination that the headers name.
    ///
    /// # Errors
    /// A header that cannot be used.
    pub(super) fn context(&self, encoding: Encoding) -> Result<PayloadContext, String> {
        PayloadContext::read(encoding, |name| {
            let header = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            header.and_then(|(_, value)| value.as_deref())
        })
    }
}

impl fmt::Debug for Message {
    /// Shows where it is, and nothing of its content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "message {} of partition {}", self.offset, self.assignment.partition())
    }
}

impl Lender for Lent {
    fn is_withdrawn(&self) -> bool {
        self.message.assignment.is_revoked()
    }

    fn settle(self: Box<Self>, settled: Settled) {
        let Self { message, back } = *self;
        // Nobody waits for it once the member has ended.
        let _ = back.send(Returned { message, settled });
    }
}

// === impl Inflight ===

impl Inflight {
    fn add(&self, bytes: usize) -> Weight {
        self.0.fetch_add(bytes, Ordering::Relaxed);
        Weight { bytes, of: self.clone() }
    }

    pub(super) fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Weight {
    fn drop(&mut self) {
        self.of.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
