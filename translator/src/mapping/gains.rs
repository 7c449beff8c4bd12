//! The attributes that a span gains, while they are collected.

use std::borrow::Cow;

use super::facts::Facts;
use super::{Additions, Mapped};

/// Additions to one span. What the producer has set itself is never added.
#[derive(Debug)]
pub(super) struct Gains<'f, 's, 'a> {
    facts: &'f Facts<'s, 'a>,
    additions: Additions<'a>,
}

impl<'f, 's, 'a> Gains<'f, 's, 'a> {
    /// Starts with none.
    pub(super) fn new(facts: &'f Facts<'s, 'a>) -> Self {
        Self { facts, additions: Additions::default() }
    }

    /// Whether an attribute is missing: ask before working out a value.
    pub(super) fn lacks(&self, key: &'static str) -> bool {
        !self.facts.has_set(key) && self.additions.get(key).is_none()
    }

    /// Adds an attribute that is missing.
    pub(super) fn add(&mut self, key: &'static str, value: Mapped<'a>) {
        if self.lacks(key) {
            self.additions.push(key, value);
        }
    }

    /// Adds a text that is missing.
    pub(super) fn add_text(&mut self, key: &'static str, text: impl Into<Cow<'a, str>>) {
        self.add(key, Mapped::Text(text.into()));
    }

    /// What MLflow will hold under a key.
    pub(super) fn stored(&self, key: &'static str) -> Option<Mapped<'a>> {
        if self.facts.has_set(key) {
            return self.facts.span().attribute(key).map(Mapped::from);
        }
        self.additions.get(key).cloned()
    }

    /// What was added.
    pub(super) fn into_additions(self) -> Additions<'a> {
        self.additions
    }
}
