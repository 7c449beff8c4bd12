//! The span's type.
//!
//! MLflow fills the column that `span.type = 'LLM'` searches only from an attribute that was there on arrival (mlflow
//! issue 24237), so that every OpenInference span gets one. It is the raw word: a JSON string would keep its quotes.

use super::attribute_builder::AttributeBuilder;
use super::span_view::SpanView;
use crate::mlflow::keys::SPAN_TYPE;
use crate::openinference::{Family, Key};

/// The type of each `openinference.span.kind`.
const TYPES: [(&str, &str); 12] = [
    ("LLM", "LLM"),
    ("CHAIN", "CHAIN"),
    ("AGENT", "AGENT"),
    ("TOOL", "TOOL"),
    ("RETRIEVER", "RETRIEVER"),
    ("EMBEDDING", "EMBEDDING"),
    ("RERANKER", "RERANKER"),
    ("GUARDRAIL", "GUARDRAIL"),
    ("EVALUATOR", "EVALUATOR"),
    // MLflow has no type for the rendering of a prompt. Its own LangChain integration records one as a chain, which the
    // UI draws with an icon of its own.
    ("PROMPT", "CHAIN"),
    // A decision model is no language model, but of the types that the UI draws this is the one for calls to a model.
    ("DECISION", "LLM"),
    ("UNKNOWN", UNKNOWN),
];

const UNKNOWN: &str = "UNKNOWN";

/// The type of a span without a usable kind, inferred from the first family of attributes that it has.
const INFERRED: [(Family, &str); 6] = [
    (Family::Llm, "LLM"),
    (Family::Reranker, "RERANKER"),
    (Family::Retrieval, "RETRIEVER"),
    (Family::Embedding, "EMBEDDING"),
    (Family::Tool, "TOOL"),
    (Family::Decision, "LLM"),
];

/// What another convention calls the operation, where OpenInference says nothing: `gen_ai.operation.name`, as MLflow maps
/// it.
const OPERATIONS: [(&str, &str); 8] = [
    ("chat", "CHAT_MODEL"),
    ("create_agent", "AGENT"),
    ("embeddings", "EMBEDDING"),
    ("execute_tool", "TOOL"),
    ("generate_content", "LLM"),
    ("invoke_agent", "AGENT"),
    ("text_completion", "LLM"),
    ("response", "LLM"),
];

/// Adds the type.
pub(super) fn add<'s, 'a>(view: &SpanView<'s, 'a>, added: &mut AttributeBuilder<'_, 's, 'a>) {
    added.add_text(SPAN_TYPE, named(view).or_else(|| inferred(view)).unwrap_or(UNKNOWN));
}

fn named(view: &SpanView<'_, '_>) -> Option<&'static str> {
    let kind = view.text(Key::SpanKind)?;
    lookup(&TYPES, &kind).filter(|kind| *kind != UNKNOWN)
}

fn inferred(view: &SpanView<'_, '_>) -> Option<&'static str> {
    let families = view.families();
    let inferred = INFERRED.iter().find(|(family, _)| families.contains(*family)).map(|(_, kind)| *kind);
    inferred.or_else(|| lookup(&OPERATIONS, &view.text(Key::GenAiOperation)?))
}

fn lookup(table: &[(&str, &'static str)], word: &str) -> Option<&'static str> {
    table.iter().find(|(name, _)| name.eq_ignore_ascii_case(word.trim())).map(|(_, kind)| *kind)
}
