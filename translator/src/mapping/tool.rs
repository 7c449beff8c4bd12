//! What a tool was given, where its span carries no value: `tool.parameters`.

use super::added_attributes::AttributeBuilder;
use super::io;
use super::span_view::SpanView;
use crate::mlflow::json;
use crate::mlflow::keys::SPAN_INPUTS;
use crate::openinference::{Family, Key};

/// Adds a tool's inputs.
pub(super) fn add<'s, 'a>(view: &SpanView<'s, 'a>, added: &mut AttributeBuilder<'_, 's, 'a>) {
    if view.families().contains(Family::Tool)
        && view.get(Key::InputValue).and_then(io::mapped).is_none()
        && let Some(parameters) = view.get(Key::ToolParameters).and_then(io::mapped)
        && !is_schema(&parameters.as_text())
    {
        added.add(SPAN_INPUTS, parameters);
    }
}

/// Whether parameters are not given but described, as a JSON schema.
fn is_schema(parameters: &str) -> bool {
    let [kind, properties] = json::fields(parameters, ["type", "properties"]);
    kind == Some("\"object\"") && properties.is_some_and(|properties| properties.starts_with('{'))
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
