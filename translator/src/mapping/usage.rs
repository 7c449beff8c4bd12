//! Token counts: those of the attributes, and from the raw answer those that the attributes lack.

use serde_json::Value;

use super::attribute_builder::AttributeBuilder;
use super::raw_usage::{self, RawUsage};
use super::span_view::SpanView;
use crate::json::JsonValue;
use crate::mlflow::Mapped;
use crate::mlflow::keys::{CHAT_USAGE, SPAN_TYPE};
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
    let sent = CONVENTIONS.iter().find_map(|convention| read(view, convention));
    let raw = raw_answer(view, added).and_then(raw_usage::read).unwrap_or_default();
    if let Some(usage) = written(complete(sent.unwrap_or_default(), raw)) {
        added.add_text(CHAT_USAGE, usage);
    } else if CONVENTIONS.iter().any(|convention| is_misleading(view, convention)) {
        // MLflow would take `true` for one token; it leaves alone what is set, even to nothing.
        added.add(CHAT_USAGE, Mapped::Json(Value::Null));
    }
}

/// The raw answer of a call to a model. Other spans repeat the usage of the calls below them.
fn raw_answer<'v>(view: &'v SpanView<'_, '_>, added: &AttributeBuilder<'_, '_, '_>) -> Option<JsonValue<'v>> {
    let kind = added.stored(SPAN_TYPE)?;
    let is_call = ["LLM", "CHAT_MODEL", "EMBEDDING"].contains(&kind.as_text().as_ref());
    if is_call { view.json(Key::OutputValue) } else { None }
}

/// The sent counts, and raw ones in place of those that are missing.
fn complete(sent: RawUsage, raw: RawUsage) -> RawUsage {
    let (input, output) = (sent.input.or(raw.input), sent.output.or(raw.output));
    let sum = || input?.checked_add(output?);
    // A raw total is that of the raw counts alone.
    let raw_total = raw.total.filter(|_| sent.input.is_none() && sent.output.is_none());
    RawUsage {
        input,
        output,
        total: sent.total.or(raw_total).or_else(sum),
        cache_read: sent.cache_read.or(raw.cache_read),
        cache_creation: sent.cache_creation.or(raw.cache_creation),
    }
}

fn read(view: &SpanView<'_, '_>, convention: &Convention) -> Option<RawUsage> {
    let first = |keys: &[Key]| keys.iter().find_map(|key| view.count(*key).value());
    let (input, output) = (first(convention.input), first(convention.output));
    let total = first(convention.total);
    input.or(output).or(total)?;
    let [cache_read, cache_creation] = [convention.cache_read, convention.cache_creation].map(first);
    Some(RawUsage { input, output, total, cache_read, cache_creation })
}

fn written(usage: RawUsage) -> Option<String> {
    usage.input.or(usage.output).or(usage.total)?;
    let counts = [
        ("input_tokens", usage.input),
        ("output_tokens", usage.output),
        ("total_tokens", usage.total),
        ("cache_read_input_tokens", usage.cache_read),
        ("cache_creation_input_tokens", usage.cache_creation),
    ];
    let mut json = String::with_capacity(128);
    for (name, count) in counts {
        if let Some(count) = count {
            let separator = if json.is_empty() { "{\"" } else { ", \"" };
            for part in [separator, name, "\": ", itoa::Buffer::new().format(count)] {
                json.push_str(part);
            }
        }
    }
    json.push('}');
    Some(json)
}

fn is_misleading(view: &SpanView<'_, '_>, convention: &Convention) -> bool {
    let main = [convention.input, convention.output, convention.total];
    main.iter().copied().flatten().any(|key| view.count(*key) == TokenCount::Misleading)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::mapping::test_support::added_value;

    const ANSWER: &str = r#"{"usage": {"input_tokens": 20, "cache_read_input_tokens": 900, "cache_creation_input_tokens": 80, "output_tokens": 5}}"#;

    #[test]
    fn a_raw_answer_fills_what_the_attributes_lack() {
        let sent = [
            ("llm.token_count.prompt", json!(7)),
            ("llm.token_count.completion", json!(1)),
            ("output.value", json!(ANSWER)),
        ];
        assert_eq!(
            added_value("LLM", &sent, CHAT_USAGE),
            json!({"input_tokens": 7, "output_tokens": 1, "total_tokens": 8, "cache_read_input_tokens": 900, "cache_creation_input_tokens": 80})
        );
        assert_eq!(
            added_value("LLM", &sent[2..], CHAT_USAGE),
            json!({"input_tokens": 1000, "output_tokens": 5, "total_tokens": 1005, "cache_read_input_tokens": 900, "cache_creation_input_tokens": 80})
        );
        assert_eq!(added_value("CHAIN", &sent[2..], CHAT_USAGE), Value::Null);
    }
}
