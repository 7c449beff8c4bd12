//! Takes the payloads that a source lends to one destination.

use tokio::sync::mpsc;

use super::status::DestinationStatus;
use crate::driver::{Borrower, Loan};

/// The way to the queue of one destination.
#[derive(Debug)]
pub(super) struct LentPayloads {
    loans: mpsc::UnboundedSender<Loan>,
    state: DestinationStatus,
}

impl LentPayloads {
    /// The way in, and the queue's end. The source bounds how much is in between.
    pub(super) fn new(state: DestinationStatus) -> (Self, mpsc::UnboundedReceiver<Loan>) {
        let (loans, queue) = mpsc::unbounded_channel();
        (Self { loans, state }, queue)
    }
}

impl Borrower for LentPayloads {
    fn lend(&self, loan: Loan) {
        self.state.lent();
        if self.loans.send(loan).is_err() {
            self.state.returned();
        }
    }

    fn flush(&self) {
        // Nothing is held back.
    }
}
