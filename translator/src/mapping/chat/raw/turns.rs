//! Finds the messages of a raw value and their roles: requests and responses of every provider, LangChain's messages in
//! both of their JSON forms, pairs of speaker and words (LangGraph), OpenTelemetry's GenAI messages, items of the Responses
//! API. [`blocks`] reads their content.

use super::blocks;
use crate::json::JsonValue;
use crate::mapping::chat::message::Message;
use crate::mapping::chat::role::Role;

/// How deep messages are looked for. LangChain's answers have theirs in a list of lists in an object.
const DEPTH: usize = 6;

/// Keys that hold messages or lead to them, in the order in which they are asked: the first that has any.
const PLACES: [&str; 10] =
    ["messages", "choices", "generations", "candidates", "contents", "message", "content", "output", "input", "kwargs"];

/// Items of the Responses API, and of the Agents SDK for JavaScript, that have no role.
const ITEMS: [(&str, Role); 4] = [
    ("function_call", Role::Assistant),
    ("reasoning", Role::Assistant),
    ("function_call_output", Role::Tool),
    ("function_call_result", Role::Tool),
];

/// A message: its role, its content, and the object in which tool calls may be.
struct Turn<'a> {
    role: Role,
    content: Option<JsonValue<'a>>,
    body: Option<JsonValue<'a>>,
    is_langchains: bool,
}

/// The messages of a value that is JSON; `role` is the default role.
pub(in crate::mapping) fn messages(value: JsonValue<'_>, role: Role) -> Vec<Message<'_>> {
    let mut out = Vec::new();
    find(value, role, DEPTH, &mut out);
    out
}

/// The messages that one value of LangChain's is: one, unless it holds what tools found.
pub(in crate::mapping) fn langchain_messages(value: JsonValue<'_>) -> Vec<Message<'_>> {
    let mut out = Vec::new();
    if value.is_object()
        && let Some(turn) = turn(value, Role::User).filter(|turn| turn.is_langchains)
    {
        blocks::read_message(turn.role, turn.content, turn.body, &mut out);
    }
    out
}

/// The messages that a Python object is which has a speaker and something to say.
pub(in crate::mapping) fn object_messages(value: JsonValue<'_>) -> Vec<Message<'_>> {
    let mut out = Vec::new();
    let [role, source, content, blocks, calls] = value.fields(["role", "source", "content", "blocks", "tool_calls"]);
    let is_known = |role: JsonValue<'_>| role.string().is_some_and(|role| Role::known(&role).is_some());
    if (role.is_some_and(is_known) || source.is_some())
        && content.or(blocks).or(calls).is_some()
        && let Some(turn) = turn(value, Role::User)
    {
        blocks::read_message(turn.role, turn.content, turn.body, &mut out);
    }
    out
}

fn find<'a>(value: JsonValue<'a>, role: Role, depth: usize, out: &mut Vec<Message<'a>>) {
    if !value.is_object() && !value.is_array() {
        return;
    }
    if let Some(turn) = turn(value, role) {
        return blocks::read_message(turn.role, turn.content, turn.body, out);
    }
    let Some(depth) = depth.checked_sub(1) else { return };
    value.items().for_each(|item| find(item, role, depth, out));
    let found = out.len();
    for place in value.fields(PLACES).into_iter().flatten().filter(|place| place.is_object() || place.is_array()) {
        find(place, role, depth, out);
        if out.len() > found {
            break;
        }
    }
}

fn turn(message: JsonValue<'_>, default: Role) -> Option<Turn<'_>> {
    if message.is_array() {
        let mut pair = message.items();
        let (role, content) = (pair.next()?.string()?, pair.next().filter(|words| words.is_string())?);
        return pair.next().is_none().then_some(Turn {
            role: Role::known(&role)?,
            content: Some(content),
            body: None,
            is_langchains: false,
        });
    }
    let [role, kind, id, data, kwargs, content, parts, calls, blocks, source, text, camel_calls] = message.fields([
        "role",
        "type",
        "id",
        "data",
        "kwargs",
        "content",
        "parts",
        "tool_calls",
        "blocks",
        "source",
        "text",
        "toolCalls",
    ]);
    let class = || id.and_then(|id| id.items().last()).and_then(JsonValue::string);
    let (role, body, is_langchains) = match (role.and_then(JsonValue::string), kind.and_then(JsonValue::string)) {
        (Some(role), _) => (Role::named(&role), message, false),
        // AutoGen has the name of an agent in place of the role.
        (None, Some(kind)) if kind.ends_with("Message") && source.is_some_and(JsonValue::is_string) => {
            let speaker = source.and_then(JsonValue::string).unwrap_or_default();
            (Role::known(&speaker).unwrap_or(Role::Assistant), message, false)
        }
        (None, Some(kind)) if kind == "constructor" => (role_of_class(&class()?)?, kwargs?, true),
        (None, Some(kind)) => match ITEMS.iter().find(|(item, _)| *item == kind) {
            Some((_, role)) => {
                return Some(Turn { role: *role, content: Some(message), body: None, is_langchains: false });
            }
            None => (role_of_class(&kind)?, data.or(content.map(|_| message))?, true),
        },
        (None, None) => {
            parts.or(calls).or(camel_calls).filter(|list| list.is_array())?;
            (default, message, false)
        }
    };
    // The result of a call through the AI SDK has its words beside its calls.
    let words = camel_calls.and(text);
    let content = if body.is(message) { content.or(parts).or(blocks).or(words) } else { body.field("content") };
    Some(Turn { role, content, body: Some(body), is_langchains })
}

/// The role of LangChain's `human`, `HumanMessage` and `AIMessageChunk`.
fn role_of_class(class: &str) -> Option<Role> {
    const CLASSES: [&str; 5] = ["human", "ai", "system", "tool", "function"];
    let name = class.strip_suffix("Chunk").unwrap_or(class);
    let name = name.strip_suffix("Message").unwrap_or(name);
    CLASSES.iter().any(|known| known.eq_ignore_ascii_case(name)).then(|| Role::named(name))
}
