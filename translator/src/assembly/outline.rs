//! What is remembered of a span after its bytes were sent.

use xxhash_rust::xxh3::xxh3_64;

use super::ids::SpanId;
use crate::mapping::{Additions, tags};
use crate::mlflow::{keys, preview};
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
    /// The trace's request preview.
    pub request: Option<String>,
    /// The trace's response preview.
    pub response: Option<String>,
    /// Trace tags from `tag.tags` and `metadata`.
    pub tags: Vec<(String, String)>,
}

impl Headline {
    /// The headline of a span and what it gained.
    pub fn of(span: &Span<'_>, additions: &Additions<'_>) -> Self {
        let text = |key: &str| {
            let gained = additions.get(key).map(|mapped| mapped.as_text().into_owned());
            gained.or_else(|| span.attribute(key).and_then(|value| value.as_str()).map(str::to_owned))
        };
        Self {
            name: span.name.get().to_owned(),
            request: text(keys::SPAN_INPUTS).and_then(|inputs| preview::request(&inputs)),
            response: text(keys::SPAN_OUTPUTS).and_then(|outputs| preview::response(&outputs)),
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
