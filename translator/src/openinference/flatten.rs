//! Families that arrive unflattened: `llm.input_messages` as one JSON string or one OTLP array instead of
//! `llm.input_messages.0.message.role` and so on.
//!
//! [`flattened`] rewrites them as numbered attributes before the mapping reads the span, so every mapping rule works on both
//! forms. Items may have OpenInference's prefixes (`message.role`, or `message` as an object) or none (`role`), and may be JSON
//! strings themselves. Numbered attributes win: a family that has any is left alone.

use serde_json::{Map, Value as Json};

use crate::json;
use crate::otlp::write::Attributes;
use crate::otlp::{Span, Value};

type Object = Map<String, Json>;

#[derive(Clone, Copy)]
enum Item {
    Message,
    Tool,
    Document,
    Embedding,
}

const FAMILIES: [(&str, Item); 7] = [
    ("llm.input_messages", Item::Message),
    ("llm.output_messages", Item::Message),
    ("llm.tools", Item::Tool),
    ("retrieval.documents", Item::Document),
    ("reranker.input_documents", Item::Document),
    ("reranker.output_documents", Item::Document),
    ("embedding.embeddings", Item::Embedding),
];

/// The span with its unflattened families as numbered attributes; `None` if it has none.
pub fn flattened(span: &Span<'_>) -> Option<Vec<u8>> {
    let mut attributes = Attributes::default();
    for attribute in &span.attributes {
        let name = attribute.key.get();
        let Some((family, kind)) = FAMILIES.iter().find(|(family, _)| *family == name) else { continue };
        let is_numbered = |name: &str| name.strip_prefix(family).is_some_and(|rest| rest.starts_with('.'));
        if !span.attributes.iter().any(|other| is_numbered(other.key.get())) {
            let items = items(attribute.value);
            match kind {
                Item::Message => put_messages(&mut attributes, family, items),
                Item::Tool => put_each(&mut attributes, family, &items, put_tool),
                Item::Document => put_each(&mut attributes, family, &items, put_document),
                Item::Embedding => put_each(&mut attributes, family, &items, put_embedding),
            }
        }
    }
    let added = attributes.as_bytes();
    (!added.is_empty()).then(|| [span.raw, added].concat())
}

/// The items of a family: objects, or what they are instead.
fn items(value: Value<'_>) -> Vec<Json> {
    let list = match value {
        Value::String(text) => parsed(text.get()),
        Value::Array(_) | Value::KvList(_) => parsed(&json::value_text(value)),
        _ => None,
    };
    let items = match list {
        Some(Json::Array(items)) => items,
        Some(object @ Json::Object(_)) => vec![object],
        _ => Vec::new(),
    };
    items.into_iter().map(|item| item.as_str().and_then(parsed).unwrap_or(item)).collect()
}

/// A JSON object or array, also in the quotes that a repair may have put around it.
fn parsed(text: &str) -> Option<Json> {
    let unquoted = json::string(text);
    let text = unquoted.as_deref().unwrap_or(text);
    if !json::is_structured(text) {
        return None;
    }
    serde_json::from_str(&json::clean(text)).ok().filter(|value: &Json| value.is_object() || value.is_array())
}

fn put_each(attributes: &mut Attributes, family: &str, items: &[Json], put: fn(&mut Attributes, &str, &Json)) {
    for (index, item) in items.iter().enumerate() {
        put(attributes, &format!("{family}.{index}"), item);
    }
}

/// What an item holds below its prefix, with or without it.
fn body(item: &Json, prefix: &str) -> Object {
    let Some(object) = item.as_object() else { return Object::new() };
    if let Some(Json::Object(body)) = object.get(prefix) {
        return body.clone();
    }
    let strip = |key: &String| key.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('.')).map(str::to_owned);
    object.iter().map(|(key, value)| (strip(key).unwrap_or_else(|| key.clone()), value.clone())).collect()
}

fn put_messages(attributes: &mut Attributes, family: &str, items: Vec<Json>) {
    let bodies = items.iter().flat_map(|item| match item {
        Json::String(text) => vec![Object::from_iter([("content".to_owned(), text.as_str().into())])],
        item => with_results_apart(body(item, "message")),
    });
    for (index, body) in bodies.enumerate() {
        put_message(attributes, &format!("{family}.{index}.message"), &body);
    }
}

/// Anthropic sends tool results as parts of a user message: each becomes a message of its tool.
fn with_results_apart(mut message: Object) -> Vec<Object> {
    let is_result = |part: &Json| part.get("type").and_then(Json::as_str) == Some("tool_result");
    let Some(Json::Array(parts)) = message.get_mut("content") else { return vec![message] };
    let (results, others): (Vec<_>, Vec<_>) = std::mem::take(parts).into_iter().partition(is_result);
    let is_only_results = !results.is_empty() && others.is_empty();
    *parts = others;
    let mut messages: Vec<_> = results
        .iter()
        .map(|result| {
            let mut tool = Object::from_iter([("role".to_owned(), "tool".into())]);
            for (from, to) in [("tool_use_id", "tool_call_id"), ("content", "content")] {
                tool.extend(result.get(from).map(|value| (to.to_owned(), value.clone())));
            }
            tool
        })
        .collect();
    if !is_only_results {
        messages.push(message);
    }
    messages
}

fn put_message(attributes: &mut Attributes, name: &str, body: &Object) {
    let mut calls: Vec<Object> =
        list(body.get("tool_calls")).iter().map(|call| self::body(call, "tool_call")).collect();
    for key in ["content", "contents", "parts"] {
        match body.get(key) {
            Some(Json::Array(parts)) => put_parts(attributes, name, parts, &mut calls),
            Some(part @ Json::Object(_)) => put_parts(attributes, name, std::slice::from_ref(part), &mut calls),
            Some(text) => put(attributes, &format!("{name}.{key}"), text),
            None => {}
        }
    }
    for (key, value) in body {
        match key.as_str() {
            "content" | "contents" | "parts" => {}
            "tool_calls" if value.is_array() => {}
            "function_call" => {
                let part = |part: &str| value.get(part).cloned().unwrap_or_default();
                put(attributes, &format!("{name}.function_call_name"), &part("name"));
                put(attributes, &format!("{name}.function_call_arguments_json"), &part("arguments"));
            }
            _ => put(attributes, &format!("{name}.{key}"), value),
        }
    }
    for (index, call) in calls.iter().enumerate() {
        let name = format!("{name}.tool_calls.{index}.tool_call");
        let function = |names: &[&str]| {
            let inner = call.get("function").and_then(Json::as_object);
            let dotted = names.iter().find_map(|name| call.get(&format!("function.{name}")));
            let found = dotted.or_else(|| names.iter().find_map(|name| inner.unwrap_or(call).get(*name)));
            found.cloned().unwrap_or_default()
        };
        put(attributes, &format!("{name}.id"), call.get("id").unwrap_or(&Json::Null));
        put(attributes, &format!("{name}.function.name"), &function(&["name"]));
        put(attributes, &format!("{name}.function.arguments"), &function(&["arguments", "args", "input"]));
    }
}

fn put_parts(attributes: &mut Attributes, message: &str, parts: &[Json], calls: &mut Vec<Object>) {
    for (index, part) in parts.iter().enumerate() {
        let name = format!("{message}.contents.{index}.message_content");
        let content = body(part, "message_content");
        let text = |key: &str| content.get(key).and_then(Json::as_str);
        let mut put_part = |kind: &str, key: &str, value: &str| {
            attributes.put_str(&format!("{name}.type"), kind);
            attributes.put_str(&format!("{name}.{key}"), value);
        };
        match text("type") {
            Some("tool_use" | "tool_call" | "function_call") => calls.push(content),
            _ if is_openinference_part(part) => put_below(attributes, &name, &Json::Object(content)),
            Some("thinking" | "reasoning") => {
                let thought = text("thinking").or_else(|| text("text")).unwrap_or_default();
                put_part("reasoning", "text", thought);
            }
            _ if image(&content).is_some() => {
                put_part("image", "image.image.url", &image(&content).unwrap_or_default());
            }
            _ => match text("text").or_else(|| part.as_str()) {
                Some(text) => put_part("text", "text", text),
                None => put_part("text", "text", &part.to_string()),
            },
        }
    }
}

fn is_openinference_part(part: &Json) -> bool {
    part.as_object().is_some_and(|part| part.keys().any(|key| key.starts_with("message_content")))
}

/// The URL of an image in the shapes of OpenAI and Anthropic.
fn image(part: &Object) -> Option<String> {
    if let Some(url) = part.get("image_url") {
        return url.get("url").unwrap_or(url).as_str().map(str::to_owned);
    }
    let source = part.get("source")?;
    let text = |key: &str| source.get(key).and_then(Json::as_str);
    text("url").map(str::to_owned).or_else(|| Some(format!("data:{};base64,{}", text("media_type")?, text("data")?)))
}

fn put_tool(attributes: &mut Attributes, name: &str, item: &Json) {
    let name = format!("{name}.tool");
    if let Json::String(tool) = item {
        return attributes.put_str(&format!("{name}.name"), tool);
    }
    let body = body(item, "tool");
    if !body.contains_key("json_schema") {
        return attributes.put_str(&format!("{name}.json_schema"), &Json::Object(body).to_string());
    }
    for (key, value) in &body {
        put(attributes, &format!("{name}.{key}"), value);
    }
}

fn put_document(attributes: &mut Attributes, name: &str, item: &Json) {
    let name = format!("{name}.document");
    if let Json::String(text) = item {
        return attributes.put_str(&format!("{name}.content"), text);
    }
    for (key, value) in &body(item, "document") {
        let key = if matches!(key.as_str(), "page_content" | "text") { "content" } else { key };
        put(attributes, &format!("{name}.{key}"), value);
    }
}

fn put_embedding(attributes: &mut Attributes, name: &str, item: &Json) {
    let name = format!("{name}.embedding");
    if let Some(vector) =
        item.as_array().map(|_| item).or_else(|| item.get("embedding").filter(|vector| vector.is_array()))
    {
        put(attributes, &format!("{name}.vector"), vector);
    }
    for (key, value) in &body(item, "embedding") {
        put(attributes, &format!("{name}.{key}"), value);
    }
}

fn list(value: Option<&Json>) -> &[Json] {
    value.and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// A value under a name: objects and arrays as JSON text, as instrumentations write them; nothing for `null`.
fn put(attributes: &mut Attributes, name: &str, value: &Json) {
    match value {
        Json::Null => {}
        Json::String(text) => attributes.put_str(name, text),
        Json::Array(_) | Json::Object(_) => attributes.put_str(name, &value.to_string()),
        value => attributes.put_json(name, value),
    }
}

/// An object's values, each under its own name.
fn put_below(attributes: &mut Attributes, name: &str, value: &Json) {
    match value {
        Json::Object(entries) => {
            entries.iter().for_each(|(key, value)| put_below(attributes, &format!("{name}.{key}"), value));
        }
        value => put(attributes, name, value),
    }
}
