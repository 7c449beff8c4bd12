//! Parts of a message's content: what of them the UI draws, and the rest as text.

use std::borrow::Cow;

use super::calls;
use super::message::{Audio, Image, Message, Part};
use crate::mlflow::json;
use crate::openinference::Node;

/// What one part adds to its message.
type Read = for<'n, 'a> fn(&Node<'n, 'a>, &mut Parts<'a>) -> bool;

/// How parts are read, in order: the first that finds what it looks for. A new kind of part is one entry.
const KINDS: [Read; 7] = [tool_call, image, audio, video, document, reasoning, text];

/// What takes the place of a value that the application does not want to be seen.
const REDACTED: &str = "__REDACTED__";

/// What the parts of one message amount to.
#[derive(Debug, Default)]
pub(super) struct Parts<'a> {
    content: Vec<Part<'a>>,
    reasoning: Vec<Cow<'a, str>>,
    calls: Vec<super::message::ToolCall<'a>>,
}

impl<'a> Parts<'a> {
    /// Reads one of `message.contents`.
    pub(super) fn read(&mut self, item: &Node<'_, 'a>) {
        if !KINDS.iter().any(|read| read(item, self)) {
            self.content.push(Part::text(dump(item)));
        }
    }

    /// Puts everything into a message. A call that the message names itself is not told twice.
    pub(super) fn put(self, message: &mut Message<'a>) {
        if !self.content.is_empty() {
            message.content = self.content.into();
        }
        message.reasoning = self.reasoning.into_iter().reduce(|all, next| Cow::Owned(format!("{all}\n\n{next}")));
        for call in self.calls {
            if !message.tool_calls.iter().any(|told| told.is(&call)) {
                message.tool_calls.push(call);
            }
        }
    }
}

fn tool_call<'a>(item: &Node<'_, 'a>, parts: &mut Parts<'a>) -> bool {
    let call = item.child("tool_call");
    if !call.is_empty() {
        parts.calls.push(calls::read(call));
    }
    !call.is_empty()
}

fn image<'a>(item: &Node<'_, 'a>, parts: &mut Parts<'a>) -> bool {
    let image = item.at(&["message_content", "image"]);
    let Some(url) = image.at(&["image", "url"]).text().or_else(|| image.child("url").text()) else { return false };
    parts.content.push(if url == REDACTED || url.is_empty() {
        Part::text(REDACTED)
    } else {
        Part::ImageUrl { image_url: Image { url: drawable(url, image.child("media_type").text().as_deref()) } }
    });
    true
}

/// How the base64 of an image begins, and its type.
const IMAGES: [(&str, &str); 4] =
    [("iVBORw0KGgo", "image/png"), ("/9j/", "image/jpeg"), ("R0lGOD", "image/gif"), ("UklGR", "image/webp")];

/// The convention allows bare base64 for a URL; browsers want to be told.
fn drawable<'a>(url: Cow<'a, str>, media_type: Option<&str>) -> Cow<'a, str> {
    let known = IMAGES.iter().find(|(start, _)| url.starts_with(start));
    match known {
        Some((_, kind)) => Cow::Owned(format!("data:{};base64,{url}", media_type.unwrap_or(kind))),
        None => url,
    }
}

fn audio<'a>(item: &Node<'_, 'a>, parts: &mut Parts<'a>) -> bool {
    let audio = item.at(&["message_content", "audio"]);
    let of = |name: &str| audio.at(&["audio", name]).text().or_else(|| audio.child(name).text());
    if audio.is_empty() {
        return false;
    }
    let (url, mime) = (of("url").unwrap_or_default(), of("mime_type").unwrap_or_default());
    match playable(&url, &mime) {
        Some((data, format)) => {
            let data = Cow::Owned(data.to_owned());
            parts.content.push(Part::InputAudio { input_audio: Audio { data, format } });
        }
        None => parts.content.push(link("audio", None, &mime, &url)),
    }
    parts.content.extend(of("transcript").filter(|text| !text.is_empty()).map(Part::text));
    true
}

/// The base64 and the format of audio that the UI plays.
fn playable<'u>(url: &'u str, mime: &str) -> Option<(&'u str, &'static str)> {
    let (kind, data) = match url.strip_prefix("data:") {
        Some(rest) => rest.split_once(";base64,")?,
        None => (mime, url),
    };
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    if data.is_empty() || !data.bytes().all(is_base64) {
        return None;
    }
    match kind.split(';').next()?.trim() {
        "audio/wav" | "audio/x-wav" | "audio/wave" => Some((data, "wav")),
        "audio/mpeg" | "audio/mp3" => Some((data, "mp3")),
        _ => None,
    }
}

fn video<'a>(item: &Node<'_, 'a>, parts: &mut Parts<'a>) -> bool {
    attached("video", item, parts)
}

fn document<'a>(item: &Node<'_, 'a>, parts: &mut Parts<'a>) -> bool {
    attached("document", item, parts)
}

fn attached<'a>(kind: &str, item: &Node<'_, 'a>, parts: &mut Parts<'a>) -> bool {
    let attached = item.at(&["message_content", kind]);
    if attached.is_empty() {
        return false;
    }
    let of = |name: &str| attached.at(&[kind, name]).text().or_else(|| attached.child(name).text());
    let mime = of("mime_type").unwrap_or_default();
    parts.content.push(link(kind, of("name").as_deref(), &mime, &of("url").unwrap_or_default()));
    parts.content.extend(of("content").filter(|text| !text.is_empty()).map(Part::text));
    true
}

/// Text in place of what the UI does not draw: a link where there is something to open, never the data themselves.
fn link<'a>(kind: &str, name: Option<&str>, mime: &str, url: &str) -> Part<'a> {
    if url == REDACTED {
        return Part::text(REDACTED);
    }
    let title = match (name, mime) {
        (Some(name), _) if !name.is_empty() => format!("{kind}: {name}"),
        (_, "") => kind.to_owned(),
        (_, mime) => format!("{kind}: {mime}"),
    };
    let can_open = url.starts_with("http://") || url.starts_with("https://");
    Part::text(if can_open { format!("[{title}]({url})") } else { format!("[{title}]") })
}

fn reasoning<'a>(item: &Node<'_, 'a>, parts: &mut Parts<'a>) -> bool {
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

fn text<'a>(item: &Node<'_, 'a>, parts: &mut Parts<'a>) -> bool {
    let text = item.at(&["message_content", "text"]).text();
    let found = text.is_some();
    parts.content.extend(text.map(Part::text));
    found
}

/// A part that nothing above knows, as the JSON of what it says.
fn dump(item: &Node<'_, '_>) -> String {
    let leaves = item.leaves().map(|(name, value)| {
        let name = name.strip_prefix("message_content.").unwrap_or(name);
        format!("{}: {}", json::quoted(name), json::value_text(value))
    });
    format!("{{{}}}", leaves.collect::<Vec<_>>().join(", "))
}
