//! A tool's inputs where its span carries no value: the arguments of the call, else `tool.parameters`.

use super::attribute_builder::AttributeBuilder;
use super::span_view::SpanView;
use crate::json::JsonValue;
use crate::mlflow::keys::{SPAN_INPUTS, SPAN_TYPE};
use crate::openinference::{Family, Key};

/// Adds a tool's inputs.
pub(super) fn add<'s, 'a>(view: &SpanView<'s, 'a>, added: &mut AttributeBuilder<'_, 's, 'a>) {
    let is_tool = added.stored(SPAN_TYPE).is_some_and(|kind| kind.as_text() == "TOOL");
    if !is_tool && !view.families().contains(Family::Tool) || view.value(Key::InputValue).is_some() {
        return;
    }
    let parameters = || view.value(Key::ToolParameters).filter(|value| !value.json().is_some_and(is_schema));
    if let Some(inputs) = view.value(Key::ToolCallArguments).or_else(parameters) {
        added.add(SPAN_INPUTS, inputs.mapped().clone());
    }
}

/// Whether parameters are a JSON schema, which describes arguments and has no values.
fn is_schema(parameters: JsonValue<'_>) -> bool {
    let [kind, properties] = parameters.fields(["type", "properties"]);
    kind.is_some_and(|kind| kind.is_one_of(&["object"])) && properties.is_none_or(JsonValue::is_object)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::mapping::test_support::added_value;

    #[test]
    fn a_tool_without_a_value_was_given_its_parameters() {
        let parameters = ("tool.parameters", json!(r#"{"city": "Lisbon"}"#));
        assert_eq!(added_value("TOOL", std::slice::from_ref(&parameters), SPAN_INPUTS), json!({"city": "Lisbon"}));
        assert_eq!(added_value("TOOL", &[("input.value", json!("own")), parameters], SPAN_INPUTS), json!("own"));
    }

    #[test]
    fn a_schema_of_parameters_is_no_input() {
        for schema in [r#"{"type": "object", "properties": {}}"#, r#"{"type":"object"}"#] {
            let schema = ("tool.parameters", json!(schema));
            assert_eq!(added_value("TOOL", &[schema], SPAN_INPUTS), serde_json::Value::Null);
        }
    }

    #[test]
    fn the_arguments_of_the_call_come_before_parameters_and_after_the_value() {
        let arguments = ("tool_call.function.arguments", json!(r#"{"q": "x"}"#));
        let parameters = ("tool.parameters", json!(r#"{"q": "default"}"#));
        assert_eq!(added_value("TOOL", std::slice::from_ref(&arguments), SPAN_INPUTS), json!({"q": "x"}));
        assert_eq!(added_value("TOOL", &[parameters, arguments.clone()], SPAN_INPUTS), json!({"q": "x"}));
        assert_eq!(added_value("TOOL", &[("input.value", json!("own")), arguments], SPAN_INPUTS), json!("own"));
    }
}
