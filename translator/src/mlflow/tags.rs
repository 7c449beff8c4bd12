//! What MLflow accepts as a trace tag, and how long texts may be (`mlflow/utils/validation.py` and the columns of
//! `mlflow/store/tracking/dbmodels/models.py`, MLflow 3.17). Lengths are in characters.

use std::borrow::Cow;

use crate::json;

/// The greatest length of a tag's key.
pub const MAX_KEY: usize = 250;
/// The greatest length of a tag's value; MLflow cuts what is longer.
pub const MAX_VALUE: usize = 8000;
/// The greatest length of a trace's name; MLflow refuses a request with a longer one.
pub const MAX_TRACE_NAME: usize = 4096;
/// The greatest length of a session id; MLflow refuses a request with a longer one.
pub const MAX_SESSION: usize = 250;
/// The greatest length of any other trace metadata.
pub const MAX_METADATA: usize = 8000;

/// Whether MLflow takes a text for a tag's key: letters, digits and `_-. :/`, and as a path it names itself.
pub fn is_key(key: &str) -> bool {
    let allowed =
        |character: char| character.is_alphanumeric() || matches!(character, '_' | '-' | '.' | ' ' | ':' | '/');
    !key.starts_with("..")
        && key.chars().all(allowed)
        && fits(key, MAX_KEY)
        && key.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

/// A tag's value, cut as MLflow cuts it, and such that it may travel as an attribute.
pub fn value(text: &str) -> Cow<'_, str> {
    column(truncate(text, MAX_VALUE))
}

/// A trace's name from a span's, cut to what MLflow takes, and such that it may travel as an attribute.
pub fn trace_name(name: &str) -> Cow<'_, str> {
    column(truncate(name, MAX_TRACE_NAME))
}

/// A text for a column: PostgreSQL refuses NUL characters, and MLflow parses what arrives in an attribute.
pub fn column<'a>(text: impl Into<Cow<'a, str>>) -> Cow<'a, str> {
    let text = text.into();
    let text = if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { text };
    match json::storable(&text) {
        Cow::Owned(storable) => Cow::Owned(storable),
        Cow::Borrowed(_) => text,
    }
}

/// Whether a text is at most so many characters long.
#[inline]
pub fn fits(text: &str, limit: usize) -> bool {
    text.len() <= limit || text.chars().count() <= limit
}

/// The first so many characters of a text.
pub fn truncate(text: &str, limit: usize) -> &str {
    if text.len() <= limit {
        return text;
    }
    let end = text.char_indices().nth(limit).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_what_mlflow_takes() {
        for key in ["env", "service.name", "a/b", "a: b-c_d", "größe", ".hidden", "a..b", &"k".repeat(250)] {
            assert!(is_key(key), "{key}");
        }
        for key in ["", "%", "a\"b", "/a", "a/", "a//b", "./a", "a/..", "..", "..a", ".", "tab\t", &"k".repeat(251)] {
            assert!(!is_key(key), "{key}");
        }
    }

    #[test]
    fn lengths_count_characters_and_not_bytes() {
        let text = "é".repeat(MAX_VALUE);
        assert_eq!(value(&text), text);
        assert_eq!(value(&format!("{text}x")), text);
        assert!(fits(&text, MAX_VALUE) && !fits(&text, MAX_VALUE - 1));
    }

    #[test]
    fn names_may_look_like_json_that_mlflow_cannot_hold() {
        assert_eq!(trace_name(&"n".repeat(MAX_TRACE_NAME + 1)), "n".repeat(MAX_TRACE_NAME));
        let deep = "[".repeat(2000);
        assert_eq!(trace_name(&deep), json::quoted(&deep));
    }

    #[test]
    fn values_hold_no_nul() {
        assert_eq!(value("a\0b"), "a\u{fffd}b");
    }
}
