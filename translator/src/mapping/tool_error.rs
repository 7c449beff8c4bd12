//! A tool result that reports an error (`isError: true` in the Model Context Protocol) on a span without a status.
//!
//! The span's status stays as it came in. The attribute [`TOOL_ERROR`] shows the error on the span in MLflow, and a search for
//! it finds the span.

use super::attribute_builder::AttributeBuilder;
use super::span_view::SpanView;
use crate::json::{self, JsonValue};
use crate::mlflow::keys::{SPAN_TYPE, TOOL_ERROR};
use crate::openinference::Key;

const STATUS_UNSET: u64 = 0;

/// Adds the error's text, or the whole result if it has none.
pub(super) fn add<'s, 'a>(view: &SpanView<'s, 'a>, added: &mut AttributeBuilder<'_, 's, 'a>) {
    let is_tool = added.stored(SPAN_TYPE).is_some_and(|kind| kind.as_text() == "TOOL");
    if !is_tool || view.span().status.code != STATUS_UNSET {
        return;
    }
    let Some(result) = view.json(Key::OutputValue).filter(|result| result.is_object()) else { return };
    let [camel, snake, content] = result.fields(["isError", "is_error", "content"]);
    if [camel, snake].into_iter().flatten().any(|flag| flag.text() == "true") {
        let parts = content.into_iter().flat_map(JsonValue::items);
        let texts: Vec<_> = parts.filter_map(|part| part.field("text")?.string()).collect();
        let text = if texts.is_empty() { result.text().to_owned() } else { texts.join("\n") };
        added.add_text(TOOL_ERROR, json::storable(&text).into_owned());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::mapping::test_support::added_value;

    fn error(kind: &str, result: &str) -> Value {
        added_value(kind, &[("output.value", json!(result))], TOOL_ERROR)
    }

    #[test]
    fn an_error_in_the_result_is_shown() {
        let result = r#"{"content":[{"type":"text","text":"not found"}],"isError":true}"#;
        assert_eq!(error("TOOL", result), json!("not found"));
        assert_eq!(error("TOOL", r#"{"isError": true}"#), json!({"isError": true}));
        assert_eq!(error("CHAIN", result), Value::Null);
    }

    #[test]
    fn a_result_without_an_error_is_not() {
        for result in [r#"{"content":[],"isError":false}"#, "isError", r#"{"isError":"true"}"#, "[]", "{}"] {
            assert_eq!(error("TOOL", result), Value::Null, "{result}");
        }
    }
}
