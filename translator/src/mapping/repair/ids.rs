//! Ids: 16 bytes for a trace, 8 for a span and its parent (OTLP, `trace.proto`).

use super::rule;
use crate::otlp::Span;

/// What the ids become.
#[derive(Debug, Default)]
pub(super) struct Ids {
    /// The trace's id, when it changes.
    pub(super) trace: Option<[u8; 16]>,
    /// The span's id, when it changes.
    pub(super) span: Option<[u8; 8]>,
    /// The parent's id, when it changes.
    pub(super) parent: Option<Parent>,
}

/// What a parent's id becomes.
#[derive(Debug)]
pub(super) enum Parent {
    /// Another id.
    Padded([u8; 8]),
    /// No parent.
    None,
}

impl Ids {
    pub(super) fn is_sound(&self) -> bool {
        self.trace.is_none() && self.span.is_none() && self.parent.is_none()
    }

    /// The rule and the place of each id that changes.
    pub(super) fn changes(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let changes = [
            (self.trace.is_some(), rule::TRACE_ID, "trace_id"),
            (self.span.is_some(), rule::SPAN_ID, "span_id"),
            (self.parent.is_some(), rule::PARENT_ID, "parent_span_id"),
        ];
        changes.into_iter().filter(|(changes, ..)| *changes).map(|(_, rule, place)| (rule, place))
    }
}

/// Decides what becomes of a span's ids, or says why the span cannot be stored.
pub(super) fn check(span: &Span<'_>) -> Result<Ids, String> {
    let trace = padded("trace id", span.trace_id)?;
    let id = padded("span id", span.span_id)?;
    let parent = match span.parent_span_id {
        // Zeros are no parent to MLflow either.
        _ if span.is_root() => None,
        // Of two ids MLflow makes numbers before it compares them, as padding does.
        parent => match left_padded::<8>(parent) {
            None => Some(Parent::None),
            Some(parent) if parent == id => Some(Parent::None),
            Some(padded) => (parent.len() != 8).then_some(Parent::Padded(padded)),
        },
    };
    let changed = |len: usize, bytes: &[u8]| bytes.len() != len;
    Ok(Ids { trace: changed(16, span.trace_id).then_some(trace), span: changed(8, span.span_id).then_some(id), parent })
}

fn padded<const N: usize>(name: &str, id: &[u8]) -> Result<[u8; N], String> {
    let wrong = if id.is_empty() {
        "is missing".to_owned()
    } else if id.iter().all(|byte| *byte == 0) {
        "is all zeros".to_owned()
    } else if let Some(id) = left_padded(id) {
        return Ok(id);
    } else {
        format!("has {} bytes", id.len())
    };
    Err(format!(
        "the {name} {wrong}; OTLP wants {N} bytes that are not all zero: correct it in the application that made the span, and send the span again"
    ))
}

fn left_padded<const N: usize>(id: &[u8]) -> Option<[u8; N]> {
    let mut padded = [0; N];
    padded.get_mut(N.checked_sub(id.len())?..)?.copy_from_slice(id);
    Some(padded)
}
