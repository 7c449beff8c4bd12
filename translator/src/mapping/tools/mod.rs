//! The tools that a model was offered.
//!
//! MLflow's UI and its evaluation read one shape, OpenAI's: `{"type": "function", "function": {"name", "description",
//! "parameters"}}`. Schemas of other shapes are converted to it; see [`shapes`].

mod parameters;
mod shapes;

use std::borrow::Cow;

use serde_json::Value;

use super::attribute_builder::AttributeBuilder;
use super::span_view::SpanView;
use crate::json;
use crate::mlflow::keys::CHAT_TOOLS;
use crate::openinference::{AttributeNode, AttributeTree, Key};
use shapes::Tool;

/// Other attributes that list tools, in order, with the keys that hold the list; no key: the attribute is the list.
const PLACES: [(Key, [&str; 2]); 3] = [
    (Key::InvocationParameters, ["tools", "functions"]),
    (Key::GenAiToolDefinitions, ["", ""]),
    (Key::InputValue, ["tools", "functions"]),
];

/// Adds the tools below `llm.tools`, else those among the parameters of the call, those of another convention, and on a call
/// to a model those of the raw request.
pub(super) fn add(
    llm: &AttributeTree<'_>,
    is_model: bool,
    view: &SpanView<'_, '_>,
    added: &mut AttributeBuilder<'_, '_, '_>,
) {
    if !added.lacks(CHAT_TOOLS) {
        return;
    }
    let family = llm.family("tools");
    let mut tools: Vec<Tool> = family.items().flat_map(|item| one(item.child("tool"))).collect();
    if tools.is_empty() {
        tools = family.text().as_deref().map(several).unwrap_or_default();
    }
    if tools.is_empty() {
        let elsewhere = PLACES.iter().filter(|(key, _)| is_model || *key != Key::InputValue);
        tools = elsewhere
            .map(|(key, names)| beside(view, *key, *names))
            .find(|tools| !tools.is_empty())
            .unwrap_or_default();
    }
    if !tools.is_empty() {
        let tools = Value::from_iter(tools.into_iter().map(Tool::into_json)).to_string();
        added.add_text(CHAT_TOOLS, json::clean(&tools).into_owned());
    }
}

/// The tools in an attribute: under one of the names, or the whole of it.
fn beside(view: &SpanView<'_, '_>, key: Key, names: [&str; 2]) -> Vec<Tool> {
    if !names[0].is_empty()
        && let Some(object) = view.json(key).filter(|value| value.is_object())
    {
        let lists = object.fields(names).into_iter().flatten();
        return lists.map(|list| several(list.text())).find(|tools| !tools.is_empty()).unwrap_or_default();
    }
    let Some(value) = view.get(key).and_then(json::plain_text) else { return Vec::new() };
    if names[0].is_empty() {
        return several(&value);
    }
    // Most requests offer none; only those that may are read.
    if !names.iter().any(|name| value.contains(name)) {
        return Vec::new();
    }
    json::fields(&value, names).into_iter().flatten().map(several).find(|tools| !tools.is_empty()).unwrap_or_default()
}

/// The tools of one entry: a schema of some providers declares several. Attributes beside the schema fill its gaps.
fn one(tool: AttributeNode<'_, '_>) -> Vec<Tool> {
    let mut schema = tool.child("json_schema").text().as_deref().and_then(parsed);
    let mut tools = schema.as_mut().map(shapes::read).unwrap_or_default();
    let beside = |name: &str| tool.child(name).text().filter(|text| !text.is_empty()).map(Cow::into_owned);
    if tools.is_empty()
        && let Some(name) = beside("name")
    {
        let parameters = tool.child("parameters").text().as_deref().and_then(parsed).or(schema);
        tools.push(Tool { name, description: None, parameters });
    }
    if let [tool] = tools.as_mut_slice()
        && tool.description.is_none()
    {
        tool.description = beside("description");
    }
    tools
}

/// The tools of a list of schemas, each of which may be text in turn.
fn several(list: &str) -> Vec<Tool> {
    let schemas = match parsed(list) {
        Some(Value::Array(schemas)) => schemas,
        Some(schema) => vec![schema],
        None => return Vec::new(),
    };
    let schema = |schema: Value| match schema {
        Value::String(text) => parsed(&text),
        schema => Some(schema),
    };
    schemas.into_iter().filter_map(schema).flat_map(|mut schema| shapes::read(&mut schema)).collect()
}

fn parsed(text: &str) -> Option<Value> {
    if json::is_structured(text) { serde_json::from_str(&json::clean(text)).ok() } else { None }
}
