//! The shapes in which providers take the schema of a tool.

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

/// The tools in a schema of one shape; none when it is of another.
type Read = fn(&Map<String, Value>) -> Vec<Tool>;

/// In order: the first shape that fits. A new shape is one entry.
const SHAPES: [Read; 5] = [openai, bedrock, gemini, flat, hosted];

/// The keys that hold the parameters of a flat shape: OpenAI's Responses and legacy functions, Anthropic, MCP and the AI SDK, Gemini.
const PARAMETERS: [&str; 5] =
    ["parameters", "input_schema", "inputSchema", "parameters_json_schema", "parametersJsonSchema"];

/// The tools in a schema.
pub(super) fn read(schema: &Value) -> Vec<Tool> {
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
fn openai(schema: &Map<String, Value>) -> Vec<Tool> {
    schema.get("function").and_then(Value::as_object).map(flat).unwrap_or_default()
}

/// `{"toolSpec": {"name", "description", "inputSchema": {"json": {…}}}}`
fn bedrock(schema: &Map<String, Value>) -> Vec<Tool> {
    schema.get("toolSpec").and_then(Value::as_object).map(flat).unwrap_or_default()
}

/// `{"functionDeclarations": [{"name", …}, …]}`
fn gemini(schema: &Map<String, Value>) -> Vec<Tool> {
    let declared = schema.get("function_declarations").or_else(|| schema.get("functionDeclarations"));
    declared.and_then(Value::as_array).into_iter().flatten().flat_map(read).collect()
}

/// `{"name", "description"}`, and the parameters in one of [`PARAMETERS`].
fn flat(schema: &Map<String, Value>) -> Vec<Tool> {
    let Some(name) = schema.get("name").and_then(Value::as_str).filter(|name| !name.is_empty()) else {
        return Vec::new();
    };
    let parameters = PARAMETERS.iter().find_map(|key| schema.get(*key).filter(|value| value.is_object()));
    // Bedrock's and the AI SDK's are one level deeper.
    let deeper = |value: &Value| ["json", "jsonSchema"].iter().find_map(|key| value.get(key)).cloned();
    vec![Tool {
        name: name.to_owned(),
        description: schema.get("description").and_then(Value::as_str).map(str::to_owned),
        parameters: parameters.map(|value| deeper(value).unwrap_or_else(|| value.clone())),
    }]
}

/// A tool that the provider runs itself, known by its type (`{"type": "web_search"}`) or by its only key
/// (`{"google_search": {}}`).
fn hosted(schema: &Map<String, Value>) -> Vec<Tool> {
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
            let tools: Vec<_> = read(&schema).into_iter().map(Tool::into_json).collect();
            assert_eq!(tools, std::slice::from_ref(&said), "{schema}");
        }
    }

    #[test]
    fn one_declaration_of_several_functions_is_several_tools() {
        let schema = json!({"function_declarations": [{"name": "a"}, {"name": "b"}]});
        assert_eq!(read(&schema).into_iter().map(|tool| tool.name).collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn tools_that_the_provider_runs_are_known_by_their_type() {
        let name = |schema: Value| read(&schema).into_iter().map(|tool| tool.name).collect::<Vec<_>>();
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
