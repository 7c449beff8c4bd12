//! Parts of a message's content: the kinds that the UI draws, and all others as text.

use std::borrow::Cow;

use super::calls;
use super::media;
use super::message::{Message, Part, ToolCall};
use crate::json;
use crate::openinference::AttributeNode;

/// What one part adds to its message.
type Read = for<'n, 'a> fn(&AttributeNode<'n, 'a>, &mut Parts<'a>) -> bool;

/// How parts are read, in order: the first that finds what it looks for. A new kind of part is one entry.
const KINDS: [Read; 7] = [tool_call, image, audio, video, document, reasoning, text];

/// How many calls of a message are searched for a duplicate. Duplicates beyond that are kept.
const LOOKED_AT: usize = 256;

/// What the parts of one message amount to.
#[derive(Debug, Default)]
pub(super) struct Parts<'a> {
    pub(super) content: Vec<Part<'a>>,
    pub(super) reasoning: Vec<Cow<'a, str>>,
    pub(super) calls: Vec<ToolCall<'a>>,
}

impl<'a> Parts<'a> {
    /// Reads one of `message.contents`.
    pub(super) fn read(&mut self, item: &AttributeNode<'_, 'a>) {
        if !KINDS.iter().any(|read| read(item, self)) {
            self.content.push(Part::text(dump(item)));
        }
    }

    /// Puts everything into a message. A call that the message already has is not repeated.
    pub(super) fn put(self, message: &mut Message<'a>) {
        if !self.content.is_empty() {
            message.content = self.content.into();
        }
        let mut reasoning = self.reasoning;
        message.reasoning = match reasoning.len() {
            0 | 1 => reasoning.pop(),
            _ => Some(Cow::Owned(reasoning.join("\n\n"))),
        };
        for call in self.calls {
            if !message.tool_calls.iter().take(LOOKED_AT).any(|known| known.is(&call)) {
                message.tool_calls.push(call);
            }
        }
    }
}

fn tool_call<'a>(item: &AttributeNode<'_, 'a>, parts: &mut Parts<'a>) -> bool {
    let call = item.child("tool_call");
    if !call.is_empty() {
        parts.calls.push(calls::read(call));
    }
    !call.is_empty()
}

fn image<'a>(item: &AttributeNode<'_, 'a>, parts: &mut Parts<'a>) -> bool {
    let image = item.at(&["message_content", "image"]);
    let url = image.at(&["image", "url"]).text().or_else(|| image.child("url").text());
    // Where pictures are to be hidden, their kind is all that is left.
    let is_hidden = || item.at(&["message_content", "type"]).text().is_some_and(|kind| kind == "image");
    if url.is_none() && !(image.is_empty() && is_hidden()) {
        return false;
    }
    parts.content.push(media::image(url.unwrap_or_default(), image.child("media_type").text().as_deref()));
    true
}

fn audio<'a>(item: &AttributeNode<'_, 'a>, parts: &mut Parts<'a>) -> bool {
    let audio = item.at(&["message_content", "audio"]);
    let of = |name: &str| audio.at(&["audio", name]).text().or_else(|| audio.child(name).text());
    if audio.is_empty() {
        return false;
    }
    parts.content.push(media::audio(&of("url").unwrap_or_default(), &of("mime_type").unwrap_or_default()));
    parts.content.extend(of("transcript").filter(|text| !text.is_empty()).map(Part::text));
    true
}

fn video<'a>(item: &AttributeNode<'_, 'a>, parts: &mut Parts<'a>) -> bool {
    attached("video", item, parts)
}

fn document<'a>(item: &AttributeNode<'_, 'a>, parts: &mut Parts<'a>) -> bool {
    attached("document", item, parts)
}

fn attached<'a>(kind: &str, item: &AttributeNode<'_, 'a>, parts: &mut Parts<'a>) -> bool {
    let attached = item.at(&["message_content", kind]);
    if attached.is_empty() {
        return false;
    }
    let of = |name: &str| attached.at(&[kind, name]).text().or_else(|| attached.child(name).text());
    let mime = of("mime_type").unwrap_or_default();
    parts.content.push(media::link(kind, of("name").as_deref(), &mime, &of("url").unwrap_or_default()));
    parts.content.extend(of("content").filter(|text| !text.is_empty()).map(Part::text));
    true
}

fn reasoning<'a>(item: &AttributeNode<'_, 'a>, parts: &mut Parts<'a>) -> bool {
    let content = item.child("message_content");
    let kind = content.child("type").text().unwrap_or_default();
    if !matches!(kind.as_ref(), "reasoning" | "thinking" | "redacted_thinking" | "redacted_reasoning") {
        return false;
    }
    let text = content.child("text").text().filter(|text| !text.is_empty());
    let is_sealed = || !content.child("data").is_empty() || !content.child("encrypted_content").is_empty();
    parts.reasoning.extend(text.or_else(|| is_sealed().then_some(Cow::Borrowed("[encrypted]"))));
    true
}

fn text<'a>(item: &AttributeNode<'_, 'a>, parts: &mut Parts<'a>) -> bool {
    let text = item.at(&["message_content", "text"]).text();
    let found = text.is_some();
    parts.content.extend(text.map(Part::text));
    found
}

/// A part that nothing above knows, as the JSON of what it says.
fn dump(item: &AttributeNode<'_, '_>) -> String {
    let leaves = item.leaves().map(|(name, value)| {
        let name = name.strip_prefix("message_content.").unwrap_or(name);
        format!("{}: {}", json::quoted(name), json::value_text(value))
    });
    format!("{{{}}}", leaves.collect::<Vec<_>>().join(", "))
}
