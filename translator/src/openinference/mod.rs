//! What a span says in OpenInference's words.
//! Source: <https://github.com/Arize-ai/openinference/blob/main/spec/semantic_conventions.md>.

use crate::otlp::Span;

/// Whether the span carries any attribute of OpenInference's own.
pub fn is_openinference(_span: &Span<'_>) -> bool {
    false
}
