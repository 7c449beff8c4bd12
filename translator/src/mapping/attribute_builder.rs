//! Collecting what a span gains.

use std::borrow::Cow;

use super::span_view::SpanView;
use crate::mlflow::{AddedAttributes, Mapped};

/// Collects the added attributes of one span. Attributes that the producer has set are never added.
#[derive(Debug)]
pub(super) struct AttributeBuilder<'f, 's, 'a> {
    view: &'f SpanView<'s, 'a>,
    added: AddedAttributes<'a>,
}

impl<'f, 's, 'a> AttributeBuilder<'f, 's, 'a> {
    /// Starts with none.
    pub(super) fn new(view: &'f SpanView<'s, 'a>) -> Self {
        Self { view, added: AddedAttributes::default() }
    }

    /// Whether an attribute is missing: ask before working out a value.
    pub(super) fn lacks(&self, key: &'static str) -> bool {
        !self.view.has_set(key) && self.added.get(key).is_none()
    }

    /// Adds an attribute that is missing.
    pub(super) fn add(&mut self, key: &'static str, value: Mapped<'a>) {
        if self.lacks(key) {
            self.added.push(key, value);
        }
    }

    /// Adds a text that is missing.
    pub(super) fn add_text(&mut self, key: &'static str, text: impl Into<Cow<'a, str>>) {
        self.add(key, Mapped::Text(text.into()));
    }

    /// What MLflow will hold under a key.
    pub(super) fn stored(&self, key: &'static str) -> Option<Cow<'_, Mapped<'a>>> {
        if self.view.has_set(key) {
            return self.view.span().attribute(key).map(|value| Cow::Owned(Mapped::from(value)));
        }
        self.added.get(key).map(Cow::Borrowed)
    }

    /// What was added.
    pub(super) fn finish(self) -> AddedAttributes<'a> {
        self.added
    }
}
