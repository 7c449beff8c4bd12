//! Messages in the shape of OpenAI's Chat Completions, which MLflow's UI, its previews and its evaluation all read.
//!
//! Whatever is written here is valid there: roles are of the four known ones, parts of the three drawn ones, ids, names and
//! arguments of tool calls are strings. One invalid part would cost the whole conversation.

use std::borrow::Cow;

use super::role::Role;

/// A message of a conversation.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::mapping) struct Message<'a> {
    pub(in crate::mapping) role: Role,
    pub(super) content: Content<'a>,
    /// The reasoning before the response; the UI shows it collapsed above the message.
    pub(super) reasoning: Option<Cow<'a, str>>,
    pub(in crate::mapping) tool_calls: Vec<ToolCall<'a>>,
    /// On a tool's message: the call that it answers.
    pub(super) tool_call_id: Option<Cow<'a, str>>,
    pub(super) name: Option<Cow<'a, str>>,
}

/// The content of a message.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::mapping) enum Content<'a> {
    None,
    Text(Cow<'a, str>),
    Parts(Vec<Part<'a>>),
}

/// A part of the content.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::mapping) enum Part<'a> {
    Text { text: Cow<'a, str> },
    ImageUrl { image_url: Image<'a> },
    InputAudio { input_audio: Audio<'a> },
}

/// An image, by its URL; `data:` holds the image itself.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::mapping) struct Image<'a> {
    pub(super) url: Cow<'a, str>,
}

/// Base64 audio.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::mapping) struct Audio<'a> {
    pub(super) data: Cow<'a, str>,
    /// `wav` or `mp3`: the UI draws no other.
    pub(super) format: &'static str,
}

/// A call of a tool.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::mapping) struct ToolCall<'a> {
    /// Empty until [`link`](super::calls::link) has seen the conversation.
    pub(super) id: Cow<'a, str>,
    pub(super) kind: &'static str,
    pub(in crate::mapping) function: Function<'a>,
}

/// The tool and what it is given.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::mapping) struct Function<'a> {
    pub(in crate::mapping) name: Cow<'a, str>,
    /// JSON text.
    pub(in crate::mapping) arguments: Cow<'a, str>,
}

impl<'a> Message<'a> {
    /// Whether the message has only a role.
    pub(super) fn has_no_content(&self) -> bool {
        self.content == Content::None && self.reasoning.is_none() && self.tool_calls.is_empty()
    }

    /// The first text that is not blank.
    pub(in crate::mapping) fn first_text(&self) -> Option<&str> {
        let is_said = |text: &&str| !text.trim().is_empty();
        match &self.content {
            Content::None => None,
            Content::Text(text) => Some(text.as_ref()).filter(is_said),
            Content::Parts(parts) => parts.iter().find_map(|part| match part {
                Part::Text { text } => Some(text.as_ref()).filter(is_said),
                _ => None,
            }),
        }
    }

    /// The text of a message that has nothing else.
    pub(in crate::mapping) fn only_text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) if self.tool_calls.is_empty() && self.reasoning.is_none() => Some(text),
            _ => None,
        }
    }

    /// A message of text alone.
    pub(super) fn text(role: Role, text: impl Into<Cow<'a, str>>) -> Self {
        Self { content: Content::Text(text.into()), ..Self::empty(role) }
    }

    /// A message with only a role.
    pub(super) fn empty(role: Role) -> Self {
        Self { role, content: Content::None, reasoning: None, tool_calls: Vec::new(), tool_call_id: None, name: None }
    }
}

impl<'a> Part<'a> {
    /// A part of text.
    pub(super) fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text { text: text.into() }
    }
}

impl<'a> From<Vec<Part<'a>>> for Content<'a> {
    /// No parts are nothing, and one text is that text: the simplest form reads best everywhere.
    fn from(mut parts: Vec<Part<'a>>) -> Self {
        match parts.as_mut_slice() {
            [] => Self::None,
            [Part::Text { text }] => Self::Text(std::mem::take(text)),
            _ => Self::Parts(parts),
        }
    }
}

impl<'a> ToolCall<'a> {
    /// A call, its id to be made up when there is none. A tool without a name is called by the word for one.
    pub(super) fn new(id: Option<Cow<'a, str>>, name: Option<Cow<'a, str>>, arguments: Option<Cow<'a, str>>) -> Self {
        Self {
            id: id.unwrap_or_default(),
            kind: "function",
            function: Function {
                name: name.filter(|name| !name.is_empty()).unwrap_or(Cow::Borrowed("function")),
                arguments: arguments.filter(|text| !text.is_empty()).unwrap_or(Cow::Borrowed("{}")),
            },
        }
    }

    /// Whether both are the same call: they have the same id or, where an id is missing, the same name and arguments.
    pub(super) fn is(&self, other: &Self) -> bool {
        let are_known = !self.id.is_empty() && !other.id.is_empty();
        if are_known { self.id == other.id } else { self.function == other.function }
    }
}
