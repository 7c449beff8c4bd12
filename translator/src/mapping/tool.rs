//! What a tool was given, where its span carries no value: `tool.parameters`.

use super::facts::Facts;
use super::gains::Gains;
use super::io;
use crate::mlflow::json;
use crate::mlflow::keys::SPAN_INPUTS;
use crate::openinference::{Family, Key};

/// Adds a tool's inputs.
pub(super) fn add<'s, 'a>(facts: &Facts<'s, 'a>, gains: &mut Gains<'_, 's, 'a>) {
    if facts.families().contains(Family::Tool)
        && facts.get(Key::InputValue).and_then(io::mapped).is_none()
        && let Some(parameters) = facts.get(Key::ToolParameters).and_then(io::mapped)
        && !is_schema(&parameters.as_text())
    {
        gains.add(SPAN_INPUTS, parameters);
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
    use crate::mapping::told::told;

    #[test]
    fn a_tool_without_a_value_was_given_its_parameters() {
        let parameters = ("tool.parameters", json!(r#"{"city": "Lisbon"}"#));
        assert_eq!(told("TOOL", std::slice::from_ref(&parameters), SPAN_INPUTS), json!({"city": "Lisbon"}));
        assert_eq!(told("TOOL", &[("input.value", json!("own")), parameters], SPAN_INPUTS), json!("own"));
    }

    #[test]
    fn the_schema_of_parameters_was_not_given() {
        let schema = ("tool.parameters", json!(r#"{"type": "object", "properties": {}}"#));
        assert_eq!(told("TOOL", &[schema], SPAN_INPUTS), serde_json::Value::Null);
    }
}
