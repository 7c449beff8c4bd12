//! Token counts.

use std::fmt::Write;

use serde_json::Value;

use super::Mapped;
use super::added_attributes::AttributeBuilder;
use super::span_view::SpanView;
use crate::mlflow::keys::CHAT_USAGE;
use crate::openinference::{Key, TokenCount};

/// Where one convention puts its counts; of several keys the first that holds a number counts.
struct Convention {
    input: &'static [Key],
    output: &'static [Key],
    total: &'static [Key],
    cache_read: &'static [Key],
    cache_creation: &'static [Key],
}

/// The first convention that gives a main count is the one that is read, and the only one: two conventions count the same
/// tokens.
const CONVENTIONS: [Convention; 4] = [
    Convention {
        input: &[Key::TokensPrompt],
        output: &[Key::TokensCompletion],
        total: &[Key::TokensTotal],
        cache_read: &[Key::TokensCacheRead],
        cache_creation: &[Key::TokensCacheWrite],
    },
    Convention {
        input: &[Key::DecisionTokensInput],
        output: &[Key::DecisionTokensOutput],
        total: &[],
        cache_read: &[],
        cache_creation: &[],
    },
    Convention {
        input: &[Key::GenAiTokensInput, Key::GenAiTokensPrompt],
        output: &[Key::GenAiTokensOutput, Key::GenAiTokensCompletion],
        total: &[],
        cache_read: &[Key::GenAiTokensCacheRead],
        cache_creation: &[Key::GenAiTokensCacheWrite, Key::GenAiTokensCacheCreation],
    },
    Convention {
        input: &[Key::AiTokensInput, Key::AiTokensPrompt],
        output: &[Key::AiTokensOutput, Key::AiTokensCompletion],
        total: &[Key::AiTokensTotal],
        cache_read: &[Key::AiTokensCacheRead],
        cache_creation: &[],
    },
];

/// Adds the known counts, and the total when both its parts are known. Cache counts are added only beside a main count.
pub(super) fn add<'s, 'a>(view: &SpanView<'s, 'a>, added: &mut AttributeBuilder<'_, 's, 'a>) {
    if !added.lacks(CHAT_USAGE) {
        return;
    }
    if let Some(usage) = CONVENTIONS.iter().find_map(|convention| read(view, convention)) {
        added.add_text(CHAT_USAGE, usage);
    } else if CONVENTIONS.iter().any(|convention| is_misleading(view, convention)) {
        // MLflow would take `true` for one token; it leaves alone what is set, even to nothing.
        added.add(CHAT_USAGE, Mapped::Json(Value::Null));
    }
}

fn read(view: &SpanView<'_, '_>, convention: &Convention) -> Option<String> {
    let first = |keys: &[Key]| keys.iter().find_map(|key| view.count(*key).value());
    let (input, output) = (first(convention.input), first(convention.output));
    let total = first(convention.total).or_else(|| input?.checked_add(output?));
    input.or(output).or(total)?;
    let counts = [
        ("input_tokens", input),
        ("output_tokens", output),
        ("total_tokens", total),
        ("cache_read_input_tokens", first(convention.cache_read)),
        ("cache_creation_input_tokens", first(convention.cache_creation)),
    ];
    let mut json = String::with_capacity(128);
    for (name, count) in counts {
        if let Some(count) = count {
            let separator = if json.is_empty() { "{" } else { ", " };
            // Writing into memory cannot fail.
            let _ = write!(json, "{separator}\"{name}\": {count}");
        }
    }
    json.push('}');
    Some(json)
}

fn is_misleading(view: &SpanView<'_, '_>, convention: &Convention) -> bool {
    let main = [convention.input, convention.output, convention.total];
    main.iter().copied().flatten().any(|key| view.count(*key) == TokenCount::Misleading)
}
