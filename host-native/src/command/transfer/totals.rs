//! What became of the payloads that were sent.

use crate::driver::Accepted;

/// Counts of payloads, unless they say spans.
#[derive(Debug, Default)]
pub(in crate::command) struct Totals {
    /// Taken by the bridge, and the spans in them.
    pub(in crate::command) taken: usize,
    pub(in crate::command) spans: u64,
    /// Those of them that the bridge is done with.
    pub(in crate::command) done: usize,
    /// Those of them that it is not.
    pub(in crate::command) undelivered: usize,
    /// Spans that MLflow will not take.
    pub(in crate::command) quarantined: u64,
}

// === impl Totals ===

impl Totals {
    pub(super) fn taken(&mut self, accepted: &Accepted) {
        self.taken += 1;
        self.spans += u64::from(accepted.spans);
    }

    /// Whether MLflow has everything that was taken.
    pub(in crate::command) fn complete(&self) -> bool {
        self.undelivered == 0 && self.quarantined == 0
    }

    /// A line for each kind of payloads and spans that MLflow does not have.
    pub(in crate::command) fn missing(&self) -> impl Iterator<Item = String> {
        let Self { undelivered, quarantined, .. } = self;
        let lines = [
            (*undelivered > 0)
                .then(|| format!("not delivered: {undelivered} payloads; the same command goes on with them")),
            (*quarantined > 0)
                .then(|| format!("quarantined: {quarantined} spans that MLflow will not take; the log says why")),
        ];
        lines.into_iter().flatten()
    }
}
