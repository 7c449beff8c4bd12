//! The info of a trace as a whole: what MLflow would derive, and what it cannot.

use super::compose::{News, linked_prompts};
use super::ids::TraceId;
use super::outline::Headline;
use super::said::Said;
use super::trace::Trace;
use crate::contract::{Instant, Receipt};
use crate::mlflow::keys;
use crate::mlflow::trace_info::{TraceInfo, TraceState};

/// The trace tag that says a trace has, or had, no root.
pub const NO_ROOT: &str = "openinference_mlflow.no_root";

/// What MLflow has, or is to be told, of a trace beside its spans.
#[derive(Debug, Default)]
pub struct InfoState {
    /// A complete trace info is to be sent.
    pub wanted: bool,
    /// One was sent: from then on MLflow derives nothing by itself.
    pub sent: bool,
    /// How often the server failed on the request that is next.
    pub failures: u32,
    /// MLflow was asked how it has the trace, before it is closed.
    pub looked: bool,
    /// The experiment in which MLflow has it then.
    pub found_in: Option<String>,
    /// One is worth sending, for previews without quotes, when MLflow has nothing else to do; not after this time.
    pub polish_until: Option<Instant>,
    /// The trace is to be linked to prompts, by a request of its own.
    pub links_wanted: bool,
    /// To how many prompts it was linked.
    pub linked: usize,
    /// Shares of receipts that wait for any of this.
    pub receipts: Vec<Receipt>,
}

impl InfoState {
    /// Whether MLflow is to be told nothing more.
    pub fn is_settled(&self) -> bool {
        !self.wanted && self.polish_until.is_none() && !self.links_wanted
    }
}

/// The complete info of a trace, from the outlines of all its spans and the headlines of those that were sent or are
/// about to be (`news`).
///
/// Earliest start, latest end, and the state of the root as MLflow (3.17) derives them; a closed trace without a root is
/// an error when one of its outermost spans is.
pub fn of(id: TraceId, trace: &Trace, news: &News, experiment_id: &str) -> TraceInfo {
    let headline = trace.headline(&news.headlines).map(|(_, headline)| headline);
    let said = if news.said.is_empty() { &trace.said } else { &news.said };
    // An earlier info may have told those of another headline.
    let nothing = || trace.info.sent.then(String::new);
    let borrowed = |borrows: fn(&Headline) -> bool, words: fn(&Said) -> Option<String>| {
        headline.filter(|headline| borrows(headline)).and_then(|_| words(said))
    };
    let mut tags = trace.resource_tags.clone();
    let root = trace.root_facts();
    tags.extend(root.iter().flat_map(|root| root.envelope.tags.iter().cloned()));
    tags.extend(headline.iter().flat_map(|headline| headline.tags.iter().cloned()));
    tags.extend(linked_prompts(if news.prompts.is_empty() { &trace.prompts } else { &news.prompts }));
    let name = headline.map(|headline| &headline.name).or(root.map(|root| &root.name));
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
        start: trace.outlines().map(|(_, outline)| outline.start).min().unwrap_or_default(),
        end: trace.outlines().map(|(_, outline)| outline.end).max().unwrap_or_default(),
        state: state(trace),
        request_preview: borrowed(|headline| headline.borrows_request, Said::request)
            .or_else(|| headline?.request.clone())
            .or_else(nothing),
        response_preview: borrowed(|headline| headline.borrows_response, Said::answer)
            .or_else(|| headline?.response.clone())
            .or_else(nothing),
        tags: tags.into_iter().collect(),
        metadata: Vec::new(),
    }
}

/// The state of the root; of a closed trace, of its outermost spans.
pub fn state(trace: &Trace) -> TraceState {
    let error = match trace.root() {
        Some((_, root)) => root.error,
        None if trace.closed => trace
            .outlines()
            .any(|(_, outline)| outline.error && outline.parent.is_none_or(|parent| trace.outline(parent).is_none())),
        None => return TraceState::InProgress,
    };
    if error { TraceState::Error } else { TraceState::Ok }
}
