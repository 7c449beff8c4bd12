//! JSON text as MLflow's Python reads it.
//!
//! MLflow (3.7 and later) runs `json.loads` over every string attribute and takes what is an object, an array or a
//! string for that value. What Python accepts is more than JSON (`NaN`, lone surrogates), and what MLflow can then
//! store and return is less: see [`Fault`].

mod clean;
mod index;
#[cfg(feature = "meter")]
pub mod meter;
mod scan;
mod unescape;
mod write;

pub use clean::{clean, is_faulty, storable, unquoted};
pub use index::{JsonDocument, JsonIndex, JsonValue};
pub use scan::{Fault, Kind, entries, items, read};
pub use write::{not_finite_text, plain_text, put_compact, put_quoted, put_value, value_text};

use std::borrow::Cow;

/// Whether a text may be a JSON object, array or string; the cheap test before [`read`].
#[inline]
pub fn may_be_structured(text: &str) -> bool {
    matches!(first_byte(text), Some(b'{' | b'[' | b'"'))
}

/// Whether MLflow takes a text for the JSON value it spells, and not for a string.
pub fn is_structured(text: &str) -> bool {
    may_be_structured(text) && matches!(read(text), Ok(Kind::Object | Kind::Array | Kind::String))
}

/// Whether a text spells `""`, `[]` or `{}`, or is empty: what Python calls false among what [`is_structured`].
pub fn is_falsy(text: &str) -> bool {
    let trimmed = trim(text).as_bytes();
    match trimmed {
        [] => text.is_empty(),
        [b'"', b'"'] => true,
        [b'{', inner @ .., b'}'] | [b'[', inner @ .., b']'] => inner.iter().all(|byte| SPACE.contains(byte)),
        _ => false,
    }
}

/// The text that a JSON string spells, quotes included; `None` when it is no JSON string.
pub fn string(literal: &str) -> Option<Cow<'_, str>> {
    let inner = trim(literal).strip_prefix('"')?.strip_suffix('"')?;
    if scan::plain_len(inner.as_bytes()) == inner.len() {
        return Some(Cow::Borrowed(inner));
    }
    unescape::unescaped(inner).map(Cow::Owned)
}

/// The values of an object at some keys; of repeated keys the last counts, as in Python.
pub fn fields<'a, const N: usize>(object: &'a str, keys: [&str; N]) -> [Option<&'a str>; N] {
    let mut found = [None; N];
    find(object, &keys, &mut found);
    found
}

/// What [`fields`] does, compiled once for all numbers of keys.
fn find<'a>(object: &'a str, keys: &[&str], found: &mut [Option<&'a str>]) {
    for (key, value) in entries(object) {
        let at = string(key).and_then(|key| keys.iter().position(|wanted| *wanted == key));
        if let Some(found) = at.and_then(|at| found.get_mut(at)) {
            *found = Some(value);
        }
    }
}

/// A text as a JSON string.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    put_quoted(&mut out, text);
    out
}

const SPACE: [u8; 4] = *b" \t\n\r";

fn trim(text: &str) -> &str {
    let is_said = |byte: u8| !SPACE.contains(&byte);
    let start = text.bytes().position(is_said).unwrap_or(text.len());
    let end = text.bytes().rposition(is_said).map_or(start, |last| last + 1);
    text.get(start..end).unwrap_or_default()
}

/// The byte by which it shows what a text may be.
fn first_byte(text: &str) -> Option<u8> {
    text.bytes().find(|byte| !SPACE.contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_objects_arrays_and_strings_are_structured() {
        for text in ["{}", "[1]", "\"a\"", " {\"a\": NaN}\n", "[-Infinity]", "[\"\\ud83d\"]"] {
            assert!(is_structured(text), "{text}");
        }
        for text in ["", " ", "42", "true", "null", "NaN", "{", "[1,]", "{a: 1}", "\"a", "[1] x", "\u{a0}{}"] {
            assert!(!is_structured(text), "{text}");
        }
    }

    #[test]
    fn empty_values_are_falsy_whatever_space_they_hold() {
        for text in ["", "\"\"", " {} ", "[ \n]", "{\t}"] {
            assert!(is_falsy(text), "{text:?}");
        }
        for text in [" ", "0", "false", "null", "[0]", "\" \"", "{\"\": 0}", "{", "\""] {
            assert!(!is_falsy(text), "{text:?}");
        }
    }

    #[test]
    fn a_json_string_gives_its_text() {
        assert_eq!(string("\"plain\"").as_deref(), Some("plain"));
        assert_eq!(string(r#""a\nb\u00e9""#).as_deref(), Some("a\nbé"));
        assert_eq!(string(r#""half \ud83d""#).as_deref(), Some("half \u{fffd}"));
        for text in ["", "\"", "plain", "{}", r#""a" "b""#] {
            assert_eq!(string(text), None, "{text}");
        }
    }
}
