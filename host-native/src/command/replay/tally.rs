//! What became of everything that was to be replayed.

use std::fmt::Display;

use crate::driver::Accepted;

/// Counts of payloads, unless they say spans.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Acknowledged by an earlier replay.
    pub(super) known: usize,
    /// Taken by the bridge, and the spans in them.
    pub(super) taken: usize,
    spans: u64,
    /// Those of them that the bridge is done with.
    pub(super) done: usize,
    /// Those of them that it is not.
    pub(super) undelivered: usize,
    /// Files, and payloads in files.
    pub(super) unreadable: usize,
    /// Spans that MLflow will not take.
    pub(super) quarantined: u64,
}

// === impl Tally ===

impl Tally {
    pub(super) fn taken(&mut self, accepted: &Accepted) {
        self.taken += 1;
        self.spans += u64::from(accepted.spans);
    }

    /// Count and say what could not be read.
    pub(super) fn unreadable(&mut self, reason: &impl Display) {
        self.unreadable += 1;
        tracing::error!("{reason}");
    }

    /// Whether MLflow has everything.
    pub(super) fn complete(&self) -> bool {
        self.undelivered == 0 && self.unreadable == 0 && self.quarantined == 0
    }

    pub(super) fn report(&self, server: &str) {
        anstream::println!("{}", self.text(server));
    }

    fn text(&self, server: &str) -> String {
        let Self { known, taken, spans, done, undelivered, unreadable, quarantined } = self;
        let lines = [
            (*taken > 0 || *known == 0)
                .then(|| format!("delivered: {done} of {taken} payloads, with {spans} spans, to {server}")),
            (*known > 0).then(|| format!("delivered before: {known} payloads (--again sends them once more)")),
            (*undelivered > 0)
                .then(|| format!("not delivered: {undelivered} payloads; the same command goes on with them")),
            (*unreadable > 0).then(|| format!("unreadable: {unreadable} files or payloads; the log says which")),
            (*quarantined > 0)
                .then(|| format!("quarantined: {quarantined} spans that MLflow will not take; the log says why")),
        ];
        lines.into_iter().flatten().collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_that_all_went_well_then_one_line_says_so() {
        let tally = Tally { taken: 3, done: 3, spans: 12, ..Tally::default() };
        assert_eq!(tally.text("http://mlflow"), "delivered: 3 of 3 payloads, with 12 spans, to http://mlflow");
        assert!(tally.complete());
    }

    #[test]
    fn given_anything_that_mlflow_does_not_have_then_it_is_said_and_the_replay_is_not_complete() {
        for (tally, said) in [
            (Tally { undelivered: 2, ..Tally::default() }, "not delivered: 2 payloads"),
            (Tally { unreadable: 1, ..Tally::default() }, "unreadable: 1 files"),
            (Tally { quarantined: 4, ..Tally::default() }, "quarantined: 4 spans"),
        ] {
            assert!(!tally.complete());
            assert!(tally.text("x").contains(said));
        }
        let known = Tally { known: 5, ..Tally::default() };
        assert!(known.complete() && known.text("x").starts_with("delivered before: 5 payloads"));
    }
}
