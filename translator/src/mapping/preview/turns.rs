//! Conversations in the shapes that MLflow's derivation does not look into: a message by itself (Anthropic), a bare list, pairs
//! of speaker and words (LangGraph), LangChain's messages in both of their JSON forms, and answers that only call tools.

use std::borrow::Cow;

use super::Side;
use crate::mapping::chat::Role;
use crate::mlflow::json::{self, fields, items};

/// A message: who speaks, what is said, and the object in which calls of tools may be.
struct Turn<'a> {
    role: Role,
    content: &'a str,
    body: &'a str,
}

/// The words of the last message of a side that has any; for an answer without words, the calls that it makes.
pub(super) fn said(value: &str, side: Side) -> Option<String> {
    let role = match side {
        Side::Request => Role::User,
        Side::Answer => Role::Assistant,
    };
    let messages = messages(value);
    let turns: Vec<_> = messages.iter().filter_map(|message| turn(message)).collect();
    let last = turns.iter().rev().filter(|turn| turn.role == role);
    if let Some(words) = last.clone().find_map(|turn| words(turn.content)) {
        return Some(words.into_owned());
    }
    let bodies = last.take(1).map(|turn| turn.body);
    // Items of the Responses API have no speaker, nor have some streamed answers.
    let calls: Vec<_> = match side {
        Side::Request => Vec::new(),
        Side::Answer if turns.is_empty() => messages.iter().flat_map(|item| calls(item)).collect(),
        Side::Answer => bodies.flat_map(calls).collect(),
    };
    Some(calls.join(", ")).filter(|calls| !calls.is_empty())
}

/// What may be messages: JSON texts, in order.
fn messages(value: &str) -> Vec<&str> {
    if value.trim_start().starts_with('[') {
        // LangChain sends a list for each of several prompts.
        let lists = items(value).take_while(|item| item.starts_with('[') && turn(item).is_none()).count();
        return if lists > 0 { items(value).flat_map(items).collect() } else { items(value).collect() };
    }
    let [role, list, choices, input, output] = fields(value, ["role", "messages", "choices", "input", "output"]);
    if role.is_some() {
        return vec![value];
    }
    if let Some(choices) = choices {
        return items(choices).filter_map(|choice| fields(choice, ["message"])[0]).collect();
    }
    let list = [list, input, output].into_iter().flatten().find(|list| list.starts_with('['));
    list.map(messages).unwrap_or_default()
}

fn turn(message: &str) -> Option<Turn<'_>> {
    if message.starts_with('[') {
        let mut pair = items(message);
        let (role, content) = (json::string(pair.next()?)?, pair.next().filter(|words| words.starts_with('"'))?);
        return pair.next().is_none().then(|| Turn { role: Role::named(&role), content, body: content });
    }
    let [role, kind, id, data, kwargs] = fields(message, ["role", "type", "id", "data", "kwargs"]);
    let class = || id.and_then(|id| items(id).last()).and_then(json::string);
    let (role, body) = match (role.and_then(json::string), kind.and_then(json::string)) {
        (Some(role), _) => (Role::named(&role), message),
        (None, Some(kind)) if kind == "constructor" => (spoken_by(&class()?)?, kwargs?),
        (None, Some(kind)) => (spoken_by(&kind)?, data.unwrap_or(message)),
        (None, None) => return None,
    };
    Some(Turn { role, content: fields(body, ["content"])[0].unwrap_or_default(), body })
}

/// Who speaks in LangChain's `human`, `HumanMessage` and `AIMessageChunk`.
fn spoken_by(class: &str) -> Option<Role> {
    const CLASSES: [&str; 5] = ["human", "ai", "system", "tool", "function"];
    let name = class.strip_suffix("Chunk").unwrap_or(class);
    let name = name.strip_suffix("Message").unwrap_or(name);
    CLASSES.iter().any(|known| known.eq_ignore_ascii_case(name)).then(|| Role::named(name))
}

/// The first words of a content: a text, or a list of parts.
fn words(content: &str) -> Option<Cow<'_, str>> {
    let part = |part| match json::string(part) {
        Some(text) => Some(text),
        None => fields(part, ["text"])[0].and_then(json::string),
    };
    let mut texts = json::string(content).into_iter().chain(items(content).filter_map(part));
    texts.find(|text| !text.trim().is_empty())
}

/// The calls in a message: of Chat Completions, of LangChain, of Anthropic; or in an item of the Responses API.
fn calls(body: &str) -> Vec<String> {
    let [list, legacy, content, kind] = fields(body, ["tool_calls", "function_call", "content", "type"]);
    let is_item = kind.and_then(json::string).is_some_and(|kind| kind == "function_call");
    let blocks = items(content.unwrap_or_default()).chain(legacy).chain(is_item.then_some(body));
    items(list.unwrap_or_default()).chain(blocks).filter_map(call).collect()
}

fn call(call: &str) -> Option<String> {
    let body = fields(call, ["function"])[0].unwrap_or(call);
    let [name, arguments, args, input] = fields(body, ["name", "arguments", "args", "input"]);
    let given = arguments.or(args).or(input)?;
    let given = json::string(given).unwrap_or(Cow::Borrowed(given));
    Some(format!("{}({given})", json::string(name?)?))
}
