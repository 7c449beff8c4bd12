//! Pictures, sound and documents in base64, which MLflow keeps as attachments of a trace.
//!
//! - A piece of media is a whole string: a `data:` URI, or bare base64 that begins as a file of a known type does (the shapes of
//!   Anthropic, Bedrock and Gemini, `input_audio`). How deep in JSON the string is, and how often that JSON was written into
//!   another, does not matter: base64 has no character that JSON would escape.
//! - It becomes what MLflow's own client writes in its place (`mlflow/tracing/attachments.py`, 3.12 and later), everywhere in the
//!   span: its UI draws the reference where it draws the media, and the span is small.
//! - The attachment's id is a digest of the trace and the base64 text. Sent again it is the same attachment, and so is a picture
//!   that every later call of a conversation repeats.
//! - A text is looked at in linear time, most of it not at all.

mod find;
mod limits;
mod texts;

use std::fmt;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use xxhash_rust::xxh3::Xxh3;

use self::find::{FoundMedia, find};
pub use self::limits::AttachmentLimits;
use crate::mlflow::AddedAttributes;

/// An attachment's id: a UUID of version 8 (RFC 9562), which MLflow wants for the file's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AttachmentId(u128);

impl AttachmentId {
    fn of(trace: [u8; 16], data: &[u8]) -> Self {
        let mut hasher = Xxh3::new();
        hasher.update(&trace);
        hasher.update(data);
        let digest = hasher.digest128();
        Self(digest & !(0xf << 76) & !(0b11 << 62) | 8 << 76 | 0b10 << 62)
    }
}

impl fmt::Display for AttachmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |shift: u32, bits: u32| self.0 >> shift & ((1 << bits) - 1);
        let [a, b, c, d, e] = [part(96, 32), part(80, 16), part(64, 16), part(48, 16), part(0, 48)];
        write!(f, "{a:08x}-{b:04x}-{c:04x}-{d:04x}-{e:012x}")
    }
}

/// Tells of each piece of media in an encoded span: its id and its base64 text, without padding.
pub fn for_each<'s>(
    span: &'s [u8],
    trace: [u8; 16],
    limits: AttachmentLimits,
    visit: &mut dyn FnMut(AttachmentId, &'s [u8]),
) {
    texts::change(span, &mut |text| {
        find(text, limits).for_each(|found| visit(AttachmentId::of(trace, found.data), found.data));
        None
    });
}

/// The attachments of a trace that MLflow has, for spans that are to refer to them.
pub struct AttachmentReferences<'h> {
    /// The trace.
    pub trace: [u8; 16],
    /// What was looked for.
    pub limits: AttachmentLimits,
    /// Whether MLflow has an attachment.
    pub has: &'h dyn Fn(AttachmentId) -> bool,
}

impl AttachmentReferences<'_> {
    /// An encoded span that refers to them; `None` when it holds none of them.
    pub fn replace_in_span(&self, span: &[u8]) -> Option<Vec<u8>> {
        texts::change(span, &mut |text| self.replace_in_text(text))
    }

    /// AddedAttributes that refer to them.
    pub fn replace_in_attributes(&self, added: &mut AddedAttributes<'_>) {
        added.change_texts(&mut |text| String::from_utf8(self.replace_in_text(text.as_bytes())?).ok());
    }

    fn replace_in_text(&self, text: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let mut copied = 0;
        for found in find(text, self.limits) {
            let id = AttachmentId::of(self.trace, found.data);
            if (self.has)(id) {
                out.extend_from_slice(text.get(copied..found.place.start)?);
                out.extend_from_slice(self.reference(id, &found).as_bytes());
                copied = found.place.end;
            }
        }
        if copied == 0 {
            return None;
        }
        out.extend_from_slice(text.get(copied..)?);
        Some(out)
    }

    fn reference(&self, id: AttachmentId, FoundMedia { content_type, size, .. }: &FoundMedia<'_>) -> String {
        let content_type = utf8_percent_encode(content_type, NON_ALPHANUMERIC);
        let trace = u128::from_be_bytes(self.trace);
        format!("mlflow-attachment://{id}?content_type={content_type}&trace_id=tr-{trace:032x}&size={size}")
    }
}

impl fmt::Debug for AttachmentReferences<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttachmentReferences").field("limits", &self.limits).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
