//! Numbers as people read them.

use serde_json::Value;

const NANOS_PER_MS: u64 = 1_000_000;

/// A duration in nanoseconds, to two or three digits.
pub(super) fn duration(nanos: u64) -> String {
    let ms = nanos / NANOS_PER_MS;
    let seconds = ms / 1_000;
    match ms {
        0..10 => format!("{:.1} ms", nanos as f64 / NANOS_PER_MS as f64),
        10..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{:.2} s", ms as f64 / 1_000.0),
        60_000..3_600_000 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3_600, seconds / 60 % 60),
    }
}

/// Token usage (`{input_tokens, output_tokens, total_tokens}`, as an object or JSON text) as `12 → 34`, or the total
/// when nothing else is known.
pub(super) fn tokens(usage: Option<&Value>) -> Option<String> {
    let usage = object(usage?)?;
    match (count(&usage, "input_tokens"), count(&usage, "output_tokens")) {
        (None, None) => Some(grouped(count(&usage, "total_tokens")?)),
        (input, output) => Some(format!("{} → {}", grouped(input.unwrap_or(0)), grouped(output.unwrap_or(0)))),
    }
}

/// The same in words, for the heading: `46 tokens (12 in, 34 out)`.
pub(super) fn tokens_in_words(usage: Option<&Value>) -> Option<String> {
    let usage = object(usage?)?;
    let (input, output) = (count(&usage, "input_tokens"), count(&usage, "output_tokens"));
    let total = count(&usage, "total_tokens").or_else(|| Some(input?.saturating_add(output?)))?;
    let parts: Vec<_> = [(input, "in"), (output, "out")]
        .iter()
        .filter_map(|(n, word)| Some(format!("{} {word}", grouped((*n)?))))
        .collect();
    let total = format!("{} tokens", grouped(total));
    Some(if parts.is_empty() { total } else { format!("{total} ({})", parts.join(", ")) })
}

/// A cost in dollars (`{total_cost}`, as an object or JSON text), to three digits that count and at least to the cent.
pub(super) fn cost(cost: Option<&Value>) -> Option<String> {
    let dollars = object(cost?)?.get("total_cost")?.as_f64()?;
    if dollars.abs() >= 1.0 {
        return Some(format!("${dollars:.2}"));
    }
    // Two more decimals than there are zeros behind the point.
    let decimals = if dollars == 0.0 { 2.0 } else { (2.0 - dollars.abs().log10().floor()).clamp(2.0, 12.0) };
    let digits = format!("{dollars:.0$}", decimals as usize);
    let whole_cents = digits.find('.').map_or(digits.len(), |point| (point + 3).min(digits.len()));
    let (cents, rest) = digits.split_at(whole_cents);
    Some(format!("${cents}{}", rest.trim_end_matches('0')))
}

fn object(value: &Value) -> Option<Value> {
    match value {
        Value::String(text) => serde_json::from_str(text).ok(),
        value => Some(value.clone()),
    }
}

fn count(usage: &Value, key: &str) -> Option<u64> {
    usage.get(key)?.as_u64()
}

/// 1234567 as 1,234,567.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn given_a_duration_then_its_unit_suits_its_size() {
        for (nanos, expected) in [
            (0, "0.0 ms"),
            (311_268, "0.3 ms"),
            (12_345_678, "12 ms"),
            (1_239_000_000, "1.24 s"),
            (125_000_000_000, "2 min 05 s"),
            (7_500_000_000_000, "2 h 05 min"),
        ] {
            assert_eq!(duration(nanos), expected);
        }
        assert!(duration(u64::MAX).ends_with("min"));
    }

    #[test]
    fn given_a_cost_then_three_of_its_digits_count() {
        for (dollars, expected) in [
            (0.0, "$0.00"),
            (0.000_042, "$0.000042"),
            (0.0066, "$0.0066"),
            (0.5, "$0.50"),
            (0.12345, "$0.123"),
            (12.3456, "$12.35"),
        ] {
            assert_eq!(cost(Some(&json!({ "total_cost": dollars }))).as_deref(), Some(expected));
        }
        assert_eq!(cost(Some(&json!("{\"total_cost\": 0.25}"))).as_deref(), Some("$0.25"));
        assert_eq!(cost(Some(&json!("free"))), None);
    }

    #[test]
    fn given_token_usage_then_what_is_known_of_it_is_shown() {
        let full = json!({"input_tokens": 1234, "output_tokens": 5, "total_tokens": 1239});
        assert_eq!(tokens(Some(&full)).as_deref(), Some("1,234 → 5"));
        assert_eq!(tokens_in_words(Some(&full)).as_deref(), Some("1,239 tokens (1,234 in, 5 out)"));
        let total = json!({"total_tokens": 1_234_567});
        assert_eq!(tokens(Some(&total)).as_deref(), Some("1,234,567"));
        assert_eq!(tokens_in_words(Some(&total)).as_deref(), Some("1,234,567 tokens"));
        assert_eq!(tokens(Some(&json!({"input_tokens": 7}))).as_deref(), Some("7 → 0"));
    }
}
