//! Python objects in values, as Python prints them. Nobody reads them; what they say becomes JSON, and messages among them take
//! OpenAI's shape.

mod detect;
mod reader;

pub use detect::is_printed;

use super::chat::raw;
use super::rewrite::rewrite;
use crate::json::{self, JsonIndex, JsonValue};

/// Keys of what people and models say, which may look like an object and is none.
const WORDS: [&str; 3] = ["content", "text", "arguments"];

/// The JSON of a text that is a printed object.
pub(super) fn object(text: &str) -> Option<String> {
    let read = detect::begins(text).then(|| reader::read(text))??;
    Some(json::clean(&with_messages(&read)).into_owned())
}

/// A JSON text with the JSON of the printed objects in it; `None` where it holds none.
pub(super) fn objects_in(value: JsonValue<'_>) -> Option<String> {
    let mut out = String::with_capacity(value.text().len());
    let replaced = |key: Option<JsonValue<'_>>, value: JsonValue<'_>, out: &mut String| {
        let printed = value.string().filter(|text| detect::begins(text))?;
        let is_said = key.is_some_and(|key| key.is_one_of(&WORDS));
        out.push_str(&object(&printed).filter(|_| !is_said)?);
        Some(true)
    };
    rewrite(value, &mut out, &replaced).then_some(out)
}

/// JSON with its messages in OpenAI's shape.
fn with_messages(text: &str) -> String {
    let Some(index) = JsonIndex::read(text) else { return text.to_owned() };
    let mut out = String::with_capacity(text.len());
    rewrite(index.root(text), &mut out, &|_, value, out| match raw::object_messages(value).as_slice() {
        [message] => {
            out.push_str(&message.to_json());
            Some(true)
        }
        _ => None,
    });
    out
}

#[cfg(test)]
mod tests;
