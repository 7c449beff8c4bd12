//! Which of two tellings of the same messages says more.
//!
//! Instrumentations describe messages in attributes, and some lose a part on the way: a picture, what a tool found, what the
//! system says in parts, a thought. The raw value beside them has it. It is read where it says something that the attributes do
//! not, and everything that they do: what was hidden in the attributes (`__REDACTED__`) therefore stays hidden.

use super::message::{Content, Message, Part};
use super::role::Role;

/// What a message says, by its kind.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Text,
    Reasoning,
    Image,
    Audio,
    Call,
    CallId,
}

/// A digest of something that is said. Two texts that only spaces tell apart are the same: providers' JSON is written anew.
type Said = (Kind, u64);

/// The raw messages where they say more, else those that were told. What the system says comes first, and stays when the raw
/// value has it elsewhere.
pub(super) fn recover<'a>(told: Vec<Message<'a>>, raw: Vec<Message<'a>>) -> Vec<Message<'a>> {
    let has_system = raw.iter().any(|message| message.role == Role::System);
    let is_elsewhere = |message: &&Message<'_>| message.role == Role::System && !has_system;
    let raw_said = said(raw.iter());
    if raw_said.is_empty() {
        return told;
    }
    let told_said = said(told.iter().filter(|message| !is_elsewhere(message)));
    let is_more = raw_said.iter().any(|one| told_said.binary_search(one).is_err());
    let is_all = told_said.iter().all(|(kind, digest)| {
        // A thought may have been told as words.
        let has = |kind: Kind| raw_said.binary_search(&(kind, *digest)).is_ok();
        has(*kind) || *kind == Kind::Text && has(Kind::Reasoning)
    });
    if !(is_more && is_all) {
        return told;
    }
    let mut fuller: Vec<_> = told.into_iter().filter(|message| is_elsewhere(&message)).collect();
    fuller.extend(raw);
    fuller
}

/// All that messages say, sorted.
fn said<'m, 'a: 'm>(messages: impl Iterator<Item = &'m Message<'a>>) -> Vec<Said> {
    let mut all = Vec::new();
    let mut add = |kind: Kind, texts: [&str; 2]| {
        if texts.iter().any(|text| !text.trim_ascii().is_empty()) {
            all.push((kind, digest(texts)));
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
    all.sort_unstable();
    all
}

/// FNV-1a of texts, their spaces left out. Who makes two texts of one digest changes what is drawn of his own call.
fn digest(texts: [&str; 2]) -> u64 {
    let bytes = texts.iter().flat_map(|text| text.bytes()).filter(|byte| !byte.is_ascii_whitespace());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
