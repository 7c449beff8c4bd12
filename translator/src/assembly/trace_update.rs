//! What a trace remembers of the spans in a request.

use std::collections::{BTreeMap, BTreeSet};

use super::conversation::ConversationSummary;
use super::derived_metadata::DerivedMetadata;
use super::ids::SpanId;
use super::span_summary::TracePreview;

/// What a trace remembers of spans that are sent.
#[derive(Debug, Default)]
pub struct TraceUpdate {
    /// Previews of the outermost OpenInference spans among them.
    pub trace_previews: BTreeMap<SpanId, TracePreview>,
    /// The conversation of the model calls sent so far and now; empty when no preview needs it.
    pub conversation: ConversationSummary,
    /// Whether the span of the preview carries the conversation as its values.
    pub summary_applied: bool,
    /// The registered prompts that the spans sent so far and now are linked to.
    pub prompts: BTreeSet<String>,
    /// Whether a root carries the prompts as a trace tag.
    pub prompts_sent: bool,
    /// The trace metadata of the spans, if it is asked for.
    pub metadata: DerivedMetadata,
}
