//! From what a span says to what MLflow stores: one small file a concern.

pub mod repair;
pub mod tags;

use std::borrow::Cow;

use crate::otlp::Span;

/// The `mlflow.*` attributes that a span gains, in the order in which they are appended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Additions<'a>(Vec<(Cow<'static, str>, Mapped<'a>)>);

/// The value of an added attribute, before it is written for one MLflow version.
#[derive(Clone, Debug, PartialEq)]
pub enum Mapped<'a> {
    /// Text as it is, also text that holds JSON which MLflow shall read as JSON.
    Text(Cow<'a, str>),
    /// A JSON value.
    Json(serde_json::Value),
}

/// The attributes one span gains by itself: empty for a span that is not OpenInference's.
pub fn span<'a>(_span: &Span<'a>) -> Additions<'a> {
    Additions::default()
}
