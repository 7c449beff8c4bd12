//! Conversations in the shapes that MLflow's derivation does not look into, and answers that only call tools.

use super::Side;
use crate::json::JsonValue;
use crate::mapping::chat::{self, Message, Role};

/// The words of the last message of a side that has any; for an answer without words, the calls that it makes.
pub(super) fn said(value: JsonValue<'_>, side: Side) -> Option<String> {
    let role = match side {
        Side::Request => Role::User,
        Side::Response => Role::Assistant,
    };
    let messages = chat::messages(value, role);
    let mut of_role = messages.iter().rev().filter(|message| message.role == role);
    if let Some(words) = of_role.find_map(Message::first_text) {
        return Some(words.to_owned());
    }
    if side == Side::Request {
        return None;
    }
    // Each of several calls may be an item of its own.
    let last = messages.iter().rposition(|message| message.role != role).map_or(0, |place| place + 1);
    let calls = messages.get(last..).unwrap_or_default().iter().flat_map(|message| &message.tool_calls);
    let calls: Vec<_> = calls.map(|call| format!("{}({})", call.function.name, call.function.arguments)).collect();
    Some(calls.join(", ")).filter(|calls| !calls.is_empty())
}

/// The words of the messages below the keys of an object, whatever their names.
pub(super) fn said_within(value: JsonValue<'_>, side: Side, depth: usize) -> Option<String> {
    let inner = depth.checked_sub(1)?;
    value.entries().find_map(|(_, value)| said(value, side).or_else(|| said_within(value, side, inner)))
}
