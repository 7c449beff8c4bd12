//! Images, audio and files: those that the UI draws, and a link or a word for the others.

use std::borrow::Cow;

use super::message::{Audio, Image, Part};

/// What takes the place of a value that the application does not want to be seen.
pub(super) const REDACTED: &str = "__REDACTED__";

/// How the base64 of an image begins, and its type.
const IMAGES: [(&str, &str); 4] =
    [("iVBORw0KGgo", "image/png"), ("/9j/", "image/jpeg"), ("R0lGOD", "image/gif"), ("UklGR", "image/webp")];

/// An image. The convention allows bare base64 in place of a URL; browsers need a `data:` URI.
pub(super) fn image<'a>(url: Cow<'a, str>, media_type: Option<&str>) -> Part<'a> {
    if url == REDACTED {
        return Part::text(REDACTED);
    }
    if url.is_empty() {
        return link("image", None, "", "");
    }
    let known = IMAGES.iter().find(|(start, _)| url.starts_with(start));
    let url = match known {
        Some((_, kind)) => Cow::Owned(format!("data:{};base64,{url}", media_type.unwrap_or(kind))),
        None => url,
    };
    Part::ImageUrl { image_url: Image { url } }
}

/// A sound, as something to play or else as a link.
pub(super) fn audio<'a>(url: &str, mime: &str) -> Part<'a> {
    match playable(url, mime) {
        Some((data, format)) => Part::InputAudio { input_audio: Audio { data: Cow::Owned(data.to_owned()), format } },
        None => link("audio", None, mime, url),
    }
}

/// The base64 and the format of audio that the UI plays.
fn playable<'u>(url: &'u str, mime: &str) -> Option<(&'u str, &'static str)> {
    let (kind, data) = match url.strip_prefix("data:") {
        Some(rest) => rest.split_once(";base64,")?,
        None => (mime, url),
    };
    if !is_base64(data) {
        return None;
    }
    match kind.split(';').next()?.trim() {
        "audio/wav" | "audio/x-wav" | "audio/wave" => Some((data, "wav")),
        "audio/mpeg" | "audio/mp3" => Some((data, "mp3")),
        _ => None,
    }
}

/// Text in place of what the UI does not draw: a link where there is something to open, never the data themselves.
pub(super) fn link<'a>(kind: &str, name: Option<&str>, mime: &str, url: &str) -> Part<'a> {
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

/// Whether a text is something in base64, and not nothing.
pub(super) fn is_base64(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte))
}
