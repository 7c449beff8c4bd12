//! One trace: its spans held, under way or delivered.
//!
//! - A span that arrives twice is one span; of two versions the greater [`Version`] counts, in any order of arrival.
//! - While any of its spans is under way nothing else of the trace is sent.
//! - A trace is *whole* when a root has arrived and every span's parent is there. What is not whole goes out in parts.

mod arrival;
pub mod info_state;
mod media;
mod previews;
mod resource_tags;
pub mod schedule;

use std::collections::{BTreeMap, BTreeSet};

pub use self::arrival::{Arrival, HeldSpan, InsertOutcome};
use self::info_state::InfoState;
use self::resource_tags::ResourceTags;
use super::conversation::ConversationSummary;
use super::derived_metadata::DerivedMetadata;
use super::destination::{RequestedDestination, TraceDestination};
use super::ids::SpanId;
use super::media::Media;
use super::pending_assessments::{Entry as Assessed, PendingAssessments};
use super::receipts::Receipts;
use super::root::Root;
use super::span_summary::{SpanSummary, TracePreview, Version};
use crate::contract::{Instant, Receipt};
use crate::gather::gather;

#[derive(Debug)]
struct Entry {
    version: Version,
    summary: SpanSummary,
    held: Option<HeldSpan>,
    /// Whether its media was looked for.
    searched: bool,
    receipts: Vec<Receipt>,
}

/// One trace.
#[derive(Debug, Default)]
pub struct Trace {
    /// What the senders asked for; the first to ask wins.
    pub requested: RequestedDestination,
    /// Where it goes, once something of it went.
    pub destination: Option<TraceDestination>,
    /// Its trace info.
    pub info: InfoState,
    /// Assessments that are not in MLflow.
    pub pending: PendingAssessments,
    /// Media in its spans.
    pub media: Media,
    /// Closed for want of a root.
    pub closed: bool,
    /// To be sent without waiting.
    pub flush_requested: bool,
    /// Requests under way that carry spans of this trace.
    pub in_flight: u32,
    /// Whether a root was delivered.
    pub root_delivered: bool,
    /// Not to be sent before then, because its experiment cannot be used now.
    pub hold_until: Instant,
    /// Trace tags of all resources.
    pub resource_tags: ResourceTags,
    spans: BTreeMap<SpanId, Entry>,
    /// By start: the first represents the trace.
    roots: BTreeMap<(u64, SpanId), Root>,
    /// Previews of the outermost OpenInference spans that were sent.
    trace_previews: BTreeMap<SpanId, TracePreview>,
    /// The conversation of the model calls that were sent, if a preview may need it.
    pub conversation: ConversationSummary,
    /// The conversation that the span of the preview carries.
    sent_conversation: ConversationSummary,
    /// The registered prompts that spans which were sent are linked to.
    pub prompts: BTreeSet<String>,
    /// The trace metadata of the spans that were sent, if the server does not derive all of it.
    pub metadata: DerivedMetadata,
    /// How many of them a root carries.
    prompts_sent: usize,
    missing_parents: BTreeSet<SpanId>,
    unsent: usize,
    last_arrival: Instant,
    waiting_since: Instant,
    bytes: usize,
}

/// Bytes that a span's summary costs, its bytes aside.
const ENTRY_COST: usize = 160;
/// Bytes that a trace costs, its spans aside.
const TRACE_COST: usize = 512;

/// How many ancestors are looked at for an OpenInference one. Real traces nest less deeply by far; without a limit a
/// trace made to be slow would be.
const ANCESTORS: usize = 1_000;

impl Trace {
    /// Takes a span in, and opens a share of its receipt while it is not in MLflow.
    pub fn insert(&mut self, id: SpanId, arrival: Arrival, receipts: &mut Receipts, now: Instant) -> InsertOutcome {
        self.last_arrival = self.last_arrival.max(now);
        if let Some(entry) = self.spans.get_mut(&id)
            && arrival.version <= entry.version
        {
            if entry.held.is_some() {
                receipts.retain(arrival.receipt);
                entry.receipts.push(arrival.receipt);
                self.bytes += size_of::<Receipt>();
            }
            return InsertOutcome::AlreadyKnown;
        }
        if let Some(held) = &arrival.held {
            self.resource_tags.learn(&held.envelope);
            receipts.retain(arrival.receipt);
        }
        let before = self.spans.remove(&id);
        let was_unsent = before.as_ref().is_some_and(|entry| entry.held.is_some());
        self.bytes -= before.as_ref().map_or(0, Entry::size);
        let replaced = before.is_some();
        if let Some(before) = &before {
            self.roots.remove(&(before.summary.start, id));
        }
        let mut shares = before.map(|entry| entry.receipts).unwrap_or_default();
        if arrival.held.is_some() {
            shares.push(arrival.receipt);
        } else {
            // This version is not to be sent, so nothing of the span is outstanding.
            shares.drain(..).for_each(|receipt| receipts.release(receipt));
        }
        let Arrival { version, summary, held, .. } = arrival;
        let entry = Entry { version, summary, held, searched: false, receipts: shares };
        self.unsent -= usize::from(was_unsent);
        if entry.held.is_some() {
            if self.unsent == 0 {
                self.waiting_since = now;
            }
            self.unsent += 1;
        }
        self.bytes += entry.size();
        let SpanSummary { parent, start, .. } = entry.summary;
        if let Some(root) = arrival.root {
            self.roots.insert((start, id), root);
        }
        self.spans.insert(id, entry);
        if replaced {
            self.find_missing_parents();
        } else {
            self.missing_parents.remove(&id);
            self.missing_parents.extend(parent.filter(|parent| !self.spans.contains_key(parent)));
        }
        if was_unsent { InsertOutcome::Newer } else { InsertOutcome::New }
    }

    /// Takes an assessment in.
    pub fn assess(&mut self, entry: Assessed, now: Instant) {
        if self.spans.is_empty() {
            self.last_arrival = self.last_arrival.max(now);
        }
        self.pending.insert(entry);
    }

    /// Whether this version of the span arrived before.
    pub fn has_seen(&self, id: SpanId, version: Version) -> bool {
        self.spans.get(&id).is_some_and(|entry| entry.version == version)
    }

    fn find_missing_parents(&mut self) {
        let parents = self.spans.values().filter_map(|entry| entry.summary.parent);
        self.missing_parents = gather(parents.filter(|parent| !self.spans.contains_key(parent)));
    }

    /// The root that represents the trace: the earliest, then the least id.
    pub fn root(&self) -> Option<(SpanId, SpanSummary)> {
        let (_, id) = self.roots.keys().next()?;
        Some((*id, self.span_summary(*id)?))
    }

    /// What the trace shows of that root.
    pub fn root_details(&self) -> Option<&Root> {
        self.roots.values().next()
    }

    /// Whether MLflow would have to choose between roots, and would by their order in a request.
    pub fn has_several_roots(&self) -> bool {
        self.roots.len() > 1
    }

    /// Whether a root has arrived and every span's parent is there.
    pub fn is_whole(&self) -> bool {
        self.missing_parents.is_empty() && !self.roots.is_empty()
    }

    /// All spans that ever arrived.
    pub fn span_summaries(&self) -> impl Iterator<Item = (SpanId, SpanSummary)> {
        self.spans.iter().map(|(id, entry)| (*id, entry.summary))
    }

    /// A span's summary.
    pub fn span_summary(&self, id: SpanId) -> Option<SpanSummary> {
        self.spans.get(&id).map(|entry| entry.summary)
    }

    /// Spans that are not in MLflow: roots first, then by start, so that a request reads as the trace does.
    pub fn unsent(&self) -> Vec<(SpanId, Version, usize)> {
        let held = self.spans.iter().filter_map(|(id, entry)| {
            let size = entry.held.as_ref()?.span.len();
            Some(((entry.summary.parent.is_some(), entry.summary.start), (*id, entry.version, size)))
        });
        let mut held: Vec<_> = held.collect();
        held.sort_unstable_by_key(|(order, (id, ..))| (*order, *id));
        held.into_iter().map(|(_, item)| item).collect()
    }

    /// How many spans are not in MLflow.
    pub fn unsent_count(&self) -> usize {
        self.unsent
    }

    /// A span's bytes, if MLflow does not have them.
    pub fn held(&self, id: SpanId) -> Option<&HeldSpan> {
        self.spans.get(&id)?.held.as_ref()
    }

    /// A version of a span, if it is the one that MLflow does not have.
    pub fn held_version(&self, id: SpanId, version: Version) -> Option<&HeldSpan> {
        self.spans.get(&id).filter(|entry| entry.version == version)?.held.as_ref()
    }

    /// Looks at each OpenInference span that MLflow does not have, once.
    pub fn search(&mut self, mut search: impl FnMut(SpanId, Version, &HeldSpan)) {
        for (id, entry) in &mut self.spans {
            if let Some(held) = entry.held.as_ref().filter(|_| entry.summary.openinference && !entry.searched) {
                search(*id, entry.version, held);
                entry.searched = true;
            }
        }
    }

    /// The ancestors that are known, the nearest first; spans may be their own ancestors.
    pub fn ancestors(&self, id: SpanId) -> impl Iterator<Item = SpanId> {
        let parent = |id: SpanId| self.span_summary(id)?.parent;
        std::iter::successors(parent(id), move |id| parent(*id)).take(ANCESTORS)
    }

    /// The nearest OpenInference ancestor that is known; spans may be their own ancestors.
    pub fn openinference_ancestor(&self, id: SpanId) -> Option<SpanId> {
        self.ancestors(id).find(|ancestor| self.span_summary(*ancestor).is_some_and(|summary| summary.openinference))
    }

    /// The nearest ancestor that is not omitted, or an ancestor of which nothing is known.
    pub fn kept_ancestor(&self, id: SpanId) -> Option<SpanId> {
        self.ancestors(id).find(|ancestor| self.span_summary(*ancestor).is_none_or(|summary| !summary.omitted))
    }

    /// The project named by a resource: the root's, else the earliest span's that has one.
    pub fn project(&self) -> Option<Box<str>> {
        let named = self.spans.iter().filter_map(|(id, entry)| {
            let project = entry.held.as_ref()?.envelope.project.as_ref()?;
            Some(((entry.summary.parent.is_some(), entry.summary.start, *id), project))
        });
        named.min_by_key(|(order, _)| *order).map(|(_, project)| project.clone())
    }

    /// A span reached its end: MLflow has this version, or it was quarantined. A newer version stays held.
    ///
    /// Returns its bytes and the receipts whose shares are now the caller's to release.
    pub fn mark_delivered(&mut self, id: SpanId, version: Version) -> Option<(HeldSpan, Vec<Receipt>)> {
        let entry = self.spans.get_mut(&id).filter(|entry| entry.version == version)?;
        let before = entry.size();
        let held = entry.held.take()?;
        let receipts = std::mem::take(&mut entry.receipts);
        self.bytes -= before - entry.size();
        self.unsent -= 1;
        self.flush_requested &= self.unsent > 0;
        if self.unsent == 0 {
            // What waited for the trace to be in MLflow need not wait longer.
            self.pending.retry_now();
        }
        Some((held, receipts))
    }

    /// Bytes held.
    pub fn size(&self) -> usize {
        TRACE_COST + self.bytes + self.pending.size() + self.media.size()
    }
}

impl Entry {
    fn size(&self) -> usize {
        let held = self.held.as_ref().map_or(0, |held| held.span.len());
        ENTRY_COST + held + self.receipts.len() * size_of::<Receipt>()
    }
}
