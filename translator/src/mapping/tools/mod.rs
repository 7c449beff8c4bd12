//! The tools that a model was offered.
//!
//! MLflow's UI and its evaluation read one shape, OpenAI's: `{"type": "function", "function": {"name", "description",
//! "parameters"}}`. Schemas of other shapes are converted to it; see [`shapes`].

mod parameters;
mod shapes;

use std::borrow::Cow;

use super::attribute_builder::AttributeBuilder;
use super::span_view::SpanView;
use crate::json::{self, JsonDocument, JsonValue};
use crate::mlflow::keys::CHAT_TOOLS;
use crate::openinference::{AttributeNode, AttributeTree, Key};
use shapes::Tool;

/// Other attributes that list tools, in order, with the keys that hold the list; no key: the attribute is the list.
const PLACES: [(Key, [&str; 2]); 3] = [
    (Key::InvocationParameters, ["tools", "functions"]),
    (Key::GenAiToolDefinitions, ["", ""]),
    (Key::InputValue, ["tools", "functions"]),
];

/// The key of a Python function's further arguments, where its instrumentation recorded them by the names in its signature.
const COLLECTED: &str = "kwargs";

/// Adds the tools below `llm.tools`, else OpenLLMetry's below `llm.request.functions`, those among the parameters of the call,
/// those of another convention, and on a call to a model those of the raw request.
pub(super) fn add(
    llm: &AttributeTree<'_, '_>,
    is_model: bool,
    view: &SpanView<'_, '_>,
    added: &mut AttributeBuilder<'_, '_, '_>,
) {
    if !added.lacks(CHAT_TOOLS) {
        return;
    }
    let family = llm.family("tools");
    let mut list = ToolList::default();
    for item in family.items() {
        list.put_one(item.child("tool"));
    }
    if list.is_empty() {
        llm.family("request").child("functions").items().for_each(|tool| list.put_one(tool));
    }
    if list.is_empty()
        && let Some(text) = family.text()
    {
        list.put_text(&text);
    }
    for (key, names) in PLACES {
        if list.is_empty() && (is_model || key != Key::InputValue) {
            list.put_beside(view, key, names);
        }
    }
    if let Some(tools) = list.finish() {
        added.add_text(CHAT_TOOLS, tools);
    }
}

/// A JSON array of tools while it is written.
#[derive(Default)]
struct ToolList(String);

impl ToolList {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn put(&mut self, tool: &Tool<'_>) {
        self.0.push(if self.is_empty() { '[' } else { ',' });
        tool.put(&mut self.0);
    }

    /// The tools of one entry: a schema of some providers declares several. Attributes beside the schema fill its gaps.
    fn put_one(&mut self, tool: AttributeNode<'_, '_>) {
        let text = |name: &str| tool.child(name).text().filter(|text| !text.is_empty());
        let [schema, parameters] = ["json_schema", "parameters"].map(text);
        let schema = schema.as_deref().and_then(JsonDocument::read);
        let parameters = parameters.as_deref().and_then(JsonDocument::read);
        let mut tools = schema.as_ref().map(|schema| shapes::read(schema.root())).unwrap_or_default();
        if tools.is_empty()
            && let Some(name) = text("name")
        {
            let parameters = parameters.as_ref().or(schema.as_ref()).map(JsonDocument::root);
            tools.push(Tool { name, description: None, parameters });
        }
        if let [tool] = tools.as_mut_slice()
            && tool.description.is_none()
        {
            tool.description = text("description");
        }
        tools.iter().for_each(|tool| self.put(tool));
    }

    /// The tools of a text that is a list of schemas, or one.
    fn put_text(&mut self, text: &str) {
        if let Some(document) = JsonDocument::read(text) {
            self.put_schemas(document.root());
        }
    }

    /// The tools of a list of schemas, each of which may be text in turn, or of one schema.
    fn put_schemas(&mut self, list: JsonValue<'_>) {
        if !list.is_array() {
            return self.put_schema(list);
        }
        list.items().for_each(|schema| self.put_schema(schema));
    }

    fn put_schema(&mut self, schema: JsonValue<'_>) {
        let nested = schema.string();
        let nested = nested.as_deref().and_then(JsonDocument::read);
        let schema = nested.as_ref().map_or(schema, JsonDocument::root);
        shapes::read(schema).iter().for_each(|tool| self.put(tool));
    }

    /// The tools in an attribute: under one of the names, or the whole of it.
    fn put_beside(&mut self, view: &SpanView<'_, '_>, key: Key, names: [&str; 2]) {
        if !names[0].is_empty()
            && let Some(object) = view.json(key).filter(|value| value.is_object())
        {
            return self.put_first(object, names);
        }
        let Some(value) = view.get(key).and_then(json::plain_text) else { return };
        if names[0].is_empty() {
            return self.put_text(&value);
        }
        // Most requests offer none; only those that may are read.
        if names.iter().any(|name| value.contains(name))
            && let Some(document) = JsonDocument::read(&value)
        {
            self.put_first(document.root(), names);
        }
    }

    /// The tools under the first of the names that has some, in the object or among the arguments that Python collected in it.
    fn put_first(&mut self, object: JsonValue<'_>, names: [&str; 2]) {
        for object in [Some(object), object.field(COLLECTED)].into_iter().flatten() {
            for list in object.fields(names).into_iter().flatten() {
                if self.is_empty() {
                    self.put_schemas(list);
                }
            }
        }
    }

    /// The array, unless it is empty, without what MLflow or a browser cannot hold.
    fn finish(mut self) -> Option<String> {
        if self.is_empty() {
            return None;
        }
        self.0.push(']');
        Some(match json::clean(&self.0) {
            Cow::Owned(cleaned) => cleaned,
            Cow::Borrowed(_) => self.0,
        })
    }
}
