//! The trace tags that a trace gains from the resources of its spans.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::assembly::envelope::Envelope;
use crate::gather::gather;

/// The tags of all resources of a trace. Most traces have one resource, whose tags stay in its envelope.
#[derive(Debug, Default)]
pub enum ResourceTags {
    /// No span arrived yet.
    #[default]
    None,
    /// All resources so far have the same tags.
    Shared(Arc<Envelope>),
    /// Of several values the least, so that the order of arrival has no part in it; and whether there were several of any tag.
    Merged(BTreeMap<String, String>, bool),
}

impl ResourceTags {
    /// Adds the tags of a resource.
    pub fn learn(&mut self, envelope: &Arc<Envelope>) {
        match self {
            Self::None => *self = Self::Shared(Arc::clone(envelope)),
            Self::Shared(known) if Arc::ptr_eq(known, envelope) || known.tags() == envelope.tags() => {}
            Self::Shared(known) => {
                let mut merged = Self::Merged(gather(known.tags().iter().cloned()), false);
                merged.learn(envelope);
                *self = merged;
            }
            Self::Merged(tags, is_mixed) => {
                for (key, value) in envelope.tags() {
                    let known = tags.entry(key.clone()).or_insert_with(|| value.clone());
                    *is_mixed |= known != value;
                    if value < known {
                        known.clone_from(value);
                    }
                }
            }
        }
    }

    /// Whether two resources disagree on a tag.
    pub fn are_mixed(&self) -> bool {
        matches!(self, Self::Merged(_, true))
    }

    /// Whether they say anything else than the tags of a resource that is among them.
    pub fn differ_from(&self, envelope: &Arc<Envelope>) -> bool {
        match self {
            Self::None => false,
            Self::Shared(known) => !Arc::ptr_eq(known, envelope) && known.tags().len() > envelope.tags().len(),
            Self::Merged(tags, is_mixed) => *is_mixed || tags.len() > envelope.tags().len(),
        }
    }

    /// Keys and values.
    pub fn to_map(&self) -> BTreeMap<String, String> {
        match self {
            Self::None => BTreeMap::new(),
            Self::Shared(envelope) => gather(envelope.tags().iter().cloned()),
            Self::Merged(tags, _) => tags.clone(),
        }
    }
}
