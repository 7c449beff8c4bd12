//! What is remembered of a span after its bytes were sent.

use xxhash_rust::xxh3::xxh3_64;

use super::ids::SpanId;
use crate::mapping::preview::{self, Preview, PreviewGain, Side};
use crate::mapping::tags;
use crate::mlflow::AddedAttributes;
use crate::mlflow::{self, keys};
use crate::openinference::{self, Key};
use crate::otlp::{Span, Value};
use crate::settings::Settings;

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
pub struct SpanSummary {
    /// `None` on a root span.
    pub parent: Option<SpanId>,
    /// Nanoseconds since the Unix epoch.
    pub start: u64,
    /// Nanoseconds since the Unix epoch.
    pub end: u64,
    /// Whether the status is `STATUS_CODE_ERROR`.
    pub error: bool,
    /// Whether the span is OpenInference's, and not marked to be omitted.
    pub openinference: bool,
    /// Whether the host omits the span: MLflow does not get it, and its children move to the nearest kept ancestor.
    pub omitted: bool,
}

/// The attribute by which a host marks a span that its filter omits.
const OMIT: &str = "openinference_mlflow.omit";

impl SpanSummary {
    /// The summary of a (repaired) span.
    pub fn of(span: &Span<'_>) -> Self {
        let omitted = matches!(span.attribute(OMIT), Some(Value::Bool(true)));
        Self {
            parent: SpanId::new(span.parent_span_id),
            start: span.start,
            end: span.end,
            error: has_failed(span),
            openinference: !omitted && openinference::is_openinference(span),
            omitted,
        }
    }

    /// Whether MLflow does not get the span: the host omits it, or the noise filter does.
    pub fn is_left_out(&self, settings: &Settings) -> bool {
        self.omitted || settings.openinference_only && !self.openinference
    }
}

/// What a trace shows of its outermost OpenInference span.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TracePreview {
    /// The span's name, which names the trace.
    pub name: String,
    /// The trace's request preview.
    pub request: Option<String>,
    /// The trace's response preview.
    pub response: Option<String>,
    /// How much better they are than the ones that MLflow derives from the span.
    pub gain: PreviewGain,
    /// Whether the request comes from the first [model call](super::conversation).
    pub request_from_conversation: bool,
    /// Whether the response comes from the last model call.
    pub response_from_conversation: bool,
    /// Whether the span lacks values, so that it carries the conversation instead.
    pub carries_conversation: bool,
    /// Trace tags from `tag.tags` and `metadata`.
    pub tags: Vec<(String, String)>,
}

/// The types of spans that frame others, and may carry nothing themselves.
const FRAMES: [&str; 2] = ["AGENT", "CHAIN"];

/// Whether a span is an agent that says nothing of what it answered, although it did not fail.
pub fn lacks_answer(span: &Span<'_>, added: &AddedAttributes<'_>) -> bool {
    let stored = |key| mlflow::stored(span, added, key);
    stored(keys::SPAN_TYPE).is_some_and(|kind| kind.as_text() == "AGENT")
        && stored(keys::SPAN_OUTPUTS).is_none()
        && (stored(keys::SPAN_INPUTS).is_none() || !has_failed(span))
}

fn has_failed(span: &Span<'_>) -> bool {
    span.status.code == 2
}

impl TracePreview {
    /// The preview of a span, from its attributes and the added ones.
    pub fn of(span: &Span<'_>, added: &AddedAttributes<'_>, with_previews: bool) -> Self {
        let name = mlflow::tags::trace_name(span.name.get()).into_owned();
        let trace_preview = Self { name, tags: tags::of_span(span), ..Self::default() };
        let stored = |key| mlflow::stored(span, added, key);
        let (inputs, outputs) = (stored(keys::SPAN_INPUTS), stored(keys::SPAN_OUTPUTS));
        let is_frame = || stored(keys::SPAN_TYPE).is_some_and(|kind| FRAMES.contains(&kind.as_text().as_ref()));
        let lacks_answer = outputs.is_none() && is_frame() && (inputs.is_none() || !has_failed(span));
        let trace_preview =
            Self { response_from_conversation: lacks_answer, carries_conversation: lacks_answer, ..trace_preview };
        if inputs.is_none() && outputs.is_none() {
            return Self { request_from_conversation: lacks_answer, ..trace_preview };
        }
        if !with_previews {
            return trace_preview;
        }
        let request = inputs.and_then(|value| Preview::of(&value.as_text(), Side::Request));
        let response = outputs.and_then(|value| Preview::of(&value.as_text(), Side::Response));
        // Where a value holds objects that Python printed, and no words are found in them.
        let is_unread = |preview: &Option<Preview>, key: Key| {
            preview.as_ref().is_some_and(|preview| !preview.is_text)
                && span.attribute(key.name()).is_some_and(|raw| raw.as_str().is_some_and(preview::is_printed))
        };
        let request_from_conversation = is_unread(&request, Key::InputValue);
        let response_from_conversation = lacks_answer || is_unread(&response, Key::OutputValue);
        let gain = [&request, &response].into_iter().flatten().map(|preview| preview.gain).max().unwrap_or_default();
        let text = |preview: Option<Preview>| preview.map(|preview| preview.text);
        let (request, response) = (text(request), text(response));
        Self { request, response, gain, request_from_conversation, response_from_conversation, ..trace_preview }
    }

    /// Whether the request or the response comes from the conversation.
    pub fn uses_conversation(&self) -> bool {
        self.request_from_conversation || self.response_from_conversation
    }

    /// Bytes held.
    pub fn size(&self) -> usize {
        let texts = [self.request.as_ref(), self.response.as_ref()].into_iter().flatten().map(String::len);
        let tags = self.tags.iter().map(|(key, value)| key.len() + value.len());
        self.name.len() + texts.sum::<usize>() + tags.sum::<usize>()
    }
}
