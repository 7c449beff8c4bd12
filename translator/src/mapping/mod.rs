//! The mapping from OpenInference attributes to the attributes that MLflow stores. Each rule has its own file.
//!
//! Rules only add attributes. [`repair`] changes the values that MLflow cannot store, before the rules run. An `mlflow.*`
//! attribute that the producer has set wins over an added one.

mod attribute_builder;
mod attribute_value;
mod chat;
mod cost;
mod embedding;
mod io;
mod kind;
mod langchain;
pub mod media;
mod model;
mod nodes;
pub mod preview;
mod printed;
pub mod prompt;
mod raw_usage;
pub mod repair;
mod retrieval;
mod rewrite;
mod span_view;
pub mod tags;
#[cfg(test)]
mod test_support;
mod tool;
mod tool_error;
mod tools;
#[cfg(test)]
mod unflattened_tests;
mod usage;

use crate::mlflow::keys::SPAN_TYPE;
use crate::mlflow::{AddedAttributes, stored};
use crate::openinference;
use crate::otlp::Span;
use attribute_builder::AttributeBuilder;
use span_view::SpanView;

/// A mapping rule reads a span and adds the attributes that MLflow needs.
type MappingRule = for<'f, 's, 'a> fn(&SpanView<'s, 'a>, &mut AttributeBuilder<'f, 's, 'a>);

/// The rules, in the order in which they run: a rule may read what an earlier rule added.
const RULES: [MappingRule; 12] = [
    kind::add,
    chat::add,
    retrieval::add,
    nodes::add,
    embedding::add,
    tool::add,
    tool_error::add,
    prompt::add,
    io::add,
    usage::add,
    cost::add,
    model::add,
];

/// Maps one span to its added attributes. Spans of other conventions, and spans that MLflow made, get none.
///
/// The span must have been [repaired](repair).
pub fn span<'a>(span: &Span<'a>) -> AddedAttributes<'a> {
    let flattened = openinference::flattened(span);
    match flattened.as_deref().map(Span::parse) {
        Some(Ok(flattened)) => apply_rules(&flattened).into_owned(),
        _ => apply_rules(span),
    }
}

fn apply_rules<'a>(span: &Span<'a>) -> AddedAttributes<'a> {
    let view = SpanView::read(span);
    if !view.is_openinference() {
        return AddedAttributes::default();
    }
    let mut added = AttributeBuilder::new(&view);
    for add in RULES {
        add(&view, &mut added);
    }
    added.finish()
}

/// Whether a span is a call to a model.
pub fn is_model(span: &Span<'_>, added: &AddedAttributes<'_>) -> bool {
    stored(span, added, SPAN_TYPE).is_some_and(|kind| chat::MODELS.contains(&kind.as_text().as_ref()))
}
