//! What a span added, and how MLflow will read it.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::json;
use crate::otlp::{Span, Value};

/// The `mlflow.*` attributes that a span added, in the order in which they are appended. No key occurs twice.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AddedAttributes<'a>(Vec<(Cow<'static, str>, Mapped<'a>)>);

/// As many as most spans gain.
const USUAL: usize = 8;

/// The value of an added attribute, before it is written for one MLflow version.
#[derive(Clone, Debug, PartialEq)]
pub enum Mapped<'a> {
    /// Text. MLflow reads text that holds a JSON object, array or string as that JSON value, and any other text (also `42`,
    /// `true` and `null`) as a string.
    Text(Cow<'a, str>),
    /// A JSON value.
    Json(serde_json::Value),
}

impl<'a> AddedAttributes<'a> {
    /// Adds an attribute, unless one of that name is there.
    pub fn push(&mut self, key: impl Into<Cow<'static, str>>, value: Mapped<'a>) {
        let key = key.into();
        if self.get(&key).is_none() {
            if self.0.is_empty() {
                self.0.reserve(USUAL);
            }
            self.0.push((key, value));
        }
    }

    /// Adds a text, unless an attribute of that name is there.
    pub fn push_text(&mut self, key: impl Into<Cow<'static, str>>, text: impl Into<Cow<'a, str>>) {
        self.push(key, Mapped::Text(text.into()));
    }

    /// The value of an attribute.
    pub fn get(&self, key: &str) -> Option<&Mapped<'a>> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Mapped<'a>)> {
        self.0.iter().map(|(key, value)| (key.as_ref(), value))
    }

    /// Changes texts, those inside JSON values too; `None` leaves one.
    pub fn change_texts(&mut self, change: &mut dyn FnMut(&str) -> Option<String>) {
        for (_, value) in &mut self.0 {
            match value {
                Mapped::Text(text) => *text = change(text).map_or_else(|| std::mem::take(text), Cow::Owned),
                Mapped::Json(value) => change_strings(value, change),
            }
        }
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same, borrowing nothing.
    pub fn into_owned(self) -> AddedAttributes<'static> {
        AddedAttributes(self.0.into_iter().map(|(key, value)| (key, value.into_owned())).collect())
    }
}

fn change_strings(value: &mut serde_json::Value, change: &mut dyn FnMut(&str) -> Option<String>) {
    use serde_json::Value::{Array, Object, String};
    match value {
        String(text) => {
            if let Some(changed) = change(text) {
                *text = changed;
            }
        }
        Array(items) => items.iter_mut().for_each(|item| change_strings(item, change)),
        Object(entries) => entries.values_mut().for_each(|entry| change_strings(entry, change)),
        _ => {}
    }
}

impl Mapped<'_> {
    /// The text itself, or the JSON value's text.
    pub fn as_text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Json(value) => Cow::Owned(value.to_string()),
        }
    }

    /// The same, borrowing nothing.
    pub fn into_owned(self) -> Mapped<'static> {
        match self {
            Self::Text(text) => Mapped::Text(Cow::Owned(text.into_owned())),
            Self::Json(value) => Mapped::Json(value),
        }
    }
}

impl<'a> From<Value<'a>> for Mapped<'a> {
    /// A value that a producer has set, as MLflow reads it.
    fn from(value: Value<'a>) -> Self {
        match value {
            Value::String(text) => Self::Text(Cow::Borrowed(text.get())),
            Value::Empty => Self::Json(serde_json::Value::Null),
            Value::Bool(flag) => Self::Json(flag.into()),
            Value::Int(number) => Self::Json(number.into()),
            Value::Double(number) if number.is_finite() => Self::Json(number.into()),
            // Text of the value, which MLflow reads as the value again.
            Value::Array(_) | Value::KvList(_) => Self::Text(Cow::Owned(json::value_text(value))),
            Value::Double(number) => Self::Text(Cow::Borrowed(json::not_finite_text(number))),
            Value::Bytes(bytes) => Self::Text(Cow::Owned(STANDARD.encode(bytes))),
        }
    }
}

/// The value that MLflow will hold under a key: the producer's own, else the added one.
pub fn stored<'f, 'a>(span: &Span<'a>, added: &'f AddedAttributes<'a>, key: &str) -> Option<Cow<'f, Mapped<'a>>> {
    let set = span.attribute(key).map(|value| Cow::Owned(Mapped::from(value)));
    set.or_else(|| added.get(key).map(Cow::Borrowed))
}
