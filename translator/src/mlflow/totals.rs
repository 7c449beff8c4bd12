//! Token counts and costs of a whole trace, as MLflow sums them (`aggregate_usage_from_span_nodes`, 3.15 and later): a span
//! counts only when none of its ancestors carries the same, because those repeat what is below them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::keys;
use crate::gather::gather;
use crate::json;
use crate::mlflow::{AddedAttributes, Mapped, stored};
use crate::otlp::{Span, Value as Otlp};

/// The token counts: the first three are always in a sum, the others if a span has them.
const USAGE: [&str; 5] =
    ["input_tokens", "output_tokens", "total_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"];
/// The costs, in US dollars.
const COST: [&str; 3] = ["input_cost", "output_cost", "total_cost"];
/// How many of the amounts are always in a sum.
const ALWAYS: usize = 3;

/// The token counts and costs that one span carries, in the order of [`USAGE`] and [`COST`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SpanTotals {
    usage: Option<[Option<i64>; USAGE.len()]>,
    cost: Option<[Option<f64>; COST.len()]>,
}

/// A span in the tree of its trace: its id, its parent's, and what it carries.
pub type Node<K> = (K, Option<K>, SpanTotals);

impl SpanTotals {
    /// What a span carries, by its own attributes and the added ones.
    pub fn of(span: &Span<'_>, added: &AddedAttributes<'_>) -> Self {
        let carried = |key| stored(span, added, key).and_then(|value| object(&value));
        Self {
            usage: carried(keys::CHAT_USAGE).map(|object| amounts(&object, USAGE, Value::as_i64)),
            cost: carried(keys::LLM_COST).map(|object| amounts(&object, COST, Value::as_f64)),
        }
    }

    /// What MLflow takes from a span, by its own translation of `gen_ai.usage.*` where the span carries nothing else.
    pub fn derived(span: &Span<'_>, added: &AddedAttributes<'_>) -> Self {
        let carried = Self::of(span, added);
        let count = |name: &str| match span.attribute(&format!("gen_ai.usage.{name}")) {
            Some(Otlp::Int(count)) => Some(count),
            _ => None,
        };
        let (input, output) = (count("input_tokens"), count("output_tokens"));
        let total = input.zip(output).map(|(input, output)| input.saturating_add(output));
        let cache = ["cache_read.input_tokens", "cache_creation.input_tokens"].map(count);
        let derived = total.map(|_| [input, output, total, cache[0], cache[1]]);
        Self { usage: carried.usage.or(derived), ..carried }
    }

    /// Whether the span carries neither.
    pub fn is_empty(&self) -> bool {
        self.usage.is_none() && self.cost.is_none()
    }
}

/// The sums of a trace: the trace metadata that MLflow derives, keys and values.
pub fn metadata<K: Copy + Ord>(spans: &[Node<K>]) -> Vec<(String, String)> {
    let usage = sum(spans, |totals| totals.usage, USAGE, i64::saturating_add).map(|sums| (keys::TRACE_USAGE, sums));
    let cost = sum(spans, |totals| totals.cost, COST, |a, b| a + b).map(|sums| (keys::TRACE_COST, sums));
    [usage, cost].into_iter().flatten().map(|(key, sums)| (key.to_owned(), Value::Object(sums).to_string())).collect()
}

/// Whether a span repeats what is below it, so that a plain sum over all spans counts it twice.
pub fn has_repetitions<K: Copy + Ord>(spans: &[Node<K>]) -> bool {
    let repeats = |carried: usize, counted: usize| carried > counted;
    let usage = spans.iter().filter(|(.., totals)| totals.usage.is_some()).count();
    let cost = spans.iter().filter(|(.., totals)| totals.cost.is_some()).count();
    repeats(usage, counted(spans, |totals| totals.usage).len())
        || repeats(cost, counted(spans, |totals| totals.cost).len())
}

fn amounts<A, const N: usize>(
    object: &Map<String, Value>,
    names: [&str; N],
    read: fn(&Value) -> Option<A>,
) -> [Option<A>; N] {
    names.map(|name| object.get(name).and_then(read))
}

/// The sums by name; `None` when no span carries any.
fn sum<K: Copy + Ord, A: Copy + Default + Into<Value>, const N: usize>(
    spans: &[Node<K>],
    carried: fn(&SpanTotals) -> Option<[Option<A>; N]>,
    names: [&str; N],
    plus: fn(A, A) -> A,
) -> Option<Map<String, Value>> {
    let counted = counted(spans, carried);
    if counted.is_empty() {
        return None;
    }
    let sums = names.iter().enumerate().filter_map(|(index, name)| {
        let mut all = counted.iter().filter_map(|amounts| *amounts.get(index)?).peekable();
        let occurs = index < ALWAYS || all.peek().is_some();
        occurs.then(|| ((*name).to_owned(), all.fold(A::default(), plus).into()))
    });
    Some(sums.collect())
}

/// What is carried by spans none of whose ancestors carries any. Walks from the roots, and from spans whose parent is
/// elsewhere: a cycle of parents has neither, and MLflow counts nothing in it.
fn counted<K: Copy + Ord, T>(spans: &[Node<K>], carried: fn(&SpanTotals) -> Option<T>) -> Vec<T> {
    let ids: BTreeSet<K> = gather(spans.iter().map(|(id, ..)| *id));
    let mut children: BTreeMap<K, Vec<&Node<K>>> = BTreeMap::new();
    let mut next = Vec::new();
    for node in spans {
        match node.1.filter(|parent| ids.contains(parent)) {
            Some(parent) => children.entry(parent).or_default().push(node),
            None => next.push(node),
        }
    }
    let mut counted = Vec::new();
    while let Some((id, _, totals)) = next.pop() {
        match carried(totals) {
            Some(amounts) => counted.push(amounts),
            None => next.extend(children.remove(id).unwrap_or_default()),
        }
    }
    counted
}

fn object(value: &Mapped<'_>) -> Option<Map<String, Value>> {
    match value {
        Mapped::Json(Value::Object(object)) => Some(object.clone()),
        Mapped::Json(_) => None,
        Mapped::Text(text) => serde_json::from_str(&json::clean(text)).ok(),
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

    fn nodes(spans: &[Vec<u8>]) -> Vec<Node<&[u8]>> {
        let spans = spans.iter().map(|span| Span::parse(span).expect("a span"));
        let nothing = AddedAttributes::default();
        spans.map(|span| (span.span_id, Some(span.parent_span_id), SpanTotals::of(&span, &nothing))).collect()
    }

    fn sums(spans: &[Vec<u8>]) -> Vec<(String, Value)> {
        let parsed = |text: String| serde_json::from_str(&text).expect("JSON");
        metadata(&nodes(spans)).into_iter().map(|(key, text)| (key, parsed(text))).collect()
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
