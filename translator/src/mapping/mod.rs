//! From what a span says to what MLflow stores: one small file a concern.

mod additions;
pub mod repair;
pub mod tags;

pub use additions::{Additions, Mapped};

use crate::otlp::Span;

/// The attributes one span gains by itself: empty for a span that is not OpenInference's.
pub fn span<'a>(_span: &Span<'a>) -> Additions<'a> {
    Additions::default()
}
