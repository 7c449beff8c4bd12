//! What feedback is about.
//!
//! Feedback that was given while the span was open is on that span. Later feedback comes on a *carrier*: a span with exactly one
//! link, which names the span that was judged; the carrier's parent says nothing. A link on a span that itself is judged
//! work (a model call, a search, a tool) is some other link, and its feedback is its own. A session is named by
//! `session.id` alone.

use crate::mapping::tags;
use crate::openinference::Key;
use crate::otlp::{Link, Span};

/// The trace, and what of it, or of its session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedbackTarget {
    /// 16 bytes: the judged trace, or for a session the carrier's own.
    pub trace_id: [u8; 16],
    /// What was judged.
    pub subject: FeedbackSubject,
}

/// The scope of feedback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedbackSubject {
    /// One span.
    Span([u8; 8]),
    /// The whole trace.
    Trace,
    /// The session of this id.
    Session(String),
}

/// OpenInference's three scopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    Span,
    Trace,
    Session,
}

/// Kinds of spans that are judged, and so never carry feedback on another one.
const JUDGED: [&str; 8] = ["LLM", "AGENT", "TOOL", "RETRIEVER", "EMBEDDING", "RERANKER", "DECISION", "PROMPT"];

/// What feedback of a scope is about, on this span. `None` for a span without valid ids, which is never stored.
pub(super) fn of(span: &Span<'_>, scope: Scope) -> Option<FeedbackTarget> {
    let own_trace = span.trace_id.try_into().ok()?;
    if scope == Scope::Session
        && let Some(session) = tags::session(span)
    {
        return Some(FeedbackTarget { trace_id: own_trace, subject: FeedbackSubject::Session(session) });
    }
    let linked = link(span).and_then(|link| Some((link.trace_id.try_into().ok()?, link.span_id.try_into().ok()?)));
    let (trace_id, span_id) = linked.unwrap_or((own_trace, span.span_id.try_into().ok()?));
    let subject = if scope == Scope::Span { FeedbackSubject::Span(span_id) } else { FeedbackSubject::Trace };
    Some(FeedbackTarget { trace_id, subject })
}

/// The link of a carrier.
fn link<'s, 'a>(span: &'s Span<'a>) -> Option<&'s Link<'a>> {
    let kind = span.attribute(Key::SpanKind.name()).and_then(|kind| kind.as_str()).unwrap_or_default();
    let is_judged = JUDGED.iter().any(|judged| judged.eq_ignore_ascii_case(kind.trim()));
    match span.links.as_slice() {
        [link] if !is_judged && link.trace_id != [0; 16] && link.span_id != [0; 8] => Some(link),
        _ => None,
    }
}
