//! The info of a trace as a whole: what MLflow would derive, and what it cannot.

use super::compose::linked_prompts;
use super::conversation::ConversationSummary;
use super::ids::TraceId;
use super::span_summary::TracePreview;
use super::trace::Trace;
use super::trace_update::TraceUpdate;
use crate::mlflow::keys;
use crate::mlflow::trace_info::{TraceInfo, TraceState};

/// The trace tag that says a trace has, or had, no root.
pub const NO_ROOT: &str = "openinference_mlflow.no_root";

/// The complete info of a trace, from the summaries of all its spans and the previews of those that were sent or are
/// about to be sent (`update`).
///
/// Earliest start, latest end, and the state of the root as MLflow (3.17) derives them; a closed trace without a root is
/// an error when one of its outermost spans is.
pub fn of(id: TraceId, trace: &Trace, update: &TraceUpdate, experiment_id: &str) -> TraceInfo {
    let trace_preview = trace.trace_preview(&update.trace_previews).map(|(_, trace_preview)| trace_preview);
    let said = if update.conversation.is_empty() { &trace.conversation } else { &update.conversation };
    // An earlier trace info may have set previews of another span: an empty text clears them.
    let nothing = || trace.info.sent.then(String::new);
    let filled = |fills: fn(&TracePreview) -> bool, words: fn(&ConversationSummary) -> Option<String>| {
        trace_preview.filter(|trace_preview| fills(trace_preview)).and_then(|_| words(said))
    };
    let mut tags = trace.resource_tags.to_map();
    let root = trace.root_details();
    tags.extend(root.iter().flat_map(|root| root.envelope.tags().iter().cloned()));
    tags.extend(trace_preview.iter().flat_map(|trace_preview| trace_preview.tags.iter().cloned()));
    tags.extend(linked_prompts(if update.prompts.is_empty() { &trace.prompts } else { &update.prompts }));
    let name = trace_preview.map(|trace_preview| &trace_preview.name).or(root.map(|root| &root.name));
    tags.extend(name.map(|name| (keys::TRACE_NAME.to_owned(), name.clone())));
    tags.extend(root.iter().flat_map(|root| root.tags.iter().cloned()));
    if trace.closed {
        let said =
            if trace.root().is_some() { "the root span came after the trace was closed" } else { "no root span came" };
        tags.insert(NO_ROOT.to_owned(), said.to_owned());
    }
    // MLflow does not get what the host omits, such as feedback that was given long after.
    let kept = || trace.span_summaries().map(|(_, summary)| summary).filter(|summary| !summary.omitted);
    TraceInfo {
        trace_id: id.bytes(),
        experiment_id: experiment_id.to_owned(),
        start: kept().map(|summary| summary.start).min().unwrap_or_default(),
        end: kept().map(|summary| summary.end).max().unwrap_or_default(),
        state: state(trace),
        request_preview: filled(|trace_preview| trace_preview.request_from_conversation, ConversationSummary::request)
            .or_else(|| trace_preview?.request.clone())
            .or_else(nothing),
        response_preview: filled(|trace_preview| trace_preview.response_from_conversation, ConversationSummary::answer)
            .or_else(|| trace_preview?.response.clone())
            .or_else(nothing),
        tags: tags.into_iter().collect(),
        metadata: Vec::new(),
    }
}

/// The state of the root; of a closed trace, of its outermost spans.
pub fn state(trace: &Trace) -> TraceState {
    let error = match trace.root() {
        Some((_, root)) => root.error,
        None if trace.closed => trace.span_summaries().any(|(_, summary)| {
            summary.error && summary.parent.is_none_or(|parent| trace.span_summary(parent).is_none())
        }),
        None => return TraceState::InProgress,
    };
    if error { TraceState::Error } else { TraceState::Ok }
}
