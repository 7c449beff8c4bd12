//! What became of everything that was to be replayed.

use std::fmt::Display;

use crate::command::transfer::Totals;

/// Counts of payloads, unless they say files.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Acknowledged by an earlier replay.
    pub(super) known: usize,
    /// Files, and payloads in files.
    pub(super) unreadable: usize,
    pub(super) totals: Totals,
}

// === impl Tally ===

impl Tally {
    /// Count and say what could not be read.
    pub(super) fn unreadable(&mut self, reason: &impl Display) {
        self.unreadable += 1;
        tracing::error!("{reason}");
    }

    /// Whether MLflow has everything.
    pub(super) fn complete(&self) -> bool {
        self.unreadable == 0 && self.totals.complete()
    }

    pub(super) fn report(&self, server: &str) {
        anstream::println!("{}", self.text(server));
    }

    fn text(&self, server: &str) -> String {
        let Self { known, unreadable, totals } = self;
        let Totals { taken, spans, done, .. } = totals;
        let lines = [
            (*taken > 0 || *known == 0)
                .then(|| format!("delivered: {done} of {taken} payloads, with {spans} spans, to {server}")),
            (*known > 0).then(|| format!("delivered before: {known} payloads (--again sends them once more)")),
            (*unreadable > 0).then(|| format!("unreadable: {unreadable} files or payloads; the log says which")),
        ];
        lines.into_iter().flatten().chain(totals.missing()).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_that_all_went_well_then_one_line_says_so() {
        let tally = Tally { totals: Totals { taken: 3, done: 3, spans: 12, ..Totals::default() }, ..Tally::default() };
        assert_eq!(tally.text("http://mlflow"), "delivered: 3 of 3 payloads, with 12 spans, to http://mlflow");
        assert!(tally.complete());
    }

    #[test]
    fn given_anything_that_mlflow_does_not_have_then_it_is_said_and_the_replay_is_not_complete() {
        let missing = |totals: Totals| Tally { totals, ..Tally::default() };
        for (tally, said) in [
            (missing(Totals { undelivered: 2, ..Totals::default() }), "not delivered: 2 payloads"),
            (Tally { unreadable: 1, ..Tally::default() }, "unreadable: 1 files"),
            (missing(Totals { quarantined: 4, ..Totals::default() }), "quarantined: 4 spans"),
        ] {
            assert!(!tally.complete());
            assert!(tally.text("x").contains(said));
        }
        let known = Tally { known: 5, ..Tally::default() };
        assert!(known.complete() && known.text("x").starts_with("delivered before: 5 payloads"));
    }
}
