//! A span as it arrives, and what surrounds it.

use std::sync::Arc;

use crate::assembly::root::Root;
use crate::assembly::span_summary::{SpanSummary, Version};
use crate::contract::Receipt;
use crate::mapping::feedback::Feedback;
use crate::mapping::tags;
use crate::otlp::span::resource_attributes;

/// What surrounds a span: shared by the spans of one scope of one payload.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// The fields of `ResourceSpans` other than `scope_spans`.
    pub resource: Box<[u8]>,
    /// The fields of `ScopeSpans` other than `spans`.
    pub scope: Box<[u8]>,
    /// `openinference.project.name`.
    pub project: Option<Box<str>>,
    /// The trace tags that MLflow makes of the resource.
    pub tags: Vec<(String, String)>,
}

impl Envelope {
    /// Reads what a trace needs of a (repaired) envelope.
    pub fn of(resource: &[u8], scope: &[u8]) -> Self {
        let attributes = resource_attributes(resource).unwrap_or_default();
        Self {
            resource: resource.into(),
            scope: scope.into(),
            project: tags::project(&attributes).map(Into::into),
            tags: tags::of_resource(&attributes),
        }
    }
}

/// A span's bytes, until MLflow has them.
#[derive(Clone, Debug)]
pub struct HeldSpan {
    /// What surrounds the span.
    pub envelope: Arc<Envelope>,
    /// The span, repaired.
    pub span: Box<[u8]>,
}

/// A span that arrived.
#[derive(Debug)]
pub struct Arrival {
    /// Which version of the span this is.
    pub version: Version,
    /// Its facts.
    pub summary: SpanSummary,
    /// Set on a root.
    pub root: Option<Root>,
    /// Its bytes; `None` when the span is not to be sent.
    pub held: Option<HeldSpan>,
    /// The payload it came in.
    pub receipt: Receipt,
    /// The feedback that it carries, on itself or on another span.
    pub feedback: Vec<Feedback>,
}

/// What `Trace::insert` did with a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InsertOutcome {
    /// A new span, or a newer version of one that was sent.
    New,
    /// A newer version of one that was not sent yet and now never will be.
    Newer,
    /// A span that is known, in this version or a newer one.
    ExperimentState,
}
