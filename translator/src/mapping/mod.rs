//! From what a span says to what MLflow stores: one small file a concern.
//!
//! The mapping adds and never changes: see [`repair`] for the values that must change before it. What the producer has
//! set itself (`mlflow.*`) wins over anything added here.

mod additions;
mod chat;
mod cost;
mod embedding;
mod facts;
pub mod feedback;
mod gains;
mod io;
mod kind;
mod langchain;
pub mod media;
mod model;
mod nodes;
pub mod preview;
pub mod prompt;
pub mod repair;
mod retrieval;
pub mod tags;
#[cfg(test)]
mod told;
mod tool;
mod tools;
mod usage;

pub use additions::{Additions, Mapped};

use crate::mlflow::keys::SPAN_TYPE;
use crate::otlp::Span;
use facts::Facts;
use gains::Gains;

/// What one file of this folder does: it reads the facts and adds what MLflow shall store.
type Concern = for<'f, 's, 'a> fn(&Facts<'s, 'a>, &mut Gains<'f, 's, 'a>);

/// In order: a concern may read what an earlier one added.
const CONCERNS: [Concern; 11] = [
    kind::add,
    chat::add,
    retrieval::add,
    nodes::add,
    embedding::add,
    tool::add,
    prompt::add,
    io::add,
    usage::add,
    cost::add,
    model::add,
];

/// The attributes one span gains by itself: empty for a span that is not OpenInference's, or that MLflow made.
///
/// The span must have been [repaired](repair).
pub fn span<'a>(span: &Span<'a>) -> Additions<'a> {
    let facts = Facts::read(span);
    if !facts.is_openinference() {
        return Additions::default();
    }
    let mut gains = Gains::new(&facts);
    for add in CONCERNS {
        add(&facts, &mut gains);
    }
    gains.into_additions()
}

/// Whether a span is a call to a model.
pub fn is_model(span: &Span<'_>, additions: &Additions<'_>) -> bool {
    stored(span, additions, SPAN_TYPE).is_some_and(|kind| chat::MODELS.contains(&kind.as_text().as_ref()))
}

/// The value that MLflow will hold under a key: the producer's own, else the added one.
pub fn stored<'a>(span: &Span<'a>, additions: &Additions<'a>, key: &str) -> Option<Mapped<'a>> {
    span.attribute(key).map(Mapped::from).or_else(|| additions.get(key).cloned())
}
