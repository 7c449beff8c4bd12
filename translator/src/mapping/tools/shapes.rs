//! The shapes in which providers take the schema of a tool.

use std::mem;

use serde_json::{Map, Value};

use super::parameters;

/// A tool, whatever shape it came in.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tool {
    pub(super) name: String,
    pub(super) description: Option<String>,
    /// The JSON schema of its parameters.
    pub(super) parameters: Option<Value>,
}

/// Moves the tools out of a schema of one shape. A schema of another shape has none and stays as it is.
type Read = fn(&mut Map<String, Value>) -> Vec<Tool>;

/// In order: the first shape that fits. A new shape is one entry.
const SHAPES: [Read; 5] = [openai, bedrock, gemini, flat, hosted];

/// The keys that hold the parameters of a flat shape: OpenAI's Responses and legacy functions, Anthropic, MCP and the AI SDK, Gemini.
const PARAMETERS: [&str; 5] =
    ["parameters", "input_schema", "inputSchema", "parameters_json_schema", "parametersJsonSchema"];

/// Moves the tools out of a schema. One without tools stays as it is.
pub(super) fn read(schema: &mut Value) -> Vec<Tool> {
    let Value::Object(schema) = schema else { return Vec::new() };
    SHAPES.iter().map(|read| read(schema)).find(|tools| !tools.is_empty()).unwrap_or_default()
}

impl Tool {
    /// The shape that MLflow reads.
    pub(super) fn into_json(self) -> Value {
        let mut function = Map::new();
        function.insert("name".to_owned(), self.name.into());
        if let Some(description) = self.description {
            function.insert("description".to_owned(), description.into());
        }
        if let Some(parameters) = self.parameters.and_then(parameters::drawable) {
            function.insert("parameters".to_owned(), parameters);
        }
        serde_json::json!({"type": "function", "function": function})
    }
}

/// `{"type": "function", "function": {…}}`
fn openai(schema: &mut Map<String, Value>) -> Vec<Tool> {
    schema.get_mut("function").and_then(Value::as_object_mut).map(flat).unwrap_or_default()
}

/// `{"toolSpec": {"name", "description", "inputSchema": {"json": {…}}}}`
fn bedrock(schema: &mut Map<String, Value>) -> Vec<Tool> {
    schema.get_mut("toolSpec").and_then(Value::as_object_mut).map(flat).unwrap_or_default()
}

/// `{"functionDeclarations": [{"name", …}, …]}`
fn gemini(schema: &mut Map<String, Value>) -> Vec<Tool> {
    let keys = ["function_declarations", "functionDeclarations"];
    let key = keys.into_iter().find(|key| schema.contains_key(*key));
    let declared = key.and_then(|key| schema.get_mut(key)).and_then(Value::as_array_mut);
    declared.into_iter().flatten().flat_map(read).collect()
}

/// `{"name", "description"}`, and the parameters in one of [`PARAMETERS`].
fn flat(schema: &mut Map<String, Value>) -> Vec<Tool> {
    let Some(name) = take_text(schema, "name").filter(|name| !name.is_empty()) else { return Vec::new() };
    let key = PARAMETERS.iter().find(|key| schema.get(**key).is_some_and(Value::is_object));
    let parameters = key.and_then(|key| schema.get_mut(*key)).map(|value| {
        // Bedrock's and the AI SDK's are one level deeper.
        let deeper = ["json", "jsonSchema"].into_iter().find(|key| value.get(key).is_some());
        deeper.and_then(|key| value.get_mut(key)).map(Value::take).unwrap_or_else(|| value.take())
    });
    vec![Tool { name, description: take_text(schema, "description"), parameters }]
}

fn take_text(schema: &mut Map<String, Value>, key: &str) -> Option<String> {
    match schema.get_mut(key) {
        Some(Value::String(text)) => Some(mem::take(text)),
        _ => None,
    }
}

/// A tool that the provider runs itself, known by its type (`{"type": "web_search"}`) or by its only key
/// (`{"google_search": {}}`).
fn hosted(schema: &mut Map<String, Value>) -> Vec<Tool> {
    let only = || schema.keys().next().filter(|_| schema.len() == 1).map(String::as_str);
    let kind = schema
        .get("type")
        .and_then(Value::as_str)
        .or_else(only)
        .filter(|kind| *kind != "function" && *kind != "object");
    kind.map(|kind| Tool { name: kind.to_owned(), description: None, parameters: None }).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn schemas_of_all_providers_become_the_same_tool() {
        let parameters = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
        let said = json!({"type": "function", "function": {"name": "f", "description": "d", "parameters": parameters}});
        for schema in [
            json!({"type": "function", "function": {"name": "f", "description": "d", "parameters": parameters, "strict": true}}),
            json!({"type": "function", "name": "f", "description": "d", "parameters": parameters, "strict": false}),
            json!({"name": "f", "description": "d", "parameters": parameters}),
            json!({"name": "f", "description": "d", "input_schema": parameters}),
            json!({"type": "function", "name": "f", "description": "d", "inputSchema": {"jsonSchema": parameters}}),
            json!({"toolSpec": {"name": "f", "description": "d", "inputSchema": {"json": parameters}}}),
            json!({"functionDeclarations": [{"name": "f", "description": "d", "parametersJsonSchema": parameters}]}),
        ] {
            let tools: Vec<_> = read(&mut schema.clone()).into_iter().map(Tool::into_json).collect();
            assert_eq!(tools, std::slice::from_ref(&said), "{schema}");
        }
    }

    #[test]
    fn one_declaration_of_several_functions_is_several_tools() {
        let mut schema = json!({"function_declarations": [{"name": "a"}, {"name": "b"}]});
        assert_eq!(read(&mut schema).into_iter().map(|tool| tool.name).collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn tools_that_the_provider_runs_are_known_by_their_type() {
        let name = |mut schema: Value| read(&mut schema).into_iter().map(|tool| tool.name).collect::<Vec<_>>();
        assert_eq!(name(json!({"type": "web_search", "filters": null})), ["web_search"]);
        assert_eq!(name(json!({"google_search": {}})), ["google_search"]);
        assert_eq!(name(json!({"type": "bash_20250124", "name": "bash"})), ["bash"]);
        for nothing in
            [json!({}), json!([]), json!("x"), json!({"type": "function"}), json!({"type": "object", "properties": {}})]
        {
            assert_eq!(name(nothing), Vec::<String>::new());
        }
    }
}
