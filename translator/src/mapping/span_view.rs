//! A view of one span's attributes for the mapping rules: one pass finds the known keys, and values are parsed once, on
//! demand.

use std::borrow::Cow;
use std::cell::OnceCell;

use super::attribute_value::AttributeValue;
use crate::json;
use crate::json::JsonValue;
use crate::mlflow::keys;
use crate::openinference::{Families, Family, Key, TokenCount, count, number, split_at_dot};
use crate::otlp::{Span, Value};

/// The attributes of a span. The span must have been [repaired](super::repair): text that is no UTF-8 reads as empty.
#[derive(Clone, Debug)]
pub(super) struct SpanView<'s, 'a> {
    span: &'s Span<'a>,
    /// Where in the span's attributes each key is, plus one; of repeated keys the last, as MLflow has it.
    places: [u32; Key::COUNT],
    /// The values that a rule has asked for.
    values: Cache<'a>,
    families: Families,
    carries_mlflow: bool,
    is_mlflows: bool,
}

/// A list that only grows, so that what it holds can be borrowed while more is added. Rules ask for few values of a span.
type Cache<'a> = OnceCell<Box<CachedValue<'a>>>;

#[derive(Clone, Debug)]
struct CachedValue<'a> {
    key: Key,
    value: Option<AttributeValue<'a>>,
    next: Cache<'a>,
}

impl<'s, 'a> SpanView<'s, 'a> {
    /// Reads a span.
    pub(super) fn read(span: &'s Span<'a>) -> Self {
        let mut view = Self {
            span,
            places: [0; Key::COUNT],
            values: Cache::new(),
            families: Families::default(),
            carries_mlflow: false,
            is_mlflows: false,
        };
        for (place, attribute) in (1..).zip(&span.attributes) {
            let name = attribute.key.get();
            let Some((head, tail)) = split_at_dot(name) else { continue };
            if head == "mlflow" {
                view.carries_mlflow = true;
                view.is_mlflows |= name == keys::TRACE_REQUEST_ID;
                continue;
            }
            if let Some(family) = Family::of(head, tail) {
                view.families.insert(family);
            }
            if let Some(found) = Key::find(head, tail).and_then(|key| view.places.get_mut(key as usize)) {
                *found = place;
            }
        }
        view
    }

    /// The span itself.
    pub(super) fn span(&self) -> &'s Span<'a> {
        self.span
    }

    /// Whether the span is OpenInference's, and not one that MLflow made itself.
    pub(super) fn is_openinference(&self) -> bool {
        !self.families.is_empty() && !self.is_mlflows
    }

    /// The families of OpenInference attributes that the span carries.
    pub(super) fn families(&self) -> Families {
        self.families
    }

    /// Whether the producer has set an `mlflow.*` attribute itself.
    pub(super) fn has_set(&self, key: &str) -> bool {
        self.carries_mlflow && self.span.attribute(key).is_some()
    }

    /// The value of an attribute.
    #[inline]
    pub(super) fn get(&self, key: Key) -> Option<Value<'a>> {
        let place = self.places.get(key as usize)?.checked_sub(1)?;
        self.span.attributes.get(place as usize).map(|attribute| attribute.value)
    }

    /// The value of an attribute as MLflow reads it; `None` where it is missing or what Python calls false.
    #[inline]
    pub(super) fn value(&self, key: Key) -> Option<&AttributeValue<'a>> {
        let value = self.get(key)?;
        let mut cache = &self.values;
        loop {
            let read = || CachedValue { key, value: AttributeValue::read(value), next: Cache::new() };
            let cached = cache.get_or_init(|| Box::new(read()));
            if cached.key == key {
                return cached.value.as_ref();
            }
            cache = &cached.next;
        }
    }

    /// Whether an attribute holds objects as Python prints them.
    pub(super) fn is_printed(&self, key: Key) -> bool {
        self.value(key).is_some_and(AttributeValue::is_printed)
    }

    /// The JSON object, array or string in an attribute.
    pub(super) fn json(&self, key: Key) -> Option<JsonValue<'_>> {
        self.value(key)?.json()
    }

    /// The text of an attribute that is a string and not empty; a JSON string is the text it spells, as MLflow has it.
    pub(super) fn text(&self, key: Key) -> Option<Cow<'a, str>> {
        let text = self.get(key)?.as_str()?;
        Some(json::string(text).unwrap_or(Cow::Borrowed(text))).filter(|text| !text.is_empty())
    }

    /// A count, in any of the forms in which they are sent.
    pub(super) fn count(&self, key: Key) -> TokenCount {
        self.get(key).map_or(TokenCount::None, count)
    }

    /// A finite number, in any of the forms in which they are sent.
    pub(super) fn number(&self, key: Key) -> Option<f64> {
        self.get(key).and_then(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otlp::write::Attributes;

    #[test]
    fn of_repeated_keys_the_last_counts() {
        let mut attributes = Attributes::default();
        for (key, value) in [("llm.provider", "first"), ("metadata", "{}"), ("llm.provider", "\"l\\u00e4st\"")] {
            attributes.put_str(key, value);
        }
        let span = Span::parse(attributes.as_bytes()).expect("a span");
        let view = SpanView::read(&span);
        assert_eq!(view.text(Key::Provider).as_deref(), Some("läst"));
        assert!(view.is_openinference() && view.families().contains(Family::Llm));
        assert!(view.get(Key::ModelName).is_none() && !view.has_set(keys::MODEL));
    }

    #[test]
    fn a_span_that_mlflow_made_is_not_openinferences() {
        let mut attributes = Attributes::default();
        attributes.put_str("input.value", "x");
        attributes.put_str(keys::TRACE_REQUEST_ID, "\"tr-1\"");
        let span = Span::parse(attributes.as_bytes()).expect("a span");
        assert!(!SpanView::read(&span).is_openinference());
    }
}
