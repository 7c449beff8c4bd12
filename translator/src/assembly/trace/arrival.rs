//! A span as it arrives.

use std::sync::Arc;

use crate::assembly::envelope::Envelope;
use crate::assembly::root::Root;
use crate::assembly::span_summary::{SpanSummary, Version};
use crate::contract::Receipt;
use crate::feedback::Feedback;

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
    AlreadyKnown,
}
