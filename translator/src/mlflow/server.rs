//! What an MLflow server can take, by its version.

use std::fmt;

use crate::mapping::{Additions, Mapped};
use crate::otlp::write::Attributes;

/// `major.minor` of a server; an unknown one is taken to be current.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u16, pub u16);

impl Version {
    /// The version that this crate was measured against.
    pub const CURRENT: Self = Self(3, 17);
    /// The first that translates OpenTelemetry spans and takes several traces in one request.
    pub const OLDEST: Self = Self(3, 6);
    /// The first that takes JSON text for objects; before, it stores the text encoded twice.
    pub const JSON_TEXT: Self = Self(3, 7);
    /// The first that makes trace tags of `mlflow.traceTag.*` attributes.
    pub const TRACE_TAGS: Self = Self(3, 14);

    /// Reads what `GET /version` answers: `3.17.2`, `3.18.0.dev0`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.trim().split('.').map(str::parse);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(major)), Some(Ok(minor))) => Some(Self(major, minor)),
            _ => None,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// Writes additions the way a server of this version reads them.
///
/// From 3.7 JSON travels as text: MLflow encodes every attribute once and strips that layer again from text that holds
/// an object, an array or a string. 3.6 strips nothing, so there objects travel as `kvlist` and arrays as `array`.
pub fn write(additions: &Additions<'_>, version: Version) -> Attributes {
    let mut attributes = Attributes::default();
    for (key, mapped) in additions.iter() {
        if version < Version::JSON_TEXT
            && let Ok(value) = serde_json::from_str::<serde_json::Value>(&mapped.as_text())
            && (value.is_object() || value.is_array())
        {
            attributes.put_json(key, &value);
            continue;
        }
        match mapped {
            Mapped::Text(text) => attributes.put_str(key, text),
            Mapped::Json(value) => attributes.put_str(key, &value.to_string()),
        }
    }
    attributes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otlp::{Span, Value};

    #[test]
    fn versions_are_read_and_compared() {
        assert_eq!(Version::parse("3.17.2"), Some(Version(3, 17)));
        assert_eq!(Version::parse("3.18.0.dev0\n"), Some(Version(3, 18)));
        assert_eq!(Version::parse("nightly"), None);
        assert!(Version(3, 9) < Version(3, 10));
    }

    #[test]
    fn objects_travel_as_text_from_3_7_and_as_kvlist_before() {
        let mut additions = Additions::default();
        additions.push("object", Mapped::Json(serde_json::json!({"a": 1})));
        additions.push_text("text", "42");
        let current = write(&additions, Version::CURRENT);
        let old = write(&additions, Version(3, 6));
        let current = Span::parse(current.as_bytes()).unwrap();
        let old = Span::parse(old.as_bytes()).unwrap();
        assert_eq!(current.attribute("object").and_then(|value| value.as_str()), Some(r#"{"a":1}"#));
        assert!(matches!(old.attribute("object"), Some(Value::KvList(_))));
        assert_eq!(old.attribute("text").and_then(|value| value.as_str()), Some("42"));
    }
}
