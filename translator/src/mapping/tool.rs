//! What a tool was given, where its span carries no value: `tool.parameters`.

use super::added_attributes::AttributeBuilder;
use super::span_view::SpanView;
use crate::mlflow::json::JsonValue;
use crate::mlflow::keys::SPAN_INPUTS;
use crate::openinference::{Family, Key};

/// Adds a tool's inputs.
pub(super) fn add<'s, 'a>(view: &SpanView<'s, 'a>, added: &mut AttributeBuilder<'_, 's, 'a>) {
    if view.families().contains(Family::Tool)
        && view.value(Key::InputValue).is_none()
        && let Some(parameters) = view.value(Key::ToolParameters)
        && !parameters.json().is_some_and(is_schema)
    {
        added.add(SPAN_INPUTS, parameters.mapped().clone());
    }
}

/// Whether parameters are not given but described, as a JSON schema.
fn is_schema(parameters: JsonValue<'_>) -> bool {
    let [kind, properties] = parameters.fields(["type", "properties"]);
    kind.is_some_and(|kind| kind.is_one_of(&["object"])) && properties.is_some_and(JsonValue::is_object)
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
    fn the_schema_of_parameters_was_not_given() {
        let schema = ("tool.parameters", json!(r#"{"type": "object", "properties": {}}"#));
        assert_eq!(added_value("TOOL", &[schema], SPAN_INPUTS), serde_json::Value::Null);
    }
}
