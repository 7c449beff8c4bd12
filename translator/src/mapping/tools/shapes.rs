//! The shapes in which providers take the schema of a tool.

use std::borrow::Cow;

use super::parameters;
use crate::json::{JsonValue, put_quoted};

/// A tool, whatever shape it came in.
#[derive(Clone)]
pub(super) struct Tool<'v> {
    pub(super) name: Cow<'v, str>,
    pub(super) description: Option<Cow<'v, str>>,
    /// The JSON schema of its parameters.
    pub(super) parameters: Option<JsonValue<'v>>,
}

/// The tools of a schema of one shape; none of a schema of another shape.
type Read = for<'v> fn(JsonValue<'v>) -> Vec<Tool<'v>>;

/// In order: the first shape that fits. A new shape is one entry.
const SHAPES: [Read; 5] = [openai, bedrock, gemini, flat, hosted];

/// The tools of a schema.
pub(super) fn read(schema: JsonValue<'_>) -> Vec<Tool<'_>> {
    SHAPES.iter().map(|read| read(schema)).find(|tools| !tools.is_empty()).unwrap_or_default()
}

impl Tool<'_> {
    /// Appends the shape that MLflow reads.
    pub(super) fn put(&self, out: &mut String) {
        out.push_str(r#"{"type":"function","function":{"name":"#);
        put_quoted(out, &self.name);
        if let Some(description) = &self.description {
            out.push_str(r#","description":"#);
            put_quoted(out, description);
        }
        if let Some(schema) = self.parameters.filter(|schema| schema.is_object()) {
            out.push_str(r#","parameters":"#);
            parameters::put_drawable(out, schema);
        }
        out.push_str("}}");
    }
}

/// `{"type": "function", "function": {…}}`
fn openai(schema: JsonValue<'_>) -> Vec<Tool<'_>> {
    schema.field("function").map(flat).unwrap_or_default()
}

/// `{"toolSpec": {"name", "description", "inputSchema": {"json": {…}}}}`
fn bedrock(schema: JsonValue<'_>) -> Vec<Tool<'_>> {
    schema.field("toolSpec").map(flat).unwrap_or_default()
}

/// `{"functionDeclarations": [{"name", …}, …]}`
fn gemini(schema: JsonValue<'_>) -> Vec<Tool<'_>> {
    let [snake, camel] = schema.fields(["function_declarations", "functionDeclarations"]);
    snake.or(camel).into_iter().flat_map(JsonValue::items).flat_map(read).collect()
}

/// `{"name", "description"}`, and the parameters as OpenAI's Responses and legacy functions, Anthropic, MCP and the AI SDK, and
/// Gemini name them.
fn flat(schema: JsonValue<'_>) -> Vec<Tool<'_>> {
    let [name, description, parameters @ ..] = schema.fields([
        "name",
        "description",
        "parameters",
        "input_schema",
        "inputSchema",
        "parameters_json_schema",
        "parametersJsonSchema",
    ]);
    let Some(name) = name.and_then(JsonValue::string).filter(|name| !name.is_empty()) else { return Vec::new() };
    let parameters = parameters.into_iter().flatten().find(|value| value.is_object()).map(|value| {
        // Bedrock's and the AI SDK's are one level deeper.
        let [json, schema] = value.fields(["json", "jsonSchema"]);
        json.or(schema).unwrap_or(value)
    });
    vec![Tool { name, description: description.and_then(JsonValue::string), parameters }]
}

/// A tool that the provider runs itself, known by its type (`{"type": "web_search"}`) or by its only key
/// (`{"google_search": {}}`).
fn hosted(schema: JsonValue<'_>) -> Vec<Tool<'_>> {
    let only = || {
        let mut entries = schema.entries();
        let (key, _) = entries.next()?;
        entries.next().is_none().then(|| key.string()).flatten()
    };
    let kind = schema
        .field("type")
        .and_then(JsonValue::string)
        .or_else(only)
        .filter(|kind| *kind != "function" && *kind != "object");
    kind.map(|name| Tool { name, description: None, parameters: None }).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::json::JsonDocument;

    fn tools(schema: &Value) -> Vec<Value> {
        let text = schema.to_string();
        let Some(document) = JsonDocument::read(&text) else { return Vec::new() };
        let written = read(document.root()).into_iter().map(|tool| {
            let mut out = String::new();
            tool.put(&mut out);
            serde_json::from_str(&out).expect("JSON")
        });
        written.collect()
    }

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
            assert_eq!(tools(&schema), std::slice::from_ref(&said), "{schema}");
        }
    }

    fn names(schema: &Value) -> Vec<Value> {
        tools(schema).into_iter().map(|tool| tool["function"]["name"].clone()).collect()
    }

    #[test]
    fn one_declaration_of_several_functions_is_several_tools() {
        assert_eq!(names(&json!({"function_declarations": [{"name": "a"}, {"name": "b"}]})), ["a", "b"]);
    }

    #[test]
    fn tools_that_the_provider_runs_are_known_by_their_type() {
        assert_eq!(names(&json!({"type": "web_search", "filters": null})), ["web_search"]);
        assert_eq!(names(&json!({"google_search": {}})), ["google_search"]);
        assert_eq!(names(&json!({"type": "bash_20250124", "name": "bash"})), ["bash"]);
        for nothing in
            [json!({}), json!([]), json!("x"), json!({"type": "function"}), json!({"type": "object", "properties": {}})]
        {
            assert!(names(&nothing).is_empty(), "{nothing}");
        }
    }
}
