//! Inputs and outputs.
//!
//! MLflow reads text that spells a JSON object, array or string as that value, whatever the MIME type beside it says, and
//! leaves out what Python calls false. Text therefore passes as it is; see [`json::clean`] for the little that changes.

use std::borrow::Cow;

use super::added_attributes::AttributeBuilder;
use super::span_view::SpanView;
use super::{Mapped, langchain};
use crate::mlflow::json;
use crate::mlflow::keys::{SPAN_INPUTS, SPAN_OUTPUTS};
use crate::openinference::Key;
use crate::otlp::Value;

/// Where inputs and outputs come from: OpenInference's own value, else, on a span of mixed conventions, the others' in the
/// order in which MLflow asks them.
const SOURCES: [(&str, &[Key]); 2] = [
    (
        SPAN_INPUTS,
        &[
            Key::InputValue,
            Key::GenAiInputMessages,
            Key::GenAiToolArguments,
            Key::AiPrompt,
            Key::AiPromptMessages,
            Key::AiToolArguments,
            Key::AiValue,
            Key::AiValues,
        ],
    ),
    (
        SPAN_OUTPUTS,
        &[
            Key::OutputValue,
            Key::GenAiOutputMessages,
            Key::GenAiToolResult,
            Key::AiResponseText,
            Key::AiToolResult,
            Key::AiResponseObject,
            Key::AiResponseToolCalls,
        ],
    ),
];

/// Adds inputs and outputs.
pub(super) fn add<'s, 'a>(view: &SpanView<'s, 'a>, added: &mut AttributeBuilder<'_, 's, 'a>) {
    for (to, from) in SOURCES {
        if added.lacks(to)
            && let Some(value) = from.iter().find_map(|key| view.get(*key).and_then(mapped))
        {
            let plain = langchain::plain(&value.as_text()).map(|text| Mapped::Text(Cow::Owned(text)));
            added.add(to, plain.unwrap_or(value));
        }
    }
}

/// A value as MLflow shall hold it; `None` for what Python calls false.
pub(super) fn mapped(value: Value<'_>) -> Option<Mapped<'_>> {
    let is_falsy = match value {
        Value::Empty => true,
        Value::String(text) => json::is_falsy(text.get()),
        Value::Bool(flag) => !flag,
        Value::Int(number) => number == 0,
        Value::Double(number) => number == 0.0,
        Value::Bytes(bytes) => bytes.is_empty(),
        Value::Array(items) => items.iter().next().is_none(),
        Value::KvList(entries) => entries.iter().next().is_none(),
    };
    if is_falsy {
        return None;
    }
    Some(match value {
        Value::String(text) => Mapped::Text(readable(text.get())),
        value => Mapped::from(value),
    })
}

/// A text that MLflow can hold and a browser can read. What the [repair](super::repair) made a string of is JSON again when
/// cleaning it is enough.
fn readable(text: &str) -> Cow<'_, str> {
    json::unquoted(text).map_or_else(|| json::clean(text), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

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
