//! Token counts and costs of a whole trace, as MLflow sums them (`aggregate_usage_from_span_nodes`, 3.16 and later): a span
//! counts only when none of its ancestors carries the same, because those repeat what is below them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{json, keys};
use crate::mapping::{AddedAttributes, Mapped, stored};
use crate::otlp::Span;

/// The sums of a trace: the trace metadata that MLflow would derive, keys and values.
pub fn metadata(spans: &[(Span<'_>, AddedAttributes<'_>)]) -> Vec<(String, String)> {
    const USAGE: [&str; 3] = ["input_tokens", "output_tokens", "total_tokens"];
    const CACHE: [&str; 2] = ["cache_read_input_tokens", "cache_creation_input_tokens"];
    const COST: [&str; 3] = ["input_cost", "output_cost", "total_cost"];
    let usage = sum::<i64>(spans, keys::CHAT_USAGE, &USAGE, &CACHE).map(|sums| (keys::TRACE_USAGE, sums));
    let cost = sum::<f64>(spans, keys::LLM_COST, &COST, &[]).map(|sums| (keys::TRACE_COST, sums));
    [usage, cost].into_iter().flatten().map(|(key, sums)| (key.to_owned(), Value::Object(sums).to_string())).collect()
}

/// What can be summed.
trait Amount: Copy + Default {
    fn read(value: &Value) -> Option<Self>;
    fn plus(self, other: Self) -> Self;
    fn to_json(self) -> Value;
}

impl Amount for i64 {
    fn read(value: &Value) -> Option<Self> {
        value.as_i64()
    }

    fn plus(self, other: Self) -> Self {
        self.saturating_add(other)
    }

    fn to_json(self) -> Value {
        self.into()
    }
}

impl Amount for f64 {
    fn read(value: &Value) -> Option<Self> {
        value.as_f64()
    }

    fn plus(self, other: Self) -> Self {
        self + other
    }

    fn to_json(self) -> Value {
        self.into()
    }
}

/// Sums of `always`, and of those of `sometimes` that occur; `None` when no span carries any.
fn sum<A: Amount>(
    spans: &[(Span<'_>, AddedAttributes<'_>)],
    key: &str,
    always: &[&str],
    sometimes: &[&str],
) -> Option<Map<String, Value>> {
    let counted = counted(spans, key);
    if counted.is_empty() {
        return None;
    }
    let mut sums: Vec<(&str, Option<A>)> = Vec::new();
    sums.extend(always.iter().map(|name| (*name, Some(A::default()))));
    sums.extend(sometimes.iter().map(|name| (*name, None)));
    for object in counted {
        for (name, sum) in &mut sums {
            if let Some(amount) = object.get(*name).and_then(A::read) {
                *sum = Some(sum.unwrap_or_default().plus(amount));
            }
        }
    }
    Some(sums.into_iter().filter_map(|(name, sum)| Some((name.to_owned(), sum?.to_json()))).collect())
}

/// What is carried by spans none of whose ancestors carries any. Walks from the roots, and from spans whose parent is
/// elsewhere: a cycle of parents has neither, and MLflow counts nothing in it.
fn counted(spans: &[(Span<'_>, AddedAttributes<'_>)], key: &str) -> Vec<Map<String, Value>> {
    let ids: BTreeSet<&[u8]> = spans.iter().map(|(span, _)| span.span_id).collect();
    let mut children: BTreeMap<&[u8], Vec<&(Span<'_>, AddedAttributes<'_>)>> = BTreeMap::new();
    let mut next = Vec::new();
    for pair in spans {
        if ids.contains(pair.0.parent_span_id) {
            children.entry(pair.0.parent_span_id).or_default().push(pair);
        } else {
            next.push(pair);
        }
    }
    let mut counted = Vec::new();
    while let Some((span, added)) = next.pop() {
        match stored(span, added, key).and_then(object) {
            Some(object) => counted.push(object),
            None => next.extend(children.remove(span.span_id).unwrap_or_default()),
        }
    }
    counted
}

fn object(value: Mapped<'_>) -> Option<Map<String, Value>> {
    match value {
        Mapped::Json(Value::Object(object)) => Some(object),
        Mapped::Json(_) => None,
        Mapped::Text(text) => serde_json::from_str(&json::clean(&text)).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otlp::wire::put_bytes_field;
    use crate::otlp::write::Attributes;

    /// A span of one byte's id and parent (0: none), with token counts and costs.
    fn span(id: u8, parent: u8, usage: Option<&str>, cost: Option<&str>) -> Vec<u8> {
        let mut attributes = Attributes::default();
        for (key, value) in [(keys::CHAT_USAGE, usage), (keys::LLM_COST, cost)] {
            if let Some(value) = value {
                attributes.put_str(key, value);
            }
        }
        let mut span = attributes.into_bytes();
        put_bytes_field(&mut span, 2, &[id; 8]);
        put_bytes_field(&mut span, 4, &[parent; 8]);
        span
    }

    fn usage(input: i64) -> String {
        format!("{{\"input_tokens\": {input}, \"output_tokens\": 1, \"total_tokens\": {}}}", input + 1)
    }

    fn sums(spans: &[Vec<u8>]) -> Vec<(String, Value)> {
        let spans: Vec<_> =
            spans.iter().map(|span| (Span::parse(span).expect("a span"), AddedAttributes::default())).collect();
        let parsed = |text: String| serde_json::from_str(&text).expect("JSON");
        metadata(&spans).into_iter().map(|(key, text)| (key, parsed(text))).collect()
    }

    fn usage_of(spans: &[Vec<u8>]) -> Option<(i64, i64, i64)> {
        let sums = sums(spans);
        let (_, sum) = sums.iter().find(|(key, _)| key == keys::TRACE_USAGE)?;
        Some((sum["input_tokens"].as_i64()?, sum["output_tokens"].as_i64()?, sum["total_tokens"].as_i64()?))
    }

    #[test]
    fn siblings_are_added_up() {
        let spans = [span(1, 0, None, None), span(2, 1, Some(&usage(10)), None), span(3, 1, Some(&usage(20)), None)];
        assert_eq!(usage_of(&spans), Some((30, 2, 32)));
    }

    #[test]
    fn what_an_ancestor_repeats_is_counted_once_in_whatever_order_the_spans_come() {
        let mut spans = [
            span(3, 2, Some(&usage(10)), None),
            span(2, 1, None, None),
            span(4, 2, Some(&usage(20)), None),
            span(1, 0, Some(&usage(30)), None),
        ];
        assert_eq!(usage_of(&spans), Some((30, 1, 31)));
        spans.reverse();
        assert_eq!(usage_of(&spans), Some((30, 1, 31)));
    }

    #[test]
    fn a_span_whose_parent_is_elsewhere_counts() {
        assert_eq!(usage_of(&[span(2, 9, Some(&usage(10)), None)]), Some((10, 1, 11)));
    }

    #[test]
    fn spans_that_are_each_others_parent_end_the_walk() {
        let spans = [span(1, 2, Some(&usage(10)), None), span(2, 1, None, None), span(3, 0, Some(&usage(5)), None)];
        assert_eq!(usage_of(&spans), Some((5, 1, 6)));
    }

    #[test]
    fn usage_and_cost_are_summed_separately() {
        let cost = r#"{"input_cost": 0.5, "output_cost": 0.25, "total_cost": 0.75}"#;
        let spans = [span(1, 0, None, Some(cost)), span(2, 1, Some(&usage(1)), Some(cost))];
        let sums = sums(&spans);
        assert_eq!(sums[0].1, serde_json::json!({"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}));
        assert_eq!(sums[1].1, serde_json::json!({"input_cost": 0.5, "output_cost": 0.25, "total_cost": 0.75}));
    }

    #[test]
    fn cache_counts_are_there_only_when_a_span_has_some_and_main_counts_always() {
        let cached = r#"{"input_tokens": 3, "cache_read_input_tokens": 2}"#;
        let spans = [span(1, 0, Some(cached), None), span(2, 0, Some("{}"), None)];
        let expected = serde_json::json!({
            "input_tokens": 3, "output_tokens": 0, "total_tokens": 0, "cache_read_input_tokens": 2,
        });
        assert_eq!(sums(&spans), [(keys::TRACE_USAGE.to_owned(), expected)]);
    }

    #[test]
    fn what_is_no_object_counts_as_nothing() {
        for text in ["null", "[1]", "many", "\"{}\""] {
            assert!(sums(&[span(1, 0, Some(text), Some(text))]).is_empty(), "{text}");
        }
    }
}
