//! Calls of tools and their results, tied together by ids.

use std::borrow::Cow;
use std::collections::VecDeque;

use super::message::{Message, ToolCall};
use super::role::Role;
use crate::json;
use crate::openinference::AttributeNode;

/// Reads the attributes below `tool_call`. Arguments that are not a string become JSON text.
pub(super) fn read<'a>(call: AttributeNode<'_, 'a>) -> ToolCall<'a> {
    let function = call.child("function");
    ToolCall::new(call.child("id").text(), function.child("name").text(), function.child("arguments").text())
}

/// Reads what a tool returned: `{"name": …, "content": …, "call_id": …}`. `None` for what is no such object.
pub(super) fn result<'a>(text: &str) -> Option<Message<'a>> {
    let [name, content, call_id] = json::fields(text, ["name", "content", "call_id"])
        .map(|value| value.map(|value| json::string(value).map_or_else(|| value.to_owned(), Cow::into_owned)));
    let mut message = Message::text(Role::Tool, content?);
    message.tool_call_id = call_id.map(Cow::Owned);
    message.name = name.map(Cow::Owned);
    Some(message)
}

/// How many open calls are searched for the one that a result answers. Models make a few at a time; the limit keeps a
/// malicious conversation from being slow.
const OPEN: usize = 1_000;

/// Gives each call without an id one, and each result without one that of the call it answers: the first that is open and
/// of the same name, else the first that is open. Gemini and the legacy function calls have no ids.
///
/// The ids are made of the call's place in the conversation: the same conversation has the same ids.
pub(super) fn link<'m, 'a: 'm>(messages: impl Iterator<Item = &'m mut Message<'a>>) {
    let mut open: VecDeque<(Cow<'a, str>, Cow<'a, str>)> = VecDeque::new();
    for (place, message) in messages.enumerate() {
        for (index, call) in message.tool_calls.iter_mut().enumerate() {
            if call.id.is_empty() {
                call.id = Cow::Owned(format!("call_{place}_{index}"));
            }
            open.push_back((call.id.clone(), call.function.name.clone()));
        }
        if message.role != Role::Tool {
            continue;
        }
        let mut lately = open.iter().take(OPEN);
        let id = message.tool_call_id.as_ref().filter(|id| !id.is_empty());
        let found = match (id, &message.name) {
            (Some(id), _) => lately.position(|(open, _)| open == id),
            (None, Some(name)) => lately.position(|(_, open)| open == name).or(Some(0)),
            (None, None) => Some(0),
        };
        if let Some((id, _)) = found.and_then(|place| open.remove(place)) {
            message.tool_call_id = Some(id);
        }
    }
}
