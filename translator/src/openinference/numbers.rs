//! Numbers, in every form in which instrumentations send them.

use crate::otlp::Value;

/// A token count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenCount {
    /// A whole number.
    Some(i64),
    /// No number.
    None,
    /// No number, but MLflow would take it for one: a boolean, or text with more digits than 64 bits hold.
    Misleading,
}

impl TokenCount {
    /// The number.
    pub fn value(self) -> Option<i64> {
        match self {
            Self::Some(number) => Some(number),
            Self::None | Self::Misleading => None,
        }
    }
}

/// Reads a count: integers, doubles without a fraction, and text of either, also in quotes.
pub fn count(value: Value<'_>) -> TokenCount {
    match value {
        Value::Int(number) => TokenCount::Some(number),
        Value::Double(number) => whole(number).map_or(TokenCount::None, TokenCount::Some),
        Value::Bool(_) => TokenCount::Misleading,
        Value::String(text) => text_count(unquoted(text.get())),
        _ => TokenCount::None,
    }
}

/// Reads a finite number: integers, doubles, and text of either, also in quotes.
pub fn number(value: Value<'_>) -> Option<f64> {
    let number = match value {
        Value::Int(number) => number as f64,
        Value::Double(number) => number,
        Value::String(text) => unquoted(text.get()).parse().ok()?,
        _ => return None,
    };
    Some(number).filter(|number| number.is_finite())
}

fn text_count(text: &str) -> TokenCount {
    if let Ok(number) = text.parse() {
        return TokenCount::Some(number);
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return TokenCount::Misleading;
    }
    text.parse().ok().and_then(whole).map_or(TokenCount::None, TokenCount::Some)
}

fn whole(number: f64) -> Option<i64> {
    // 2⁶³ is a double, and the first that does not fit.
    (number.fract() == 0.0 && number >= -(2f64.powi(63)) && number < 2f64.powi(63)).then_some(number as i64)
}

fn unquoted(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value<'_> {
        Value::String(text.into())
    }

    #[test]
    fn counts_are_read_from_every_form_they_are_sent_in() {
        for value in
            [Value::Int(12), Value::Double(12.0), text("12"), text("12.0"), text("\"12\""), text(" 12 "), text("1.2e1")]
        {
            assert_eq!(count(value), TokenCount::Some(12), "{value:?}");
        }
        assert_eq!(count(Value::Int(-3)), TokenCount::Some(-3));
        assert_eq!(count(text("9223372036854775807")), TokenCount::Some(i64::MAX));
    }

    #[test]
    fn what_is_no_whole_number_is_no_count() {
        for value in [
            Value::Empty,
            Value::Double(1.5),
            Value::Double(f64::NAN),
            Value::Double(1e19),
            text(""),
            text("many"),
            text("1.5"),
            text("inf"),
            text("-"),
        ] {
            assert_eq!(count(value), TokenCount::None, "{value:?}");
        }
        for value in [Value::Bool(true), text("9223372036854775808"), text(&"9".repeat(40))] {
            assert_eq!(count(value), TokenCount::Misleading, "{value:?}");
        }
    }

    #[test]
    fn numbers_are_finite() {
        assert_eq!(number(text("\"0.001\"")), Some(0.001));
        assert_eq!(number(Value::Int(2)), Some(2.0));
        for value in [Value::Bool(true), Value::Double(f64::INFINITY), text("NaN"), text("cheap"), Value::Empty] {
            assert_eq!(number(value), None, "{value:?}");
        }
    }
}
