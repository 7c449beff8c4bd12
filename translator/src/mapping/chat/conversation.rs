//! Messages from `llm.input_messages`, `llm.output_messages`, and from the prompts and choices of completions.

use std::borrow::Cow;

use super::calls;
use super::media::REDACTED;
use super::message::{Message, Part, ToolCall};
use super::parts::Parts;
use super::raw_recovery;
use super::role::Role;
use crate::json;
use crate::openinference::{AttributeNode, AttributeTree};
use crate::otlp::Value;

/// The messages sent to a model and those it returned.
#[derive(Debug, Default)]
pub(super) struct Conversation<'a> {
    pub(super) asked: Vec<Message<'a>>,
    pub(super) answered: Vec<Message<'a>>,
}

impl<'a> Conversation<'a> {
    /// Reads the attributes below `llm.`; `function_call` is the legacy attribute of that name. Of the messages in the raw
    /// request and answer it takes those that say [more](raw_recovery).
    pub(super) fn read(llm: &AttributeTree<'_, 'a>, function_call: Option<&str>, raw: [Vec<Message<'a>>; 2]) -> Self {
        let messages = |family: &str, role| llm.family(family).items().flat_map(|item| messages(item, role)).collect();
        let (mut asked, mut answered): (Vec<_>, Vec<_>) =
            (messages("input_messages", Role::User), messages("output_messages", Role::Assistant));
        if asked.is_empty() {
            asked = texts(llm.family("prompts"), &["prompt", "text"], Role::User);
        }
        if answered.is_empty() {
            answered = texts(llm.family("choices"), &["completion", "text"], Role::Assistant);
        }
        if let Some(call) = function_call.and_then(legacy_call)
            && !answered.iter().any(|message| !message.tool_calls.is_empty())
        {
            match answered.first_mut() {
                Some(message) => message.tool_calls.push(call),
                None => answered.push(Message { tool_calls: vec![call], ..Message::empty(Role::Assistant) }),
            }
        }
        let [raw_asked, mut raw_answered] = raw;
        // The state of a graph is not a response, and agents repeat tool results among their responses.
        if raw_answered.iter().any(|message| matches!(message.role, Role::User | Role::System)) {
            raw_answered.clear();
        }
        raw_answered.retain(|message| message.role != Role::Tool);
        (asked, answered) = (raw_recovery::recover(asked, raw_asked), raw_recovery::recover(answered, raw_answered));
        remove_empty(&mut asked);
        calls::link(asked.iter_mut().chain(&mut answered));
        Self { asked, answered }
    }

    /// Inserts the system message first, where there are messages but no system message.
    pub(super) fn add_system(&mut self, system: impl FnOnce() -> Option<String>) {
        // Where messages are redacted, the separate system message is not shown either.
        let is_hidden = |message: &Message<'_>| message.first_text() == Some(REDACTED);
        let is_told = self.asked.iter().any(|message| message.role == Role::System || is_hidden(message));
        if !self.asked.is_empty()
            && !is_told
            && let Some(text) = system()
        {
            self.asked.insert(0, Message::text(Role::System, text));
        }
    }

    /// Whether both sides have content, so that nothing of a raw pair is lost when the conversation is rebuilt.
    pub(super) fn covers_both_sides(&self) -> bool {
        let speaks = |message: &Message<'_>| message.role != Role::System && !message.has_no_content();
        self.asked.iter().any(speaks) && self.answered.iter().any(speaks)
    }

    /// Whether the model said something.
    pub(super) fn answers(&self) -> bool {
        self.answered.iter().any(|message| !message.has_no_content())
    }

    /// Whether the request repeats what the model called before.
    pub(super) fn repeats_calls(&self) -> bool {
        self.asked.iter().any(|message| !message.tool_calls.is_empty())
    }

    /// Whether no model call had a request or an answer.
    pub(super) fn is_empty(&self) -> bool {
        self.asked.is_empty() && self.answered.is_empty()
    }
}

/// A message, or the results of tools that AutoGen has beside one that is empty.
fn messages<'a>(item: AttributeNode<'_, 'a>, default: Role) -> impl Iterator<Item = Message<'a>> {
    let results: Vec<_> = item.child("function").items().filter_map(|result| calls::result(&result.text()?)).collect();
    let message = message(item, default);
    let is_told = results.is_empty() || !message.has_no_content();
    is_told.then_some(message).into_iter().chain(results)
}

fn message<'a>(item: AttributeNode<'_, 'a>, default: Role) -> Message<'a> {
    let node = item.child("message");
    // BeeAI has the id in a part of the content.
    let in_part = || node.child("contents").items().find_map(|part| part.at(&["message", "tool_call_id"]).text());
    let answers = node.child("tool_call_id").text().or_else(in_part).filter(|id| !id.is_empty());
    let role = match node.child("role").text().filter(|role| !role.is_empty()).map(|role| Role::named(&role)) {
        // Bedrock sends tool results in user messages.
        None | Some(Role::User) if answers.is_some() => Role::Tool,
        Some(role) => role,
        None => default,
    };
    let content = node.child("content");
    let mut message = match content.text() {
        Some(text) => Message::text(role, text),
        // Of several texts, the instrumentation of Claude's Agent SDK makes several attributes.
        None => Message {
            content: content.items().filter_map(|item| item.text()).map(Part::text).collect::<Vec<_>>().into(),
            ..Message::empty(role)
        },
    };
    message.tool_calls = node.child("tool_calls").items().map(|item| calls::read(item.child("tool_call"))).collect();
    if let Some(name) = node.child("function_call_name").text() {
        message.tool_calls.push(ToolCall::new(None, Some(name), node.child("function_call_arguments_json").text()));
    }
    message.tool_call_id = answers.filter(|_| role == Role::Tool);
    message.name = node.child("name").text().filter(|name| !name.is_empty());
    let mut parts = Parts::default();
    for item in node.child("contents").items() {
        parts.read(&item);
    }
    parts.put(&mut message);
    message
}

/// Removes messages without content, unless all are. Some instrumentations record a role without content, which the UI
/// would draw as an empty bubble. A tool result stays: it shows that the tool returned.
fn remove_empty(messages: &mut Vec<Message<'_>>) {
    if messages.iter().any(|message| !message.has_no_content()) {
        messages.retain(|message| !message.has_no_content() || message.role == Role::Tool);
    }
}

/// Texts of a numbered family, or of a single attribute that holds one text or an array of texts.
fn texts<'a>(family: AttributeNode<'_, 'a>, path: &[&str], role: Role) -> Vec<Message<'a>> {
    let numbered = family.items().filter_map(|item| item.at(path).text().or_else(|| item.text()));
    let texts: Vec<Cow<'a, str>> = match family.value() {
        Some(Value::String(text)) => vec![Cow::Borrowed(text.get())],
        Some(Value::Array(items)) => items.iter().filter_map(json::plain_text).collect(),
        _ => numbered.collect(),
    };
    texts.into_iter().map(|text| Message::text(role, text)).collect()
}

/// The call in `llm.function_call`: `{"name": …, "arguments": …}`.
fn legacy_call<'a>(text: &str) -> Option<ToolCall<'a>> {
    let [name, arguments] = json::fields(text, ["name", "arguments"]);
    let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
    let arguments = arguments.map(|value| json::string(value).map_or_else(|| Cow::Owned(value.to_owned()), owned));
    Some(ToolCall::new(None, Some(owned(json::string(name?)?)), arguments))
}
