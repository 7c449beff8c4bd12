//! What became of everything that was to be imported.

use std::fmt::Display;

use serde_json::{Value, json};

use crate::command::transfer::Totals;

/// What the import read, and what became of it.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) dry_run: bool,
    /// The projects' names.
    pub(super) projects: Vec<String>,
    /// New to MLflow, all or in part.
    pub(super) traces: usize,
    /// New to MLflow.
    pub(super) spans: usize,
    pub(super) annotations: usize,
    /// Acknowledged by an earlier import.
    pub(super) known_traces: usize,
    pub(super) known_annotations: usize,
    /// Spans that Phoenix listed and did not have any more.
    pub(super) gone: usize,
    /// Spans and annotations.
    pub(super) unreadable: usize,
    pub(super) totals: Totals,
}

// === impl Tally ===

impl Tally {
    /// Counts and says what could not be read.
    pub(super) fn unreadable(&mut self, reason: &impl Display) {
        self.unreadable += 1;
        tracing::error!("{reason}");
    }

    /// Whether MLflow has everything.
    pub(super) fn complete(&self) -> bool {
        self.unreadable == 0 && self.totals.complete()
    }

    pub(super) fn report(&self, as_json: bool, server: &str) {
        if as_json {
            anstream::println!("{}", self.json());
        } else {
            anstream::println!("{}", self.text(server));
        }
    }

    fn json(&self) -> Value {
        let Self { dry_run, projects, traces, spans, annotations, known_traces, known_annotations, .. } = self;
        json!({
            "dry_run": dry_run, "projects": projects, "traces": traces, "spans": spans, "annotations": annotations,
            "delivered_before": {"traces": known_traces, "annotations": known_annotations},
            "gone": self.gone, "unreadable": self.unreadable, "quarantined": self.totals.quarantined,
            "undelivered_payloads": self.totals.undelivered, "complete": self.complete(),
        })
    }

    fn text(&self, server: &str) -> String {
        let Self { dry_run, projects, traces, spans, annotations, known_traces, known_annotations, .. } = self;
        let Self { gone, unreadable, totals, .. } = self;
        let verb = if *dry_run { "would be sent" } else { "sent" };
        let known = known_traces + known_annotations > 0;
        let lines = [
            Some(format!(
                "{verb}: {traces} traces with {spans} spans, and {annotations} annotations, of {} projects, to {server}",
                projects.len()
            )),
            known.then(|| {
                format!(
                    "delivered before: {known_traces} traces and {known_annotations} annotations (--again sends them once \
                     more)"
                )
            }),
            (*gone > 0).then(|| format!("gone: {gone} spans that were deleted in Phoenix meanwhile")),
            (*unreadable > 0).then(|| format!("unreadable: {unreadable} spans or annotations; the log says which")),
        ];
        lines.into_iter().flatten().chain(totals.missing()).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_that_all_went_well_then_it_is_said_in_numbers() {
        let tally = Tally { projects: vec!["a".into()], traces: 3, spans: 12, annotations: 2, ..Tally::default() };
        let said = "sent: 3 traces with 12 spans, and 2 annotations, of 1 projects, to http://mlflow";
        assert_eq!((tally.text("http://mlflow").as_str(), tally.complete()), (said, true));
        let again = Tally { known_traces: 3, dry_run: true, ..Tally::default() }.text("x");
        assert!(
            again.starts_with("would be sent: 0 traces") && again.contains("delivered before: 3 traces"),
            "{again}"
        );
    }

    #[test]
    fn given_anything_that_mlflow_does_not_have_then_it_is_said_and_the_import_is_not_complete() {
        let totals = Totals { undelivered: 2, quarantined: 4, ..Totals::default() };
        let tally = Tally { unreadable: 1, gone: 5, totals, ..Tally::default() };
        let text = tally.text("x");
        for said in ["not delivered: 2", "quarantined: 4", "unreadable: 1", "gone: 5"] {
            assert!(text.contains(said), "{text}");
        }
        let json = tally.json();
        assert_eq!((&json["complete"], &json["quarantined"], &json["gone"]), (&json!(false), &json!(4), &json!(5)));
    }
}
