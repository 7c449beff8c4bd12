//! What an MLflow server can take, by its version.

use std::fmt;

use serde_json::Value;

use crate::json;
use crate::mlflow::{AddedAttributes, Mapped};
use crate::otlp::write::Attributes;

/// `major.minor` of a server; an unknown one is taken to be [`ServerVersion::CURRENT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServerVersion(pub u16, pub u16);

impl ServerVersion {
    /// The first that translates OTLP spans. Before 3.4 there is no `/v1/traces`; 3.4 and 3.5 store what they cannot
    /// show.
    pub const OLDEST: Self = Self(3, 6);
    /// The version that this crate was written against.
    pub const CURRENT: Self = Self(3, 17);

    /// The first that reads JSON text as the value it spells; before, it stores the text, quotes and all.
    pub const JSON_TEXT: Self = Self(3, 7);
    /// The first that reads JSON text of an array as the array (3.11.1 `sanitize_attributes`).
    pub const ARRAY_TEXT: Self = Self(3, 11);
    /// The first that links traces to prompts, so that a search finds them by these.
    pub const PROMPT_LINKS: Self = Self(3, 7);
    /// The first that keeps the metadata of a trace when a trace info does not repeat it. Before, the store answers 500
    /// ("Dependency rule … tried to blank-out primary key column", 3.6.0 `SqlAlchemyStore.start_trace`).
    pub const KEEPS_METADATA: Self = Self(3, 12);
    /// The first whose UI draws attachments in conversations (3.11 stores them).
    pub const ATTACHMENTS: Self = Self(3, 12);
    /// The first that stores a span in the trace of its OTLP trace id, whatever `mlflow.traceRequestId` it carries.
    pub const OTLP_TRACE_ID: Self = Self(3, 13);
    /// The first that makes trace tags of a root's `mlflow.traceTag.*` attributes, and of resources.
    pub const TRACE_TAGS: Self = Self(3, 14);
    /// The first that reads the session and the user of a trace as plain text. Versions from 3.8 on keep the quotes of JSON,
    /// earlier ones read neither.
    pub const SESSIONS: Self = Self(3, 14);
    /// The first that counts the tokens and costs of a trace once if a span repeats what is below it.
    pub const TREE_TOTALS: Self = Self(3, 15);

    /// Whether the server reads the JSON text of this value as the value.
    fn reads_text_of(self, value: &Value) -> bool {
        self >= if value.is_array() { Self::ARRAY_TEXT } else { Self::JSON_TEXT }
    }

    /// Reads what `GET /version` answers: `3.17.2`, `3.18.0.dev0`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('.');
        Some(Self(parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    }
}

/// Who reads the spans that are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// An MLflow server of this version.
    Server(ServerVersion),
    /// Unity Catalog, which MLflow's own client (3.17) sends objects and arrays as OTLP's own.
    UnityCatalog,
}

impl Reader {
    /// Whether it reads the JSON text of this value as the value.
    fn reads_text_of(self, value: &Value) -> bool {
        matches!(self, Self::Server(version) if version.reads_text_of(value))
    }

    /// Whether it reads the JSON text of any object or array as the value.
    fn reads_text(self) -> bool {
        matches!(self, Self::Server(version) if version >= ServerVersion::ARRAY_TEXT)
    }

    /// Whether it stores a span in the trace that `mlflow.traceRequestId` names.
    pub fn trusts_request_id(self) -> bool {
        matches!(self, Self::Server(version) if version < ServerVersion::OTLP_TRACE_ID)
    }
}

impl fmt::Display for ServerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// What an attribute takes on the wire beside its key and its text: tags and lengths, or a number.
const OVERHEAD: usize = 24;

/// Writes added attributes the way this reader reads them.
///
/// To servers from 3.7 on objects travel as JSON text, from 3.11 on arrays as well; otherwise they must travel as OTLP's own.
pub fn write(added: &AddedAttributes<'_>, reader: Reader) -> Attributes {
    let text_len = |value: &Mapped<'_>| if let Mapped::Text(text) = value { text.len() } else { 0 };
    let lengths = added.iter().map(|(key, value)| key.len() + text_len(value) + OVERHEAD);
    let mut out = Attributes::with_capacity(lengths.sum());
    for (key, value) in added.iter() {
        match value {
            Mapped::Text(text) if !reader.reads_text() => match parsed(text) {
                Some(value) if !reader.reads_text_of(&value) => out.put_json(key, &value),
                _ => out.put_str(key, text),
            },
            Mapped::Text(text) => out.put_str(key, text),
            Mapped::Json(value) if !reader.reads_text_of(value) => out.put_json(key, value),
            Mapped::Json(value @ (Value::Object(_) | Value::Array(_))) => out.put_str(key, &value.to_string()),
            // Encoded once more, or it would be read as the value it spells.
            Mapped::Json(Value::String(text)) if json::is_structured(text) => out.put_str(key, &json::quoted(text)),
            Mapped::Json(value) => out.put_json(key, value),
        }
    }
    out
}

fn parsed(text: &str) -> Option<Value> {
    if json::is_structured(text) { serde_json::from_str(text).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otlp::{Span, Value as Otlp};

    const OLD: ServerVersion = ServerVersion(3, 6);

    fn written<'a>(value: Mapped<'a>, version: ServerVersion) -> Vec<u8> {
        let mut added = AddedAttributes::default();
        added.push("key", value);
        write(&added, Reader::Server(version)).into_bytes()
    }

    fn text_at(bytes: &[u8]) -> Option<&str> {
        let span = Span::parse(bytes).expect("written attributes are a span's fields");
        span.attribute("key").and_then(|value| value.as_str())
    }

    #[test]
    fn versions_are_read_from_releases_and_pre_releases() {
        assert_eq!(ServerVersion::parse("3.17.2"), Some(ServerVersion(3, 17)));
        assert_eq!(ServerVersion::parse(" 3.18.0.dev0\n"), Some(ServerVersion(3, 18)));
        assert_eq!(ServerVersion::parse("3.6"), Some(ServerVersion::OLDEST));
        for text in ["", "3", "three.one", "<html>", "99999999.1"] {
            assert_eq!(ServerVersion::parse(text), None, "{text}");
        }
    }

    #[test]
    fn versions_are_compared_by_number() {
        assert!(
            ServerVersion::OLDEST < ServerVersion::JSON_TEXT
                && ServerVersion(3, 9) < ServerVersion(3, 10)
                && ServerVersion(3, 99) < ServerVersion(4, 0)
        );
        assert_eq!(ServerVersion::CURRENT.to_string(), "3.17");
    }

    #[test]
    fn current_servers_get_json_as_text() {
        let object = serde_json::json!({"a": [1]});
        assert_eq!(text_at(&written(Mapped::Json(object), ServerVersion::CURRENT)), Some(r#"{"a":[1]}"#));
        assert_eq!(text_at(&written(Mapped::Text("{\"a\": 1}".into()), ServerVersion::CURRENT)), Some("{\"a\": 1}"));
    }

    #[test]
    fn a_string_that_looks_like_json_stays_a_string() {
        let value = Mapped::Json(Value::from("[1]"));
        assert_eq!(text_at(&written(value, ServerVersion::CURRENT)), Some("\"[1]\""));
    }

    #[test]
    fn servers_before_3_11_get_arrays_as_otlp_values_and_objects_as_text() {
        let (text, array) = (r#"{"a":[1]}"#, r#"[{"a":1}]"#);
        for version in [ServerVersion(3, 7), ServerVersion(3, 10)] {
            assert_eq!(text_at(&written(Mapped::Text(text.into()), version)), Some(text));
            for value in [Mapped::Text(array.into()), Mapped::Json(serde_json::json!([{"a": 1}]))] {
                let bytes = written(value, version);
                let span = Span::parse(&bytes).expect("written attributes are a span's fields");
                assert!(matches!(span.attribute("key"), Some(Otlp::Array(_))), "{span:?}");
            }
        }
        assert_eq!(text_at(&written(Mapped::Text(array.into()), ServerVersion::ARRAY_TEXT)), Some(array));
    }

    #[test]
    fn the_oldest_server_gets_objects_as_otlp_values() {
        let bytes = written(Mapped::Text(r#"{"a": 1}"#.into()), OLD);
        let span = Span::parse(&bytes).expect("written attributes are a span's fields");
        let Some(Otlp::KvList(entries)) = span.attribute("key") else { panic!("{span:?}") };
        assert_eq!(
            entries.iter().map(|entry| (entry.key.get(), entry.value)).collect::<Vec<_>>(),
            [("a", Otlp::Int(1))]
        );
        for text in ["plain", "42", "[1"] {
            assert_eq!(text_at(&written(Mapped::Text(text.into()), OLD)), Some(text));
        }
    }
}
