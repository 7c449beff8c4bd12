//! From held spans to what is sent: mapped attributes on every span, trace-level attributes on roots.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::ids::SpanId;
use super::outline::Headline;
use super::said::Said;
use super::trace::{Envelope, Held, Trace};
use crate::mapping::media::AttachmentReferences;
use crate::mapping::{self, AddedAttributes};
use crate::mlflow::keys;
use crate::mlflow::server::{self, ServerVersion};
use crate::mlflow::tags::trace_name;
use crate::otlp::Span;
use crate::otlp::write::{OutGroup, OutSpan, reparented};

/// A held span, mapped.
#[derive(Debug)]
pub struct Mapped<'t> {
    /// Which span it is.
    pub id: SpanId,
    /// What surrounds it.
    pub envelope: &'t Arc<Envelope>,
    /// The span as it is held.
    pub span: Span<'t>,
    /// Its parent in MLflow: with the noise filter the nearest OpenInference ancestor.
    pub parent: Option<SpanId>,
    /// The attributes it gains.
    pub added: AddedAttributes<'t>,
}

/// Spans of one trace made ready, and what the trace learns from them.
#[derive(Debug)]
pub struct Composition<'t> {
    /// In the order asked for, spans without held bytes left out.
    pub spans: Vec<Mapped<'t>>,
    /// What is to be remembered once they were sent.
    pub news: News,
}

/// What a trace learns from spans that are sent.
#[derive(Debug, Default)]
pub struct News {
    /// Of the outermost OpenInference spans among them.
    pub headlines: BTreeMap<SpanId, Headline>,
    /// By the calls to models among them and all before, as far as a headline borrows from these or may yet.
    pub said: Said,
    /// That the headline's span carries what was said.
    pub is_lent: bool,
    /// The registered prompts that they and all before are linked to.
    pub prompts: BTreeSet<String>,
    /// That a root carries these.
    pub are_prompts_told: bool,
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
pub struct Manner {
    /// Each span goes below its nearest OpenInference ancestor.
    pub openinference_only: bool,
    /// What the list of traces shows of them is asked for.
    pub previews: bool,
}

/// Maps held spans of a trace.
pub fn compose<'t>(trace: &'t Trace, ids: &[SpanId], manner: Manner) -> Composition<'t> {
    let mut news = News { prompts: trace.prompts.clone(), ..News::default() };
    let mut spans = Vec::with_capacity(ids.len());
    for id in ids {
        let Some((held, span, added)) = mapped(trace, *id) else { continue };
        let ancestor = trace.openinference_ancestor(*id);
        if ancestor.is_none() && trace.outline(*id).is_some_and(|outline| outline.openinference) {
            news.headlines.insert(*id, Headline::of(&span, &added, manner.previews));
        }
        news.prompts.extend(mapping::prompt::links(&span, &added));
        while news.prompts.len() > mapping::prompt::MOST_LINKS {
            // The greatest goes, whatever came first.
            news.prompts.pop_last();
        }
        let parent = if manner.openinference_only { ancestor } else { SpanId::new(span.parent_span_id) };
        spans.push(Mapped { id: *id, envelope: &held.envelope, span, parent, added });
    }
    listen(trace, &mut spans, &mut news);
    for mapped in spans.iter_mut().filter(|mapped| mapped.parent.is_none()) {
        news.are_prompts_told = true;
        let tags = tags(trace, &news, mapped.envelope, &mapped.span);
        add_trace_tags(&mut mapped.added, &mapped.span, tags);
    }
    Composition { spans, news }
}

fn mapped(trace: &Trace, id: SpanId) -> Option<(&Held, Span<'_>, AddedAttributes<'_>)> {
    let held = trace.held(id)?;
    // Held spans were read when they arrived.
    let span = Span::parse(&held.span).ok()?;
    let added = mapping::span(&span);
    Some((held, span, added))
}

/// Hears what models were asked and answered, where the trace borrows from it, and lends it to a headline without values.
fn listen<'t>(trace: &'t Trace, spans: &mut [Mapped<'t>], news: &mut News) {
    let headline = trace.headline(&news.headlines);
    let borrower = headline.filter(|(_, headline)| headline.borrows()).map(|(id, headline)| (id, headline.is_silent));
    // Another span may become the headline, unless the root is it.
    let is_settled = headline.zip(trace.root()).is_some_and(|((id, _), (root, _))| id == root);
    if borrower.is_none() && is_settled {
        return;
    }
    news.said = trace.said.clone();
    for mapped in spans.iter() {
        news.said.hear(mapped.id, &mapped.span, &mapped.added);
    }
    let Some((id, true)) = borrower else { return };
    let Some(place) = spans.iter().position(|mapped| mapped.id == id) else { return };
    // The calls may be in another request of the same moment.
    for (other, ..) in trace.unsent().into_iter().filter(|(other, ..)| !spans.iter().any(|mapped| mapped.id == *other))
    {
        if let Some((_, span, added)) = mapped(trace, other) {
            news.said.hear(other, &span, &added);
        }
    }
    if let Some(silent) = spans.get_mut(place) {
        news.said.lend(&mut silent.added);
        news.is_lent = true;
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

    /// The span as a server of this version reads it, referring to the attachments that the server has.
    pub fn encode(mut self, version: ServerVersion, attached: Option<&AttachmentReferences<'_>>) -> Encoded<'t> {
        let mut span = self.bytes();
        if let Some(attached) = attached {
            span = attached.replace_in_span(&span).map_or(span, Cow::Owned);
            attached.replace_in_attributes(&mut self.added);
        }
        let gained = server::write(&self.added, version).into_bytes();
        Encoded { envelope: self.envelope, span, gained }
    }
}

/// The trace tags that a root carries: the trace's name, what the headline says, and the resources' where they differ.
fn tags(trace: &Trace, news: &News, envelope: &Envelope, root: &Span<'_>) -> BTreeMap<String, String> {
    let mut tags = BTreeMap::new();
    if trace.mixed_resources || trace.resource_tags.len() > envelope.tags.len() {
        tags.extend(trace.resource_tags.clone());
        tags.extend(envelope.tags.iter().cloned());
    }
    tags.extend(linked_prompts(&news.prompts));
    let headline = trace.headline(&news.headlines).map(|(_, headline)| headline);
    tags.extend(headline.iter().flat_map(|headline| headline.tags.iter().cloned()));
    let name = headline.map_or_else(|| trace_name(root.name.get()), |headline| headline.name.clone());
    if !name.is_empty() {
        tags.insert(keys::TRACE_NAME.to_owned(), name);
    }
    tags
}

/// The tag by which MLflow's list of traces names and links the prompts of a trace.
pub fn linked_prompts(prompts: &BTreeSet<String>) -> Option<(String, String)> {
    let list = || format!("[{}]", prompts.iter().map(String::as_str).collect::<Vec<_>>().join(", "));
    (!prompts.is_empty()).then(|| (keys::LINKED_PROMPTS.to_owned(), list()))
}

/// Adds `mlflow.traceTag.*` attributes, those that the producer set aside.
fn add_trace_tags(added: &mut AddedAttributes<'_>, root: &Span<'_>, tags: BTreeMap<String, String>) {
    for (key, value) in tags {
        let key = format!("{}{key}", keys::TRACE_TAG_PREFIX);
        if root.attribute(&key).is_none() {
            added.push_text(key, value);
        }
    }
}

/// Gathers encoded spans into a payload, those of one envelope together, in the order of first appearance.
pub fn payload(spans: &[Encoded<'_>]) -> Vec<u8> {
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
pub fn lone_payload(envelope: &Envelope, span: &[u8]) -> Vec<u8> {
    let spans = vec![OutSpan { span, appended: &[] }];
    crate::otlp::write::payload(&[OutGroup { resource: &envelope.resource, scope: &envelope.scope, spans }])
}
