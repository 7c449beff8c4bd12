//! The info of a trace as a whole: what MLflow would derive, and what it cannot.

use super::compose::{TraceUpdate, linked_prompts};
use super::conversation::ConversationSummary;
use super::ids::TraceId;
use super::span_summary::TracePreview;
use super::trace::Trace;
use crate::contract::{Instant, Receipt};
use crate::mlflow::keys;
use crate::mlflow::trace_info::{TraceInfo, TraceState};
use crate::settings::Settings;

/// The trace tag that says a trace has, or had, no root.
pub const NO_ROOT: &str = "openinference_mlflow.no_root";

/// What MLflow has of a trace beside its spans, and which requests are left.
///
/// A trace info is *required* if MLflow would otherwise show something wrong, such as the name or the tags of the trace. Infos
/// that only improve previews, and links to prompts, are *optional*: no receipt waits for them, unless the settings say so.
#[derive(Debug, Default)]
pub struct InfoState {
    /// A complete trace info is to be sent.
    pub needed: bool,
    /// That trace info is required.
    pub required: bool,
    /// One was sent: from then on MLflow derives nothing from spans.
    pub sent: bool,
    /// How often the server failed on the next request.
    pub failures: u32,
    /// MLflow was asked for the trace before it is closed.
    pub looked_up: bool,
    /// The experiment in which MLflow has it then.
    pub found_in: Option<String>,
    /// The trace's metadata in MLflow, if it was read: servers before 3.12 need it repeated.
    pub stored_metadata: Option<Vec<(String, String)>>,
    /// A trace info would give previews without quotes. It is sent when the server is idle, before this time.
    pub preview_deadline: Option<Instant>,
    /// The bridge drops optional requests at this time.
    pub optional_deadline: Instant,
    /// The trace is to be linked to prompts.
    pub links_wanted: bool,
    /// To how many prompts it was linked.
    pub linked: usize,
    /// Shares of receipts that wait for any of this.
    pub receipts: Vec<Receipt>,
}

impl InfoState {
    /// Whether no request is left.
    pub fn is_complete(&self) -> bool {
        !self.needed && self.preview_deadline.is_none() && !self.links_wanted
    }

    /// Whether an optional request is left that need not wait for an idle server.
    pub fn has_optional(&self) -> bool {
        self.needed && !self.required || self.links_wanted
    }

    /// Whether receipts wait for the requests that are left.
    pub fn holds_receipts(&self, settings: &Settings) -> bool {
        self.required || settings.wait_for_optional && !self.is_complete()
    }
}

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
    let borrowed = |borrows: fn(&TracePreview) -> bool, words: fn(&ConversationSummary) -> Option<String>| {
        trace_preview.filter(|trace_preview| borrows(trace_preview)).and_then(|_| words(said))
    };
    let mut tags = trace.resource_tags.clone();
    let root = trace.root_details();
    tags.extend(root.iter().flat_map(|root| root.envelope.tags.iter().cloned()));
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
    TraceInfo {
        trace_id: id.bytes(),
        experiment_id: experiment_id.to_owned(),
        start: trace.span_summaries().map(|(_, summary)| summary.start).min().unwrap_or_default(),
        end: trace.span_summaries().map(|(_, summary)| summary.end).max().unwrap_or_default(),
        state: state(trace),
        request_preview: borrowed(
            |trace_preview| trace_preview.request_from_conversation,
            ConversationSummary::request,
        )
        .or_else(|| trace_preview?.request.clone())
        .or_else(nothing),
        response_preview: borrowed(
            |trace_preview| trace_preview.response_from_conversation,
            ConversationSummary::answer,
        )
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
