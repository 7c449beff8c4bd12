//! Token usage in the raw answer of a model, for counts that the attributes lack.
//!
//! One table for all providers: where the usage is, and what each count is called.

use crate::json::JsonValue;

/// Counts that a raw answer reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RawUsage {
    pub(super) input: Option<i64>,
    pub(super) output: Option<i64>,
    pub(super) total: Option<i64>,
    pub(super) cache_read: Option<i64>,
    pub(super) cache_creation: Option<i64>,
}

/// One provider's names. `extra_input` and `extra_output` are counted apart from `input` and `output`, which OpenInference
/// defines as whole.
struct Shape {
    input: &'static str,
    output: &'static str,
    total: &'static str,
    cache_read: &'static [&'static str],
    cache_creation: &'static str,
    extra_input: &'static [&'static str],
    extra_output: &'static [&'static str],
}

const SHAPES: [Shape; 5] = [
    // OpenAI, chat completions and embeddings.
    Shape {
        input: "prompt_tokens",
        output: "completion_tokens",
        total: "total_tokens",
        cache_read: &["prompt_tokens_details", "cached_tokens"],
        cache_creation: "",
        extra_input: &[],
        extra_output: &[],
    },
    // Anthropic, and OpenAI's responses, which have `input_tokens_details` and nothing of the cache beside it.
    Shape {
        input: "input_tokens",
        output: "output_tokens",
        total: "total_tokens",
        cache_read: &["input_tokens_details", "cached_tokens"],
        cache_creation: "cache_creation_input_tokens",
        extra_input: &["cache_read_input_tokens", "cache_creation_input_tokens"],
        extra_output: &[],
    },
    // Bedrock.
    Shape {
        input: "inputTokens",
        output: "outputTokens",
        total: "totalTokens",
        cache_read: &["cacheReadInputTokens"],
        cache_creation: "cacheWriteInputTokens",
        extra_input: &["cacheReadInputTokens", "cacheWriteInputTokens"],
        extra_output: &[],
    },
    // Gemini, over REST and as its Python client dumps it.
    Shape {
        input: "promptTokenCount",
        output: "candidatesTokenCount",
        total: "totalTokenCount",
        cache_read: &["cachedContentTokenCount"],
        cache_creation: "",
        extra_input: &["toolUsePromptTokenCount"],
        extra_output: &["thoughtsTokenCount"],
    },
    Shape {
        input: "prompt_token_count",
        output: "candidates_token_count",
        total: "total_token_count",
        cache_read: &["cached_content_token_count"],
        cache_creation: "",
        extra_input: &["tool_use_prompt_token_count"],
        extra_output: &["thoughts_token_count"],
    },
];

/// Where a usage is in an answer or in the event of a stream.
const PLACES: [&[&str]; 6] = [
    &["usage"],
    &["usageMetadata"],
    &["usage_metadata"],
    &["response", "usage"],
    &["message", "usage"],
    &["metadata", "usage"],
];

/// Reads the usage of an answer, or of the last event of a stream that has one.
pub(super) fn read(answer: JsonValue<'_>) -> Option<RawUsage> {
    if answer.is_array() {
        return answer.items().filter_map(of_object).last();
    }
    of_object(answer)
}

fn of_object(answer: JsonValue<'_>) -> Option<RawUsage> {
    let usage = PLACES.iter().find_map(|place| at(answer, place).filter(|usage| usage.is_object()))?;
    SHAPES.iter().find_map(|shape| of_shape(usage, shape))
}

fn of_shape(usage: JsonValue<'_>, shape: &Shape) -> Option<RawUsage> {
    let count = |path: &[&str]| at(usage, path)?.text().parse().ok().filter(|count: &i64| *count >= 0);
    let sum = |names: &[&str]| names.iter().filter_map(|name| count(&[name])).reduce(i64::saturating_add);
    let (input, output) = (count(&[shape.input]), count(&[shape.output]));
    input.or(output)?;
    let cached = |path: &[&str]| count(path).filter(|count| *count > 0);
    Some(RawUsage {
        input: input.map(|input| input.saturating_add(sum(shape.extra_input).unwrap_or_default())),
        // A model may use up its output on thoughts.
        output: output.into_iter().chain(sum(shape.extra_output)).reduce(i64::saturating_add),
        total: count(&[shape.total]),
        cache_read: cached(shape.cache_read).or_else(|| cached(&["cache_read_input_tokens"])),
        cache_creation: cached(&[shape.cache_creation]),
    })
}

fn at<'i>(object: JsonValue<'i>, path: &[&str]) -> Option<JsonValue<'i>> {
    path.iter().try_fold(object, |object, key| object.field(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::JsonIndex;

    fn usage(answer: &str) -> [Option<i64>; 5] {
        let index = JsonIndex::read(answer);
        let found = index.as_ref().and_then(|index| read(index.root(answer))).unwrap_or_default();
        [found.input, found.output, found.total, found.cache_read, found.cache_creation]
    }

    #[test]
    fn every_provider_reports_its_counts() {
        let cases = [
            (
                r#"{"usage": {"prompt_tokens": 21, "completion_tokens": 8, "total_tokens": 29, "prompt_tokens_details": {"cached_tokens": 16}}}"#,
                [Some(21), Some(8), Some(29), Some(16), None],
            ),
            (
                r#"{"type": "response.completed", "response": {"usage": {"input_tokens": 15, "input_tokens_details": {"cached_tokens": 4}, "output_tokens": 11, "total_tokens": 26}}}"#,
                [Some(15), Some(11), Some(26), Some(4), None],
            ),
            (
                r#"{"usage": {"input_tokens": 20, "cache_read_input_tokens": 900, "cache_creation_input_tokens": 80, "output_tokens": 5}}"#,
                [Some(1000), Some(5), None, Some(900), Some(80)],
            ),
            (
                r#"{"usage": {"inputTokens": 20, "outputTokens": 5, "totalTokens": 125, "cacheReadInputTokens": 100}}"#,
                [Some(120), Some(5), Some(125), Some(100), None],
            ),
            (
                r#"{"usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 2, "thoughtsTokenCount": 3, "totalTokenCount": 12}}"#,
                [Some(7), Some(5), Some(12), None, None],
            ),
            // What the model thought is part of the output; what the cache had is part of the prompt already.
            (
                r#"{"usageMetadata": {"promptTokenCount": 2000, "cachedContentTokenCount": 1536, "toolUsePromptTokenCount": 40, "candidatesTokenCount": 9, "thoughtsTokenCount": 91, "totalTokenCount": 2140}}"#,
                [Some(2040), Some(100), Some(2140), Some(1536), None],
            ),
            (
                r#"{"usage_metadata": {"prompt_token_count": 2000, "cached_content_token_count": 1536, "candidates_token_count": 9, "thoughts_token_count": 91, "total_token_count": 2100, "cache_tokens_details": null}}"#,
                [Some(2000), Some(100), Some(2100), Some(1536), None],
            ),
            // Thoughts alone used up the output.
            (
                r#"{"usageMetadata": {"promptTokenCount": 7, "thoughtsTokenCount": 3, "totalTokenCount": 10}}"#,
                [Some(7), Some(3), Some(10), None, None],
            ),
            (
                r#"[{"usageMetadata": {"promptTokenCount": 7, "totalTokenCount": 7}}, {"usageMetadata": {"promptTokenCount": 7, "cachedContentTokenCount": 5, "candidatesTokenCount": 2, "totalTokenCount": 9}}]"#,
                [Some(7), Some(2), Some(9), Some(5), None],
            ),
            (
                r#"[{"usage": null}, {"metadata": {"usage": {"inputTokens": 1, "outputTokens": 2}}}]"#,
                [Some(1), Some(2), None, None, None],
            ),
        ];
        for (answer, wanted) in cases {
            assert_eq!(usage(answer), wanted, "{answer}");
        }
    }

    #[test]
    fn other_answers_report_none() {
        for answer in [
            "",
            "usage",
            r#"{"usage": 5}"#,
            r#"{"usage": {"prompt_tokens": "x"}}"#,
            r#"{"usage": {"prompt_tokens": -1}}"#,
            "[]",
        ] {
            assert_eq!(usage(answer), [None; 5], "{answer}");
        }
    }
}
