//! Texts that MLflow stores in a dedicated column. Columns limit the length, and PostgreSQL refuses NUL.

use std::borrow::Cow;

use xxhash_rust::xxh3::xxh3_64;

use super::rule;
use crate::json;
use crate::mlflow::{keys, tags};
use crate::openinference::Key;
use crate::otlp::Value;

/// A column that MLflow fills from an attribute, and what becomes of a text that is too long for it.
struct Column {
    limit: usize,
    too_long: Option<(&'static str, Cut)>,
}

#[derive(Clone, Copy)]
enum Cut {
    /// The beginning alone.
    Plain,
    /// The beginning and a hash: texts that differ stay different.
    Distinct,
}

/// The column of an attribute. MLflow itself cuts what has no rule here.
fn column(key: &str) -> Option<Column> {
    let (limit, too_long) = match key {
        _ if key == Key::SessionId.name() || key == Key::GenAiConversationId.name() => {
            (tags::MAX_SESSION, Some((rule::SESSION_ID, Cut::Distinct)))
        }
        _ if key == Key::UserId.name() => (tags::MAX_METADATA, Some((rule::USER_ID, Cut::Distinct))),
        keys::TRACE_NAME_ATTRIBUTE => (tags::MAX_TRACE_NAME, Some((rule::TRACE_NAME, Cut::Plain))),
        keys::SPAN_TYPE => (MAX_SPAN_TYPE, Some((rule::SPAN_TYPE, Cut::Plain))),
        keys::MODEL | keys::PROVIDER => (usize::MAX, None),
        _ if key.starts_with(keys::TRACE_TAG_PREFIX) => (usize::MAX, None),
        _ => return None,
    };
    Some(Column { limit, too_long })
}

/// `spans.type` in MLflow's schema.
const MAX_SPAN_TYPE: usize = 500;

/// The rule that an attribute breaks, and the text that its value becomes.
pub(super) fn fault(key: &str, value: Value<'_>) -> Option<(&'static str, String)> {
    // Few keys have a column; the first letter excludes most others.
    if !matches!(key.as_bytes(), [b's' | b'u' | b'g' | b'm', ..]) {
        return None;
    }
    let column = column(key)?;
    let text = json::plain_text(value)?;
    let (rule, text) = match text_fault(value, &text) {
        Some((rule, replaced)) => (Some(rule), Cow::Owned(replaced)),
        None => (None, text),
    };
    let (rule, text) = match column.too_long.filter(|_| !tags::fits(&text, column.limit)) {
        Some((rule, Cut::Plain)) => (rule, tags::truncate(&text, column.limit).to_owned()),
        Some((rule, Cut::Distinct)) => (rule, distinct(&text, column.limit)),
        None => (rule?, text.into_owned()),
    };
    // MLflow reads a JSON string as the text it spells.
    let text = if json::string(&text).is_some() { json::quoted(&text) } else { text };
    Some((rule, text))
}

/// What is wrong with a text apart from its length.
fn text_fault(value: Value<'_>, text: &str) -> Option<(&'static str, String)> {
    if text.contains('\0') {
        return Some((rule::NUL, text.replace('\0', "\u{fffd}")));
    }
    // A JSON string may hold an escaped lone surrogate, which `plain_text` has replaced.
    let spelled = value.as_str().filter(|literal| json::string(literal).is_some())?;
    matches!(json::clean(spelled), Cow::Owned(_)).then(|| (rule::JSON_TEXT, text.to_owned()))
}

fn distinct(text: &str, limit: usize) -> String {
    const HASH: usize = 17;
    format!("{}~{:016x}", tags::truncate(text, limit.saturating_sub(HASH)), xxh3_64(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repaired(key: &str, text: &str) -> Option<(&'static str, String)> {
        fault(key, Value::String(text.into()))
    }

    #[test]
    fn a_session_that_fits_is_left_alone() {
        for text in ["s".repeat(250), "🌍".repeat(250), String::new(), "\"s\"".into()] {
            assert_eq!(repaired("session.id", &text), None);
        }
    }

    #[test]
    fn sessions_that_are_too_long_stay_two() {
        let [a, b] = ["a", "b"].map(|end| repaired("session.id", &("s".repeat(250) + end)).expect("a repair"));
        assert_eq!((a.0, a.1.chars().count()), ("session-id", 250));
        assert_eq!(a.1.get(..234), b.1.get(..234));
        assert_ne!(a.1, b.1);
        assert_eq!(repaired("session.id", &a.1), None);
    }

    #[test]
    fn a_session_is_measured_as_mlflow_reads_it() {
        assert_eq!(repaired("session.id", &format!("\"{}\"", "s".repeat(250))), None);
        assert_eq!(repaired("gen_ai.conversation.id", &"é".repeat(251)).map(|(rule, _)| rule), Some("session-id"));
    }

    #[test]
    fn columns_get_neither_nul_nor_half_a_surrogate_pair() {
        assert_eq!(repaired("user.id", "a\0b"), Some(("nul", "a\u{fffd}b".into())));
        assert_eq!(repaired("mlflow.traceTag.x", "\"a\\u0000\""), Some(("json-text", "a\u{fffd}".into())));
        assert_eq!(repaired("mlflow.llm.model", "\"a\\ud83d\""), Some(("json-text", "a\u{fffd}".into())));
        assert_eq!(repaired("some.key", "a\0b"), None);
    }

    #[test]
    fn a_repaired_text_is_read_unchanged_even_when_it_looks_like_a_json_string() {
        let twice = json::quoted("\"a\\u0000\"");
        let (_, once) = repaired("user.id", &format!("{twice}\0")).expect("a repair");
        assert_eq!(once, format!("{twice}\u{fffd}"));
        let (_, literal) = repaired("user.id", "\"\\\"a\\u0000\\\"\"").expect("a repair");
        assert_eq!(json::string(&literal).as_deref(), Some("\"a\u{fffd}\""));
        assert_eq!(repaired("user.id", &literal), None);
    }

    #[test]
    fn names_are_cut() {
        assert_eq!(
            repaired("mlflow.traceTag.mlflow.traceName", &"n".repeat(4097)),
            Some(("trace-name", "n".repeat(4096)))
        );
        assert_eq!(repaired("mlflow.spanType", &"t".repeat(501)), Some(("span-type", "t".repeat(500))));
    }
}
