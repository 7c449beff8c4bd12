//! From held spans to what is sent: mapped attributes on every span, trace-level attributes on roots.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::ids::SpanId;
use super::outline::Headline;
use super::trace::{Envelope, Trace};
use crate::mapping::{self, Additions};
use crate::mlflow::keys;
use crate::mlflow::server::{self, Version};
use crate::mlflow::tags::trace_name;
use crate::otlp::Span;
use crate::otlp::write::{OutGroup, OutSpan, reparented};

/// A held span, mapped.
#[derive(Debug)]
pub struct Mapped<'t> {
    /// What surrounds it.
    pub envelope: &'t Arc<Envelope>,
    /// The span as it is held.
    pub span: Span<'t>,
    /// Its parent in MLflow: with the noise filter the nearest OpenInference ancestor.
    pub parent: Option<SpanId>,
    /// The attributes it gains.
    pub additions: Additions<'t>,
}

/// Spans of one trace made ready, and the headlines they brought.
#[derive(Debug)]
pub struct Composition<'t> {
    /// In the order asked for, spans without held bytes left out.
    pub spans: Vec<Mapped<'t>>,
    /// Of the outermost OpenInference spans among them.
    pub headlines: BTreeMap<SpanId, Headline>,
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
    /// Nobody derives previews later, as MLflow does from the inputs and outputs of a root.
    pub all_previews: bool,
}

/// Maps held spans of a trace.
pub fn compose<'t>(trace: &'t Trace, ids: &[SpanId], manner: Manner) -> Composition<'t> {
    let mut headlines = BTreeMap::new();
    let mut spans = Vec::with_capacity(ids.len());
    for id in ids {
        let Some(held) = trace.held(*id) else { continue };
        // Held spans were read when they arrived.
        let Ok(span) = Span::parse(&held.span) else { continue };
        let additions = mapping::span(&span);
        let ancestor = trace.openinference_ancestor(*id);
        if ancestor.is_none() && trace.outline(*id).is_some_and(|outline| outline.openinference) {
            let previews = manner.all_previews || !span.is_root() || trace.has_several_roots();
            headlines.insert(*id, Headline::of(&span, &additions, previews));
        }
        let parent = if manner.openinference_only { ancestor } else { SpanId::new(span.parent_span_id) };
        spans.push(Mapped { envelope: &held.envelope, span, parent, additions });
    }
    for mapped in spans.iter_mut().filter(|mapped| mapped.parent.is_none()) {
        let tags = tags(trace, &headlines, mapped.envelope, &mapped.span);
        add_trace_tags(&mut mapped.additions, &mapped.span, tags);
    }
    Composition { spans, headlines }
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

    /// The span as a server of this version reads it.
    pub fn encode(self, version: Version) -> Encoded<'t> {
        let gained = server::write(&self.additions, version).into_bytes();
        Encoded { envelope: self.envelope, span: self.bytes(), gained }
    }
}

/// The trace tags that a root carries: the trace's name, what the headline says, and the resources' where they differ.
fn tags(
    trace: &Trace,
    fresh: &BTreeMap<SpanId, Headline>,
    envelope: &Envelope,
    root: &Span<'_>,
) -> BTreeMap<String, String> {
    let mut tags = BTreeMap::new();
    if trace.mixed_resources || trace.resource_tags.len() > envelope.tags.len() {
        tags.extend(trace.resource_tags.clone());
        tags.extend(envelope.tags.iter().cloned());
    }
    let headline = trace.headline(fresh);
    tags.extend(headline.iter().flat_map(|headline| headline.tags.iter().cloned()));
    let name = headline.map_or_else(|| trace_name(root.name.get()), |headline| headline.name.clone());
    if !name.is_empty() {
        tags.insert(keys::TRACE_NAME.to_owned(), name);
    }
    tags
}

/// Adds `mlflow.traceTag.*` attributes, those that the producer set aside.
fn add_trace_tags(additions: &mut Additions<'_>, root: &Span<'_>, tags: BTreeMap<String, String>) {
    for (key, value) in tags {
        let key = format!("{}{key}", keys::TRACE_TAG_PREFIX);
        if root.attribute(&key).is_none() {
            additions.push_text(key, value);
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
