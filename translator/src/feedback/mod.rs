//! Feedback on spans, traces and sessions: what people, models and code said of them.
//!
//! Source: OpenInference's `spec/annotations.md` (semantic conventions 0.1.42) and OpenTelemetry's event
//! `gen_ai.evaluation.result`. OpenInference's annotations and evaluations mean the same. Feedback is on
//! the span that it judges, or arrives later on a separate carrier span: see [`target`](self::target).
//!
//! Reading never fails: what cannot be understood stays on the carrier, which is stored as any span is.

pub mod assessment;
mod event;
mod fields;
mod target;

pub use target::{FeedbackSubject, FeedbackTarget};

use crate::otlp::Span;

/// One judgement.
#[derive(Clone, Debug, PartialEq)]
pub struct Feedback {
    /// What was judged.
    pub target: FeedbackTarget,
    /// The criterion.
    pub name: String,
    /// The number, or the truth value.
    pub score: Option<serde_json::Value>,
    /// The category.
    pub label: Option<String>,
    /// The reason.
    pub explanation: Option<String>,
    /// `HUMAN`, `LLM`, `CODE`, or a word of the producer's own.
    pub annotator: Option<String>,
    /// The producer's name for this result: a later one of the same name takes its place.
    pub identifier: Option<String>,
    /// Whatever else was said, each as text.
    pub metadata: Vec<(String, String)>,
    /// When it was given, in nanoseconds since the Unix epoch.
    pub time: u64,
}

/// All feedback that a (repaired) span carries.
pub fn read(span: &Span<'_>) -> Vec<Feedback> {
    let mut found = Vec::new();
    if fields::may_be_there(span) {
        fields::read(span, &mut found);
    }
    event::read(span, &mut found);
    found
}

impl Feedback {
    /// Whether there is any result.
    fn has_result(&self) -> bool {
        self.score.is_some() || self.label.is_some() || self.explanation.is_some()
    }
}
