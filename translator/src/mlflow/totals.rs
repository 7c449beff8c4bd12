//! Token counts and costs of a whole trace, as MLflow sums them (`aggregate_usage_from_span_nodes`, 3.16 and later): a span
//! counts only when none of its ancestors carries the same, because those repeat what is below them.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Number, Value};

use super::{json, keys};
use crate::mapping::{Additions, Mapped, stored};
use crate::otlp::Span;

/// The sums of a trace: the trace metadata that MLflow would derive, keys and values.
pub fn metadata(spans: &[(Span<'_>, Additions<'_>)]) -> Vec<(String, String)> {
    const USAGE: [&str; 3] = ["input_tokens", "output_tokens", "total_tokens"];
    const CACHE: [&str; 2] = ["cache_read_input_tokens", "cache_creation_input_tokens"];
    const COST: [&str; 3] = ["input_cost", "output_cost", "total_cost"];
    let usage = sum::<i64>(spans, keys::CHAT_USAGE, &USAGE, &CACHE).map(|sums| (keys::TRACE_USAGE, sums));
    let cost = sum::<f64>(spans, keys::LLM_COST, &COST, &[]).map(|sums| (keys::TRACE_COST, sums));
    [usage, cost].into_iter().flatten().map(|(key, sums)| (key.to_owned(), Value::Object(sums).to_string())).collect()
}

/// What can be summed.
trait Amount: Copy + Default {
    fn read(value: &Number) -> Option<Self>;
    fn plus(self, other: Self) -> Self;
    fn to_json(self) -> Value;
}

impl Amount for i64 {
    fn read(value: &Number) -> Option<Self> {
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
    fn read(value: &Number) -> Option<Self> {
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
    spans: &[(Span<'_>, Additions<'_>)],
    key: &str,
    always: &[&str],
    sometimes: &[&str],
) -> Option<Map<String, Value>> {
    let carried: HashMap<&[u8], Map<String, Value>> = spans
        .iter()
        .filter_map(|(span, additions)| Some((span.span_id, object(stored(span, additions, key)?)?)))
        .collect();
    if carried.is_empty() {
        return None;
    }
    let parents: HashMap<&[u8], &[u8]> = spans.iter().map(|(span, _)| (span.span_id, span.parent_span_id)).collect();
    let counted = |id: &&[u8]| !has_carrying_ancestor(id, &parents, &carried);
    let mut sums: Vec<(&str, Option<A>)> = Vec::new();
    sums.extend(always.iter().map(|name| (*name, Some(A::default()))));
    sums.extend(sometimes.iter().map(|name| (*name, None)));
    // In the order of the spans: sums of doubles depend on it.
    let mut seen = HashSet::new();
    for id in spans.iter().map(|(span, _)| span.span_id).filter(|id| seen.insert(*id)).filter(counted) {
        for (name, sum) in &mut sums {
            if let Some(Value::Number(number)) = carried.get(id).and_then(|object| object.get(*name)) {
                *sum = A::read(number).map(|amount| sum.unwrap_or_default().plus(amount)).or(*sum);
            }
        }
    }
    Some(sums.into_iter().filter_map(|(name, sum)| Some((name.to_owned(), sum?.to_json()))).collect())
}

/// Walks towards the root; a cycle of parents has no root, and MLflow counts nothing in it.
fn has_carrying_ancestor(
    id: &[u8],
    parents: &HashMap<&[u8], &[u8]>,
    carried: &HashMap<&[u8], Map<String, Value>>,
) -> bool {
    let mut steps = 0;
    let mut at = id;
    while let Some(parent) = parents.get(at).filter(|parent| parents.contains_key(*parent)) {
        steps += 1;
        if carried.contains_key(*parent) || steps > parents.len() {
            return true;
        }
        at = parent;
    }
    false
}

fn object(value: Mapped<'_>) -> Option<Map<String, Value>> {
    match value {
        Mapped::Json(Value::Object(object)) => Some(object),
        Mapped::Json(_) => None,
        Mapped::Text(text) => serde_json::from_str(&json::clean(&text)).ok(),
    }
}
