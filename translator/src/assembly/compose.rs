//! From held spans to what is sent: mapped attributes on every span, trace-level attributes on roots.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::conversation::ConversationSummary;
use super::envelope::Envelope;
use super::ids::{SpanId, TraceId};
use super::span_summary::{TracePreview, lacks_answer};
use super::trace::{HeldSpan, Trace};
use super::trace_update::TraceUpdate;
use crate::gather::gather;
use crate::mapping;
use crate::mapping::media::AttachmentReferences;
use crate::mlflow::AddedAttributes;
use crate::mlflow::keys;
use crate::mlflow::server::{self, Reader};
use crate::mlflow::tags::trace_name;
use crate::otlp::Span;
use crate::otlp::write::{OutGroup, OutSpan, reparented};

/// How many unsent spans a request reads again, to fill its agents.
const MOST_READ_AGAIN: usize = 1_000;

/// A span to map.
#[derive(Debug)]
pub struct ReadSpan<'t> {
    /// Which span it is.
    pub id: SpanId,
    /// What surrounds it.
    pub envelope: &'t Arc<Envelope>,
    /// The span as it is held, or as it arrived.
    pub span: Cow<'t, Span<'t>>,
}

/// A span, mapped.
#[derive(Debug)]
pub struct Mapped<'t> {
    /// Which span it is.
    pub id: SpanId,
    /// What surrounds it.
    pub envelope: &'t Arc<Envelope>,
    /// The span as it is held, or as it arrived.
    pub span: Cow<'t, Span<'t>>,
    /// Its parent in MLflow: with the noise filter the nearest OpenInference ancestor.
    pub parent: Option<SpanId>,
    /// The attributes it gains.
    pub added: AddedAttributes<'t>,
}

/// Spans of one trace ready to send, and what to remember of them.
#[derive(Debug)]
pub struct ComposedSpans<'t> {
    /// In the order in which they were given.
    pub spans: Vec<Mapped<'t>>,
    /// What the trace remembers once they are sent.
    pub update: TraceUpdate,
}

/// A span on its way out.
#[derive(Debug)]
pub struct Encoded<'t> {
    /// What surrounds it.
    pub envelope: &'t Arc<Envelope>,
    /// Its own bytes, below another parent when the noise filter says so.
    pub span: Cow<'t, [u8]>,
    /// The attributes it gained.
    pub gained: Vec<u8>,
}

/// How spans are mapped.
#[derive(Clone, Copy, Debug, Default)]
pub struct ComposeOptions {
    /// Each span goes below its nearest OpenInference ancestor.
    pub openinference_only: bool,
    /// What the list of traces shows of them is asked for.
    pub previews: bool,
    /// The trace metadata is asked for, because the server does not derive all of it.
    pub metadata: bool,
}

/// The spans of a trace that are held, of those asked for.
pub fn held_spans<'t>(trace: &'t Trace, ids: impl IntoIterator<Item = SpanId>) -> impl Iterator<Item = ReadSpan<'t>> {
    ids.into_iter().filter_map(|id| {
        let HeldSpan { envelope, span } = trace.held(id)?;
        // A held span was parsed when it arrived, so this cannot fail.
        Some(ReadSpan { id, envelope, span: Cow::Owned(Span::parse(span).ok()?) })
    })
}

/// Maps spans of a trace.
pub fn compose<'t>(
    trace: &Trace,
    spans: impl Iterator<Item = ReadSpan<'t>>,
    options: ComposeOptions,
) -> ComposedSpans<'t> {
    let mut update = TraceUpdate { prompts: trace.prompts.clone(), ..TraceUpdate::default() };
    let (least, most) = spans.size_hint();
    let mut mapped = Vec::with_capacity(most.unwrap_or(least));
    for ReadSpan { id, envelope, span } in spans {
        let added = mapping::span(&span);
        let ancestor = trace.openinference_ancestor(id);
        if ancestor.is_none() && trace.span_summary(id).is_some_and(|summary| summary.openinference) {
            update.trace_previews.insert(id, TracePreview::of(&span, &added, options.previews));
        }
        if options.metadata {
            update.metadata.observe(id, &span, &added);
        }
        update.prompts.extend(mapping::prompt::links(&span, &added));
        while update.prompts.len() > mapping::prompt::MOST_LINKS {
            // The greatest goes, whatever came first.
            update.prompts.pop_last();
        }
        let parent = if options.openinference_only { ancestor } else { trace.kept_ancestor(id) };
        mapped.push(Mapped { id, envelope, span, parent, added });
    }
    summarize_conversation(trace, &mut mapped, &mut update);
    fill_agents(trace, &mut mapped);
    for mapped in mapped.iter_mut().filter(|mapped| mapped.parent.is_none()) {
        update.prompts_sent = true;
        add_trace_tags(trace, &update, mapped);
    }
    ComposedSpans { spans: mapped, update }
}

/// Adds the model calls to the conversation summary if the trace needs one, and fills a root that lacks values from it.
fn summarize_conversation(trace: &Trace, spans: &mut [Mapped<'_>], update: &mut TraceUpdate) {
    let trace_preview = trace.trace_preview(&update.trace_previews);
    let borrower = trace_preview
        .filter(|(_, trace_preview)| trace_preview.uses_conversation())
        .map(|(id, trace_preview)| (id, trace_preview.carries_conversation));
    // A later span may become the outermost one, unless that is the root.
    let is_complete = trace_preview.zip(trace.root()).is_some_and(|((id, _), (root, _))| id == root);
    if borrower.is_none() && is_complete {
        return;
    }
    update.conversation = trace.conversation.clone();
    for mapped in spans.iter() {
        update.conversation.observe(mapped.id, &mapped.span, &mapped.added);
    }
    let Some((id, true)) = borrower else { return };
    let Some(place) = spans.iter().position(|mapped| mapped.id == id) else { return };
    for ReadSpan { id, span, .. } in other_spans(trace, spans) {
        update.conversation.observe(id, &span, &mapping::span(&span));
    }
    if let Some(silent) = spans.get_mut(place) {
        update.conversation.fill(&silent.span, &mut silent.added);
        update.summary_applied = true;
    }
}

/// The spans of the same moment that are in another request.
fn other_spans<'t>(trace: &'t Trace, spans: &[Mapped<'_>]) -> impl Iterator<Item = ReadSpan<'t>> {
    let here: BTreeSet<SpanId> = gather(spans.iter().map(|mapped| mapped.id));
    let unsent = trace.unsent().into_iter().map(|(id, ..)| id);
    held_spans(trace, unsent.filter(move |other| !here.contains(other)))
}

/// Fills agents that lack values from the model calls below them, as far as these are not sent. A trace whose unsent spans are
/// too many to be read for each request has to do with those of the request.
fn fill_agents(trace: &Trace, spans: &mut [Mapped<'_>]) {
    let mut silent: BTreeMap<SpanId, ConversationSummary> = BTreeMap::new();
    for mapped in spans.iter().filter(|mapped| lacks_answer(&mapped.span, &mapped.added)) {
        silent.insert(mapped.id, ConversationSummary::default());
    }
    if silent.is_empty() {
        return;
    }
    let mut observe = |id: SpanId, span: &Span<'_>, added: &AddedAttributes<'_>| {
        let mut call = ConversationSummary::default();
        call.observe(id, span, added);
        if !call.is_empty() {
            let above = trace.ancestors(id);
            above.for_each(|ancestor| silent.get_mut(&ancestor).into_iter().for_each(|agent| agent.merge(&call)));
        }
    };
    spans.iter().for_each(|mapped| observe(mapped.id, &mapped.span, &mapped.added));
    if trace.unsent_count() <= MOST_READ_AGAIN {
        for ReadSpan { id, span, .. } in other_spans(trace, spans) {
            observe(id, &span, &mapping::span(&span));
        }
    }
    for mapped in spans {
        if let Some(conversation) = silent.get(&mapped.id) {
            conversation.fill(&mapped.span, &mut mapped.added);
        }
    }
}

impl<'t> Mapped<'t> {
    /// The span's bytes, below its parent in MLflow.
    pub fn bytes(&self) -> Cow<'t, [u8]> {
        if self.parent == SpanId::new(self.span.parent_span_id) {
            Cow::Borrowed(self.span.raw)
        } else {
            Cow::Owned(reparented(self.span.raw, self.parent.map(SpanId::bytes)))
        }
    }

    /// The span as this reader reads it, referring to the attachments that a server has.
    pub fn encode(mut self, reader: Reader, attached: Option<&AttachmentReferences<'_>>) -> Encoded<'t> {
        let mut span = self.bytes();
        if let Some(attached) = attached {
            span = attached.replace_in_span(&span).map_or(span, Cow::Owned);
            attached.replace_in_attributes(&mut self.added);
        }
        let mut gained = server::write(&self.added, reader);
        if reader.trusts_request_id() && self.span.attribute(keys::TRACE_REQUEST_ID).is_some() {
            // Of two attributes with one key the last counts.
            let id = TraceId::new(self.span.trace_id).map(|id| format!("tr-{id}"));
            id.iter().for_each(|id| gained.put_str(keys::TRACE_REQUEST_ID, id));
        }
        Encoded { envelope: self.envelope, span, gained: gained.into_bytes() }
    }
}

/// The tag by which MLflow's list of traces names and links the prompts of a trace.
pub fn linked_prompts(prompts: &BTreeSet<String>) -> Option<(String, String)> {
    let list = || format!("[{}]", prompts.iter().map(String::as_str).collect::<Vec<_>>().join(", "));
    (!prompts.is_empty()).then(|| (keys::LINKED_PROMPTS.to_owned(), list()))
}

/// Adds `mlflow.traceTag.*` attributes to a root, as MLflow's own tracing does: the trace's name, the tags of the outermost span,
/// and resource tags if resources differ.
fn add_trace_tags(trace: &Trace, update: &TraceUpdate, root: &mut Mapped<'_>) {
    let differ = trace.resource_tags.differ_from(root.envelope);
    let of_resource = if differ { root.envelope.tags() } else { &[] };
    let of_resources = if differ { trace.resource_tags.to_map() } else { BTreeMap::new() };
    let prompts = linked_prompts(&update.prompts);
    let outermost = trace.trace_preview(&update.trace_previews).map(|(_, trace_preview)| trace_preview);
    let name = match outermost {
        Some(outermost) => Cow::Borrowed(outermost.name.as_str()),
        None => trace_name(root.span.name.get()),
    };
    let mut tags: BTreeMap<&str, &str> = gather(of_resources.iter().map(|(key, value)| (&**key, &**value)));
    let of_outermost = outermost.iter().flat_map(|outermost| &outermost.tags);
    for (key, value) in of_resource.iter().chain(&prompts).chain(of_outermost) {
        tags.insert(key, value);
    }
    if !name.is_empty() {
        tags.insert(keys::TRACE_NAME, &name);
    }
    for (key, value) in tags {
        let key = [keys::TRACE_TAG_PREFIX, key].concat();
        if root.span.attribute(&key).is_none() {
            root.added.push_text(key, value.to_owned());
        }
    }
}

/// Gathers encoded spans into a payload, those of one envelope together, in the order of first appearance.
pub fn payload<'e>(spans: impl Iterator<Item = &'e Encoded<'e>>) -> Vec<u8> {
    let mut order: BTreeMap<(&[u8], &[u8]), usize> = BTreeMap::new();
    let mut groups: Vec<OutGroup<'_>> = Vec::new();
    for encoded in spans {
        let (resource, scope) = (&*encoded.envelope.resource, &*encoded.envelope.scope);
        let index = *order.entry((resource, scope)).or_insert(groups.len());
        if index == groups.len() {
            groups.push(OutGroup { resource, scope, spans: Vec::new() });
        }
        if let Some(group) = groups.get_mut(index) {
            group.spans.push(OutSpan { span: &encoded.span, appended: &encoded.gained });
        }
    }
    crate::otlp::write::payload(&groups)
}

/// A payload of one span alone, without added attributes.
pub fn single_span_payload(envelope: &Envelope, span: &[u8]) -> Vec<u8> {
    let spans = vec![OutSpan { span, appended: &[] }];
    crate::otlp::write::payload(&[OutGroup { resource: &envelope.resource, scope: &envelope.scope, spans }])
}
