//! A payload that its source keeps until it is settled, so that the gateway stores no second copy of it.

use std::fmt;

use bytes::Bytes;

use crate::payload::PayloadContext;
use crate::wasm::Quarantined;

/// A payload, and the source that has lent it.
#[derive(Debug)]
pub struct Loan {
    /// The bytes.
    pub payload: Bytes,
    /// Its encoding and destination.
    pub context: PayloadContext,
    /// The source.
    pub lender: Box<dyn Lender>,
}

/// A source of payloads. What a destination refuses of a payload goes back to it.
pub trait Lender: fmt::Debug + Send {
    /// Whether the source wants the payload back: another gateway has it. A bridge that has ingested it delivers it all the
    /// same.
    fn is_withdrawn(&self) -> bool;

    /// The destination is done with the payload. Not called if the gateway stops first.
    fn settle(self: Box<Self>, settled: Settled);
}

/// Who takes loans: the bridge, or a forward destination.
pub trait Borrower: fmt::Debug + Send + Sync {
    /// Offers a payload that its source keeps until it is settled. It waits as long as the destination has no room. The
    /// source bounds how much it lends. A gateway that is stopping drops the loan.
    fn lend(&self, loan: Loan);

    /// Asks to deliver now what would be delivered later.
    fn flush(&self);
}

/// How a destination is done with a payload.
#[derive(Debug)]
pub enum Settled {
    /// It has every span except these.
    Delivered {
        /// Refused spans, with the reasons.
        refused: Vec<Quarantined>,
    },
    /// It has nothing of the payload, and never will, for this reason.
    Refused(String),
}
