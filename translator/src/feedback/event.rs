//! OpenTelemetry's event `gen_ai.evaluation.result`, one result each
//! (<https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/gen-ai-events.md>).

use super::Feedback;
use super::fields::{plain, score};
use super::target::{self, Scope};
use crate::otlp::{Event, Span};

const NAME: &str = "gen_ai.evaluation.result";
const PREFIX: &str = "gen_ai.evaluation.";

/// The most other attributes that are kept of one event.
const MAX_METADATA: usize = 200;

/// Reads all of them.
pub(super) fn read(span: &Span<'_>, found: &mut Vec<Feedback>) {
    let events = span.events.iter().filter(|event| event.name.get() == NAME);
    found.extend(events.filter_map(|event| feedback(span, event)));
}

fn feedback(span: &Span<'_>, event: &Event<'_>) -> Option<Feedback> {
    let mut feedback = Feedback {
        target: target::of(span, Scope::Span)?,
        name: String::new(),
        score: None,
        label: None,
        explanation: None,
        annotator: None,
        identifier: None,
        metadata: Vec::new(),
        time: if event.time == 0 { span.end } else { event.time },
    };
    for attribute in &event.attributes {
        let (key, value) = (attribute.key.get(), attribute.value);
        let text = || Some(plain(value).trim().to_owned()).filter(|text| !text.is_empty());
        match key.strip_prefix(PREFIX) {
            Some("name") => feedback.name = text().unwrap_or_default(),
            Some("score.value" | "score") => feedback.score = score(value),
            Some("score.label" | "label") => feedback.label = text(),
            Some("explanation") => feedback.explanation = text(),
            // Not OpenTelemetry's: OpenInference asks to keep them where they can be.
            Some("annotator_kind") => feedback.annotator = text(),
            Some("identifier") => feedback.identifier = text(),
            _ if feedback.metadata.len() < MAX_METADATA => feedback.metadata.push((key.to_owned(), plain(value))),
            _ => {}
        }
    }
    feedback.has_result().then_some(feedback)
}
