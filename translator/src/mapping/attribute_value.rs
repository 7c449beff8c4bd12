//! One attribute's value as MLflow reads it, with an index over its JSON that all mapping rules share.

use std::borrow::Cow;

use super::printed;
use crate::json::{self, JsonIndex, JsonValue};
use crate::mlflow::Mapped;
use crate::otlp::Value;

/// A value that Python does not call false. Its JSON is read once, with the value.
#[derive(Clone, Debug)]
pub(super) struct AttributeValue<'a> {
    mapped: Mapped<'a>,
    index: Option<JsonIndex>,
    is_printed: bool,
}

impl<'a> AttributeValue<'a> {
    /// Reads a value; `None` for what Python calls false.
    pub(super) fn read(value: Value<'a>) -> Option<Self> {
        if is_falsy(value) {
            return None;
        }
        Some(match value {
            Value::String(text) => Self::of_text(text.get()),
            value => Self { mapped: Mapped::from(value), index: None, is_printed: false },
        })
    }

    /// A text that MLflow can hold and a browser can read, without [printed objects](printed) and arguments that were not given. What the [repair](super::repair)
    /// made a string of is JSON again when cleaning it is enough.
    fn of_text(sent: &'a str) -> Self {
        let is_printed = printed::is_printed(sent);
        let unquoted = json::unquoted(sent).map_or(Cow::Borrowed(sent), Cow::Owned);
        let (text, index) = JsonIndex::read_clean(unquoted);
        let read = (text, index);
        let read = if is_printed { replaced(read, printed::objects_in) } else { read };
        let (text, index) = replaced(read, printed::without_not_given);
        Self { mapped: Mapped::Text(text), index, is_printed }
    }

    /// The value as MLflow shall hold it.
    pub(super) fn mapped(&self) -> &Mapped<'a> {
        &self.mapped
    }

    /// The value as text.
    pub(super) fn as_text(&self) -> Cow<'_, str> {
        self.mapped.as_text()
    }

    /// The JSON object, array or string that the text spells; `None` for any other text.
    pub(super) fn json(&self) -> Option<JsonValue<'_>> {
        let Mapped::Text(text) = &self.mapped else { return None };
        Some(self.index.as_ref()?.root(text))
    }

    /// Whether the value held objects as Python prints them.
    pub(super) fn is_printed(&self) -> bool {
        self.is_printed
    }
}

/// JSON, or what a rule makes of it.
fn replaced<'a>(
    (text, index): (Cow<'a, str>, Option<JsonIndex>),
    rule: impl Fn(JsonValue<'_>) -> Option<String>,
) -> (Cow<'a, str>, Option<JsonIndex>) {
    match index.as_ref().and_then(|index| rule(index.root(&text))) {
        Some(text) => {
            let index = JsonIndex::read(&text);
            (Cow::Owned(text), index)
        }
        None => (text, index),
    }
}

/// What Python calls false.
fn is_falsy(value: Value<'_>) -> bool {
    match value {
        Value::Empty => true,
        Value::String(text) => json::is_falsy(text.get()),
        Value::Bool(flag) => !flag,
        Value::Int(number) => number == 0,
        Value::Double(number) => number == 0.0,
        Value::Bytes(bytes) => bytes.is_empty(),
        Value::Array(items) => items.iter().next().is_none(),
        Value::KvList(entries) => entries.iter().next().is_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapped(value: Value<'_>) -> Option<Mapped<'_>> {
        AttributeValue::read(value).map(|value| value.mapped)
    }

    fn text(text: &str) -> Option<String> {
        mapped(Value::String(text.into())).map(|value| value.as_text().into_owned())
    }

    #[test]
    fn text_passes_as_it_is() {
        for same in ["hi", "42", "true", "null", "{\"a\": 1}", "[1", " \"quoted\" ", "0"] {
            assert_eq!(text(same).as_deref(), Some(same));
        }
    }

    #[test]
    fn what_python_calls_false_is_left_out() {
        for falsy in ["", "\"\"", "{}", " [ ] "] {
            assert_eq!(text(falsy), None, "{falsy:?}");
        }
        for falsy in [Value::Empty, Value::Bool(false), Value::Int(0), Value::Double(-0.0), Value::Bytes(b"")] {
            assert_eq!(mapped(falsy), None, "{falsy:?}");
        }
    }

    #[test]
    fn values_that_are_no_text_keep_their_type() {
        assert_eq!(mapped(Value::Int(5)), Some(Mapped::Json(5.into())));
        assert_eq!(mapped(Value::Bytes(b"ab")), Some(Mapped::Text("YWI=".into())));
    }

    #[test]
    fn json_that_only_python_reads_becomes_json_for_all() {
        assert_eq!(text("{\"a\": NaN}").as_deref(), Some("{\"a\": \"NaN\"}"));
    }

    #[test]
    fn an_integer_too_big_for_mlflow_costs_only_itself() {
        let repaired = json::quoted("{\"id\": 18446744073709551615}");
        assert_eq!(text(&repaired).as_deref(), Some("{\"id\": \"18446744073709551615\"}"));
        let digits = json::quoted(&"1".repeat(5000));
        assert_eq!(text(&digits), Some(digits));
    }
}
