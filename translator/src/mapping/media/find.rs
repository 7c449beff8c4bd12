//! Media in one text, in linear time: text without long runs of base64's characters is skipped in strides.

use std::ops::Range;

use super::limits::AttachmentLimits;

/// A piece of media.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FoundMedia<'a> {
    /// What a reference takes the place of: the `data:` URI, or the bare base64.
    pub(super) place: Range<usize>,
    /// The base64 text, without padding.
    pub(super) data: &'a [u8],
    /// Its media type, without parameters.
    pub(super) content_type: &'a str,
    /// Decoded bytes.
    pub(super) size: usize,
}

/// Shorter runs of base64 characters cannot be distinguished from words.
const SHORTEST: usize = 64;

/// How the base64 of files begins whose type MLflow's UI draws.
const BEGINNINGS: [(&str, &str); 9] = [
    ("iVBORw0KGgo", "image/png"),
    ("/9j/", "image/jpeg"),
    ("_9j_", "image/jpeg"),
    ("R0lGOD", "image/gif"),
    ("SUQz", "audio/mpeg"),
    ("T2dnUw", "audio/ogg"),
    ("ZkxhQ", "audio/flac"),
    ("GkXfo", "video/webm"),
    ("JVBERi0", "application/pdf"),
];

/// The media of a text, in order.
pub(super) fn find(text: &[u8], limits: AttachmentLimits) -> impl Iterator<Item = FoundMedia<'_>> {
    let shortest = (limits.min_bytes.saturating_add(2) / 3).saturating_mul(4).saturating_sub(2).max(SHORTEST);
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let run = next_run(text, at, shortest)?;
            at = run.end;
            if let Some(found) = media(text, run, limits) {
                return Some(found);
            }
        }
    })
}

/// The next run of at least so many characters of base64.
fn next_run(text: &[u8], mut start: usize, shortest: usize) -> Option<Range<usize>> {
    loop {
        let end = start.checked_add(shortest)?;
        // From behind: after the last character that is another's, nothing before it matters.
        match text.get(start..end)?.iter().rposition(|byte| !is_base64(*byte)) {
            Some(last) => start += last + 1,
            None => {
                let rest = text.get(end..)?.iter().take_while(|byte| is_base64(**byte)).count();
                return Some(start..end + rest);
            }
        }
    }
}

/// Of the standard or the URL-safe alphabet.
fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

fn media(text: &[u8], run: Range<usize>, limits: AttachmentLimits) -> Option<FoundMedia<'_>> {
    let (data, after) = (text.get(run.clone())?, text.get(run.end..)?);
    let padding = after.iter().take(2).take_while(|byte| **byte == b'=').count();
    let odd = match data.len() % 4 {
        0 => 0,
        1 => return None,
        characters => characters - 1,
    };
    let size = data.len() / 4 * 3 + odd;
    let is_whole = padding == 0 || (data.len() + padding) % 4 == 0;
    if !is_whole || size < limits.min_bytes || size > limits.max_bytes || !is_end(after.get(padding..)?) {
        return None;
    }
    let before = text.get(..run.start)?;
    let (content_type, start) = match before.strip_suffix(b";base64,") {
        Some(head) => data_uri(head)?,
        None => (bare(data)?, run.start),
    };
    let has = |characters: [u8; 2]| data.iter().any(|byte| characters.contains(byte));
    if has(*b"+/") && has(*b"-_") {
        return None;
    }
    let place = start..run.end + padding;
    is_start(text.get(..start)?).then_some(FoundMedia { place, data, content_type, size })
}

/// Whether a string begins after this text: in JSON, in Python's notation, or in Markdown.
fn is_start(before: &[u8]) -> bool {
    matches!(before.last(), None | Some(b'"' | b'\'' | b'('))
}

/// Whether a string ends before this text; the quote may be escaped.
fn is_end(after: &[u8]) -> bool {
    matches!(after.iter().find(|byte| **byte != b'\\'), None | Some(b'"' | b'\'' | b')'))
}

/// The media type of a `data:` URI whose text before `;base64,` ends here, and where the URI starts.
fn data_uri(head: &[u8]) -> Option<(&str, usize)> {
    const LONGEST: usize = 128;
    const SCHEME: &[u8] = b"data:";
    let from = head.len().saturating_sub(LONGEST);
    let start = from + head.get(from..)?.windows(SCHEME.len()).rposition(|window| window == SCHEME)?;
    let described = std::str::from_utf8(head.get(start + SCHEME.len()..)?).ok()?;
    let content_type = described.split(';').next()?;
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'+' | b'-' | b'.');
    let is_drawn = ["image/", "audio/", "video/"].iter().any(|kind| content_type.starts_with(kind))
        || content_type == "application/pdf";
    (is_drawn && content_type.bytes().all(is_word)).then_some((content_type, start))
}

/// The media type of bare base64, by how it begins.
fn bare(data: &[u8]) -> Option<&'static str> {
    match (data, data.get(12..16)) {
        // A container's name, its size, and what it holds.
        ([b'U', b'k', b'l', b'G', b'R', ..], Some(b"RUJQ")) => return Some("image/webp"),
        ([b'U', b'k', b'l', b'G', b'R', ..], Some(b"QVZF")) => return Some("audio/wav"),
        // Frames of MP3 without a tag before them: the mark of a frame, layer III.
        ([b'/', b'/', b's'..=b'v' | b'I'..=b'P', ..], _) => return Some("audio/mpeg"),
        _ => {}
    }
    BEGINNINGS
        .iter()
        .find(|(beginning, _)| data.starts_with(beginning.as_bytes()))
        .map(|(_, content_type)| *content_type)
}
