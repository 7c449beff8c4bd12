//! Recovers message parts that the attributes lost from the raw value.
//!
//! Instrumentations describe messages in attributes, and some lose a part: an image, a tool result, a system message in
//! parts, reasoning. The raw value still has it. The raw messages replace those of the attributes only if they contain
//! everything that the attributes have and something more. Content that is redacted in the attributes (`__REDACTED__`)
//! therefore stays redacted.

use super::message::{Content, Message, Part};
use super::role::Role;

/// The kind of a piece of content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Text,
    Reasoning,
    Image,
    Audio,
    Call,
    CallId,
}

/// A piece of content.
type Piece<'m> = (Kind, [&'m str; 2]);

/// A digest of a piece. White space does not count, because providers' JSON is reformatted.
type Fingerprint = (Kind, u64);

/// The raw messages where they have more, else the attributes' messages. System messages come first, and stay when the raw
/// value has them elsewhere.
pub(super) fn recover<'a>(rebuilt: Vec<Message<'a>>, raw: Vec<Message<'a>>) -> Vec<Message<'a>> {
    let has_system = raw.iter().any(|message| message.role == Role::System);
    let is_elsewhere = |message: &&Message<'_>| message.role == Role::System && !has_system;
    let raw_pieces = pieces(raw.iter());
    let rebuilt_pieces = pieces(rebuilt.iter().filter(|message| !is_elsewhere(message)));
    // Most attributes lost nothing.
    if raw_pieces.is_empty() || raw_pieces == rebuilt_pieces {
        return rebuilt;
    }
    let (raw_said, rebuilt_texts) = (fingerprints(&raw_pieces), fingerprints(&rebuilt_pieces));
    let is_more = raw_said.iter().any(|one| rebuilt_texts.binary_search(one).is_err());
    let is_all = rebuilt_texts.iter().all(|(kind, digest)| {
        // Reasoning may be recorded as text.
        let has = |kind: Kind| raw_said.binary_search(&(kind, *digest)).is_ok();
        has(*kind) || *kind == Kind::Text && has(Kind::Reasoning)
    });
    if !(is_more && is_all) {
        return rebuilt;
    }
    let mut fuller: Vec<_> = rebuilt.into_iter().filter(|message| is_elsewhere(&message)).collect();
    fuller.extend(raw);
    fuller
}

/// All content that is not blank.
fn pieces<'m, 'a: 'm>(messages: impl Iterator<Item = &'m Message<'a>>) -> Vec<Piece<'m>> {
    let mut all = Vec::new();
    let mut add = |kind: Kind, texts: [&'m str; 2]| {
        if texts.iter().any(|text| !text.trim_ascii().is_empty()) {
            all.push((kind, texts));
        }
    };
    for message in messages {
        match &message.content {
            Content::None => {}
            Content::Text(text) => add(Kind::Text, [text, ""]),
            Content::Parts(parts) => parts.iter().for_each(|part| match part {
                Part::Text { text } => add(Kind::Text, [text, ""]),
                Part::ImageUrl { image_url } => add(Kind::Image, [&image_url.url, ""]),
                Part::InputAudio { input_audio } => add(Kind::Audio, [&input_audio.data, ""]),
            }),
        }
        if let Some(thought) = &message.reasoning {
            add(Kind::Reasoning, [thought, ""]);
        }
        for call in &message.tool_calls {
            add(Kind::Call, [&call.function.name, &call.function.arguments]);
            add(Kind::CallId, [&call.id, ""]);
        }
    }
    all
}

/// The fingerprints of some content, sorted.
fn fingerprints(pieces: &[Piece<'_>]) -> Vec<Fingerprint> {
    let mut all: Vec<_> = pieces.iter().map(|(kind, texts)| (*kind, digest(texts))).collect();
    all.sort_unstable();
    all
}

/// A digest of texts without their white space: FNV-1a, which needs no preparation for the few bytes that most have. A collision
/// changes only how the sender's own call is drawn.
fn digest(texts: &[&str; 2]) -> u64 {
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    let bytes = texts.iter().flat_map(|text| text.bytes()).filter(|byte| !byte.is_ascii_whitespace());
    bytes.fold(BASIS, |digest, byte| (digest ^ u64::from(byte)).wrapping_mul(PRIME))
}
