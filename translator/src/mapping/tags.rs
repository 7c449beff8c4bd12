//! Trace tags, project, session and user: what a trace as a whole takes from its spans and resources.

use crate::otlp::{KeyValue, Span};

/// Trace tags from `tag.tags` and `metadata` of an outermost OpenInference span.
pub fn of_span(_span: &Span<'_>) -> Vec<(String, String)> {
    Vec::new()
}

/// Trace tags from a resource, as MLflow 3.14 and later derive them: all but `telemetry.sdk.*` and `mlflow.*`.
pub fn of_resource(_attributes: &[KeyValue<'_>]) -> Vec<(String, String)> {
    Vec::new()
}

/// `openinference.project.name`, when it is a non-empty text.
pub fn project<'a>(_attributes: &[KeyValue<'a>]) -> Option<&'a str> {
    None
}

/// The session a span belongs to, as MLflow reads it.
pub fn session(_span: &Span<'_>) -> Option<String> {
    None
}

/// The user a span belongs to, as MLflow reads it.
pub fn user(_span: &Span<'_>) -> Option<String> {
    None
}
