//! Which payloads are not yet wholly in MLflow.
//!
//! A receipt is open while any span of its payload is held or under way, and done exactly once after that.

use std::collections::BTreeMap;

use crate::contract::Receipt;

/// The open receipts, each with how many of its spans are outstanding.
#[derive(Debug, Default)]
pub struct Receipts {
    last: Receipt,
    open: BTreeMap<Receipt, u32>,
    done: Vec<Receipt>,
}

impl Receipts {
    /// A new receipt with one outstanding share, which [`Receipts::release`] gives back when the payload was taken in.
    pub fn open(&mut self) -> Receipt {
        self.last += 1;
        self.open.insert(self.last, 1);
        self.last
    }

    /// One more share of the receipt is outstanding.
    pub fn retain(&mut self, receipt: Receipt) {
        *self.open.entry(receipt).or_default() += 1;
    }

    /// One share of the receipt is settled.
    pub fn release(&mut self, receipt: Receipt) {
        if let Some(shares) = self.open.get_mut(&receipt) {
            *shares -= 1;
            if *shares == 0 {
                self.open.remove(&receipt);
                self.done.push(receipt);
            }
        }
    }

    /// The receipts that became done since the last call.
    pub fn take_done(&mut self) -> Vec<Receipt> {
        std::mem::take(&mut self.done)
    }

    /// How many receipts are open.
    pub fn open_count(&self) -> usize {
        self.open.len()
    }
}
