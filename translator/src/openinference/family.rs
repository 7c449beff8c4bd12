//! Families of attributes. They distinguish OpenInference spans from others, and kinds of spans from each other.

/// What an attribute of OpenInference's own is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// The span's kind.
    Kind,
    /// Its inputs and outputs.
    Values,
    /// A call to a language model.
    Llm,
    /// A call to an embedding model.
    Embedding,
    /// A search.
    Retrieval,
    /// A ranking of documents.
    Reranker,
    /// A tool's execution.
    Tool,
    /// A call to a decision model.
    Decision,
    /// A prompt that the span, of whatever kind, was made with: applications set it for all spans below them.
    Prompt,
    /// An agent, or a node of a graph of them.
    Agent,
    /// Feedback on a span, a trace or a session.
    Feedback,
}

impl Family {
    /// The family of an attribute's name, split at its first dot.
    #[inline]
    pub fn of(head: &str, tail: &str) -> Option<Self> {
        let starts_with = |prefixes: &[&str]| prefixes.iter().any(|prefix| tail.starts_with(prefix));
        match head {
            "openinference" => (tail == "span.kind").then_some(Self::Kind),
            "input" | "output" => {
                (matches!(tail, "value" | "mime_type") || starts_with(&["images", "documents"])).then_some(Self::Values)
            }
            "llm" => llm(tail),
            "embedding" => Some(Self::Embedding),
            "retrieval" => starts_with(&["documents"]).then_some(Self::Retrieval),
            "reranker" => Some(Self::Reranker),
            "tool" => {
                matches!(tail, "name" | "description" | "parameters" | "json_schema" | "id").then_some(Self::Tool)
            }
            "decision" => Some(Self::Decision),
            "prompt" => matches!(tail, "id" | "url" | "vendor").then_some(Self::Prompt),
            "agent" => (tail == "name").then_some(Self::Agent),
            "graph" => starts_with(&["node."]).then_some(Self::Agent),
            "annotations" | "evaluations" => Some(Self::Feedback),
            "trace" | "session" => starts_with(&["annotations.", "evaluations."]).then_some(Self::Feedback),
            _ => None,
        }
    }
}

/// Traceloop writes below `llm.` too, so that only what OpenInference defines there is its own.
#[inline]
fn llm(tail: &str) -> Option<Family> {
    const NUMBERED: [&str; 7] =
        ["input_messages.", "output_messages.", "token_count.", "tools.", "cost.", "prompts.", "choices."];
    if NUMBERED.iter().any(|prefix| tail.starts_with(prefix)) {
        return Some(Family::Llm);
    }
    match tail {
        "model_name"
        | "request.model_name"
        | "response.model_name"
        | "provider"
        | "system"
        | "function_call"
        | "invocation_parameters"
        | "finish_reason"
        | "tools"
        | "prompts"
        | "choices"
        | "input_messages"
        | "output_messages" => Some(Family::Llm),
        _ if tail.starts_with("prompt_template.") => Some(Family::Prompt),
        _ => None,
    }
}

/// A set of families.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Families(u16);

impl Families {
    /// Adds a family.
    #[inline]
    pub fn insert(&mut self, family: Family) {
        self.0 |= 1 << family as u16;
    }

    /// Whether a family is among them.
    #[inline]
    pub fn contains(self, family: Family) -> bool {
        self.0 & 1 << family as u16 != 0
    }

    /// Whether there is none.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}
