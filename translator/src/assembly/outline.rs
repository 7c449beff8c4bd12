//! What is remembered of a span after its bytes were sent.

use xxhash_rust::xxh3::xxh3_64;

use super::ids::SpanId;
use crate::mapping::{self, Additions, tags};
use crate::mlflow::{self, keys, preview};
use crate::openinference;
use crate::otlp::Span;

/// Which of two versions of one span counts: the later end, then the greater digest of its bytes. The order of arrival
/// has no part in it, and the bytes need not be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    end: u64,
    digest: u64,
}

impl Version {
    /// The version of a (repaired) span.
    pub fn of(span: &Span<'_>) -> Self {
        Self { end: span.end, digest: xxh3_64(span.raw) }
    }
}

/// The facts of a span that its trace needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outline {
    /// `None` on a root span.
    pub parent: Option<SpanId>,
    /// Nanoseconds since the Unix epoch.
    pub start: u64,
    /// Nanoseconds since the Unix epoch.
    pub end: u64,
    /// Whether the status is `STATUS_CODE_ERROR`.
    pub error: bool,
    /// Whether the span is OpenInference's.
    pub openinference: bool,
}

impl Outline {
    /// The outline of a (repaired) span.
    pub fn of(span: &Span<'_>) -> Self {
        Self {
            parent: SpanId::new(span.parent_span_id),
            start: span.start,
            end: span.end,
            error: span.status.code == 2,
            openinference: openinference::is_openinference(span),
        }
    }
}

/// What a trace shows of its outermost OpenInference span.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headline {
    /// The span's name, which names the trace.
    pub name: String,
    /// The trace's request preview, where MLflow does not derive it.
    pub request: Option<String>,
    /// The trace's response preview, where MLflow does not derive it.
    pub response: Option<String>,
    /// Trace tags from `tag.tags` and `metadata`.
    pub tags: Vec<(String, String)>,
}

impl Headline {
    /// The headline of a span and what it gained.
    pub fn of(span: &Span<'_>, additions: &Additions<'_>, previews: bool) -> Self {
        let text = |key: &str| previews.then(|| mapping::stored(span, additions, key)).flatten();
        Self {
            name: mlflow::tags::trace_name(span.name.get()),
            request: text(keys::SPAN_INPUTS).and_then(|inputs| preview::request(&inputs.as_text())),
            response: text(keys::SPAN_OUTPUTS).and_then(|outputs| preview::response(&outputs.as_text())),
            tags: tags::of_span(span),
        }
    }

    /// Bytes held.
    pub fn size(&self) -> usize {
        let texts = [self.request.as_ref(), self.response.as_ref()].into_iter().flatten().map(String::len);
        let tags = self.tags.iter().map(|(key, value)| key.len() + value.len());
        self.name.len() + texts.sum::<usize>() + tags.sum::<usize>()
    }
}
