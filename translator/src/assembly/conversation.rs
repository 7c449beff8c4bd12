//! The conversation of a trace's model calls: the first request and the last answer.
//!
//! Frameworks exist whose outermost span carries no values (OpenAI's Agents SDK), or its objects as Python prints them. Such a
//! trace shows what its models were asked first and answered last. Both are functions of the set of calls, whatever
//! the order in which they come, and bounded: calls may have left memory when the span that needs them arrives.

use serde_json::{Value, json};

use super::ids::SpanId;
use crate::json;
use crate::mapping;
use crate::mapping::preview::{self, Side};
use crate::mlflow::keys;
use crate::mlflow::preview::truncated;
use crate::mlflow::tags::truncate;
use crate::mlflow::{AddedAttributes, Mapped, stored};
use crate::otlp::Span;

/// How much of a request or an answer is kept, in characters.
const LONGEST: usize = 8_000;

/// The first request and the last answer of some calls to models.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConversationSummary {
    /// Of the call that started first among those that say something.
    request: Option<Excerpt>,
    /// Of the call that started last among those that answer something.
    answer: Option<Excerpt>,
}

/// A text, and the place of its call among others.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Excerpt {
    order: (u64, SpanId),
    text: String,
}

impl ConversationSummary {
    /// Adds a span, if it is a model call.
    pub fn observe(&mut self, id: SpanId, span: &Span<'_>, added: &AddedAttributes<'_>) {
        if !mapping::is_model(span, added) {
            return;
        }
        let order = (span.start, id);
        let words = |key, side| {
            let value = stored(span, added, key)?;
            let text = preview::text(&value.as_text(), side)?;
            Some(Excerpt { order, text: truncate(&text, LONGEST).to_owned() })
        };
        if self.request.as_ref().is_none_or(|first| order <= first.order) {
            self.request = words(keys::SPAN_INPUTS, Side::Request).or(self.request.take());
        }
        if self.answer.as_ref().is_none_or(|last| order >= last.order) {
            self.answer = words(keys::SPAN_OUTPUTS, Side::Response).or(self.answer.take());
        }
    }

    /// Adds the calls of another summary.
    pub fn merge(&mut self, other: &Self) {
        if let Some(request) = &other.request
            && self.request.as_ref().is_none_or(|first| request.order <= first.order)
        {
            self.request = Some(request.clone());
        }
        if let Some(answer) = &other.answer
            && self.answer.as_ref().is_none_or(|last| answer.order >= last.order)
        {
            self.answer = Some(answer.clone());
        }
    }

    /// Whether no model call had a request or an answer.
    pub fn is_empty(&self) -> bool {
        self.request.is_none() && self.answer.is_none()
    }

    /// The first request, as a preview.
    pub fn request(&self) -> Option<String> {
        self.request.as_ref().map(|words| truncated(&words.text))
    }

    /// The last answer, as a preview.
    pub fn answer(&self) -> Option<String> {
        self.answer.as_ref().map(|words| truncated(&words.text))
    }

    /// Sets them as the inputs and outputs that a span lacks: one message each in OpenAI's shape, which MLflow draws as a
    /// conversation and derives the trace's previews from.
    pub fn fill(&self, span: &Span<'_>, added: &mut AddedAttributes<'_>) {
        let put = |added: &mut AddedAttributes<'_>, key, value: Value| {
            added.push_text(key, json::clean(&value.to_string()).into_owned());
        };
        let request = self.request.as_ref().filter(|_| stored(span, added, keys::SPAN_INPUTS).is_none());
        if let Some(words) = request {
            put(added, keys::SPAN_INPUTS, json!({"messages": [{"role": "user", "content": words.text}]}));
        }
        if let Some(words) = &self.answer {
            let message = json!({"role": "assistant", "content": words.text});
            put(added, keys::SPAN_OUTPUTS, json!({"choices": [{"index": 0, "message": message}]}));
        }
        if request.is_some() && self.answer.is_some() {
            added.push(keys::MESSAGE_FORMAT, Mapped::Text("openai".into()));
        }
    }

    /// Bytes held.
    pub fn size(&self) -> usize {
        [&self.request, &self.answer].into_iter().flatten().map(|words| words.text.len()).sum()
    }
}
