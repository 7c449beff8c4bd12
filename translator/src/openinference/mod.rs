//! OpenInference's attribute names, and readers for their values.
//! Source: <https://github.com/Arize-ai/openinference/blob/main/spec/semantic_conventions.md>.

mod family;
mod flatten;
mod indexed;
mod keys;
mod numbers;

pub use family::{Families, Family};
pub use flatten::flattened;
pub use indexed::{AttributeNode, AttributeTree};
pub use keys::{Key, METADATA, PROJECT_NAME};
pub use numbers::{TokenCount, count, number};

use crate::otlp::Span;

/// A name split at its first dot. First segments are short, so that bytes are looked at one by one.
#[inline]
pub fn split_at_dot(name: &str) -> Option<(&str, &str)> {
    let dot = name.bytes().position(|byte| byte == b'.')?;
    Some((name.get(..dot)?, name.get(dot + 1..)?))
}

/// Whether the span carries any attribute of OpenInference's own.
///
/// `session.id`, `user.id`, `metadata` and `tag.tags` do not count: other conventions have them too, or applications set
/// them on every span. Neither do Traceloop's `llm.usage.*`, `llm.request.type` and their like.
pub fn is_openinference(span: &Span<'_>) -> bool {
    span.attributes
        .iter()
        .any(|attribute| split_at_dot(attribute.key.get()).is_some_and(|(head, tail)| Family::of(head, tail).is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otlp::write::Attributes;

    fn is_openinference_with(key: &str) -> bool {
        let mut attributes = Attributes::default();
        attributes.put_str(key, "x");
        is_openinference(&Span::parse(attributes.as_bytes()).expect("a span"))
    }

    #[test]
    fn attributes_of_openinference_make_a_span_its_own() {
        for key in [
            "openinference.span.kind",
            "input.value",
            "output.mime_type",
            "llm.model_name",
            "llm.input_messages.0.message.role",
            "llm.token_count.prompt",
            "retrieval.documents.0.document.content",
            "reranker.query",
            "embedding.embeddings.0.embedding.text",
            "tool.name",
            "annotations.0.annotation.name",
            "session.evaluations.0.evaluation.score",
        ] {
            assert!(is_openinference_with(key), "{key}");
        }
    }

    #[test]
    fn attributes_of_other_conventions_do_not() {
        for key in [
            "",
            "session.id",
            "user.id",
            "metadata",
            "tag.tags",
            "gen_ai.request.model",
            "ai.prompt",
            "http.route",
            "llm.usage.total_tokens",
            "llm.request.type",
            "llm.is_streaming",
            "traceloop.span.kind",
            "mlflow.spanType",
            "tools",
        ] {
            assert!(!is_openinference_with(key), "{key}");
        }
    }
}
