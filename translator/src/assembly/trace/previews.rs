//! What MLflow shows of the trace as a whole from the spans sent so far, and what is missing.

use std::collections::{BTreeMap, BTreeSet};

use super::Trace;
use crate::assembly::ids::SpanId;
use crate::assembly::span_summary::TracePreview;
use crate::assembly::trace_update::TraceUpdate;
use crate::mapping::preview::PreviewGain;

impl Trace {
    /// Remembers what the spans being sent say about the trace.
    pub fn remember(&mut self, update: TraceUpdate) {
        for (id, trace_preview) in update.trace_previews {
            self.bytes += trace_preview.size();
            self.bytes -= self.trace_previews.insert(id, trace_preview).map_or(0, |before| before.size());
        }
        if update.prompts_sent {
            self.prompts_sent = update.prompts.len();
        }
        self.bytes -= self.metadata.size();
        self.metadata.merge(update.metadata);
        self.bytes += self.metadata.size();
        let size = |prompts: &BTreeSet<String>| prompts.iter().map(String::len).sum::<usize>();
        self.bytes += size(&update.prompts);
        self.bytes -= size(&self.prompts);
        self.prompts = update.prompts;
        self.bytes += update.conversation.size();
        self.bytes -= self.conversation.size();
        self.conversation = update.conversation;
        if update.summary_applied {
            self.bytes += self.conversation.size();
            self.bytes -= self.sent_conversation.size();
            self.sent_conversation = self.conversation.clone();
        }
    }

    /// The outermost OpenInference span that started first, among those that were sent and `fresh` ones.
    pub fn trace_preview<'a>(
        &'a self,
        fresh: &'a BTreeMap<SpanId, TracePreview>,
    ) -> Option<(SpanId, &'a TracePreview)> {
        let all = self.trace_previews.iter().chain(fresh);
        let outermost = all.filter(|(id, _)| self.openinference_ancestor(**id).is_none());
        let first = outermost.min_by_key(|(id, _)| (self.span_summary(**id).map(|summary| summary.start), **id));
        first.map(|(id, trace_preview)| (*id, trace_preview))
    }

    /// Whether MLflow shows wrong previews or none: the span's values are unreadable, the span is not the root, or the
    /// previews come from model calls that the span does not carry.
    pub fn lacks_previews(&self) -> bool {
        let nothing = BTreeMap::new();
        let Some((id, trace_preview)) = self.trace_preview(&nothing) else { return false };
        let is_root = self.root().is_some_and(|(root, _)| root == id);
        let has_previews = trace_preview.request.is_some() || trace_preview.response.is_some();
        trace_preview.gain == PreviewGain::Required
            || has_previews && !is_root
            || trace_preview.uses_conversation()
                && !self.conversation.is_empty()
                && (!is_root || self.conversation != self.sent_conversation)
    }

    /// Whether MLflow shows readable previews that still have the quotes and braces of JSON.
    pub fn has_deferred_preview(&self) -> bool {
        let nothing = BTreeMap::new();
        self.trace_preview(&nothing).is_some_and(|(_, trace_preview)| trace_preview.gain == PreviewGain::Deferred)
    }

    /// Whether spans with prompts arrived after the root that carries the prompt tag was sent.
    pub fn lacks_prompts(&self) -> bool {
        self.prompts.len() > self.prompts_sent
    }

    /// Whether spans are linked to prompts by which MLflow's search does not find the trace.
    pub fn has_unlinked_prompts(&self) -> bool {
        self.prompts.len() > self.info.linked
    }
}
