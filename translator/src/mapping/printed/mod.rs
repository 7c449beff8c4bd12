//! Python objects in values, as Python prints them. Nobody reads them; what they say becomes JSON, and messages among them take
//! OpenAI's shape.

mod detect;
mod not_given;
mod reader;

pub use detect::is_printed;
pub(super) use not_given::{is_not_given, without_not_given};

use super::chat::raw;
use super::rewrite::rewrite;
use crate::json::{self, JsonIndex, JsonValue};

/// Keys of what people and models say, which may look like an object and is none.
const WORDS: [&str; 3] = ["content", "text", "arguments"];

/// The keys of who speaks.
const SPEAKERS: [&str; 2] = ["\"role\"", "\"source\""];

/// The JSON of a text that is a printed object.
pub(super) fn object(text: &str) -> Option<String> {
    let read = detect::begins(text).then(|| reader::read(text))??;
    let text = with_messages(read.json);
    Some(if read.has_big_numbers { json::clean(&text).into_owned() } else { text })
}

/// A JSON text with the JSON of the printed objects in it; `None` where it holds none.
pub(super) fn objects_in(value: JsonValue<'_>) -> Option<String> {
    let mut out = String::with_capacity(value.text().len());
    let replaced = |key: Option<JsonValue<'_>>, value: JsonValue<'_>, out: &mut String| {
        // The first words of most strings say that they need not be read.
        value.text().strip_prefix('"').filter(|literal| detect::begins(literal))?;
        let is_said = key.is_some_and(|key| key.is_one_of(&WORDS));
        out.push_str(&object(&value.string()?).filter(|_| !is_said)?);
        Some(true)
    };
    rewrite(value, &mut out, &replaced).then_some(out)
}

/// JSON with its messages in OpenAI's shape.
fn with_messages(text: String) -> String {
    let may_speak = |text: &str| SPEAKERS.iter().any(|speaker| text.contains(speaker));
    if !may_speak(&text) {
        return text;
    }
    let Some(index) = JsonIndex::read(&text) else { return text };
    let mut out = String::with_capacity(text.len());
    let is_changed = rewrite(index.root(&text), &mut out, &|_, value, out| {
        if !value.is_object() {
            return None;
        }
        if !may_speak(value.text()) {
            out.push_str(value.text());
            return Some(false);
        }
        match raw::object_messages(value).as_slice() {
            [message] => {
                message.put(out);
                Some(true)
            }
            _ => None,
        }
    });
    if is_changed { out } else { text }
}

#[cfg(test)]
mod tests;
