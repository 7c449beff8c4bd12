//! What surrounds a span: its resource and its scope.

use std::sync::OnceLock;

use crate::mapping::tags;
use crate::otlp::KeyValue;
use crate::otlp::span::resource_attributes;

/// What surrounds a span: shared by the spans of one scope of one payload.
#[derive(Debug, Default)]
pub struct Envelope {
    /// The fields of `ResourceSpans` other than `scope_spans`.
    pub resource: Box<[u8]>,
    /// The fields of `ScopeSpans` other than `spans`.
    pub scope: Box<[u8]>,
    /// `openinference.project.name`.
    pub project: Option<Box<str>>,
    /// Made when they are asked for: most traces have one resource.
    tags: OnceLock<Vec<(String, String)>>,
}

impl Envelope {
    /// Reads what a trace needs of a (repaired) envelope; `attributes` are those of the resource.
    pub fn of(resource: &[u8], scope: &[u8], attributes: &[KeyValue<'_>]) -> Self {
        Self {
            resource: resource.into(),
            scope: scope.into(),
            project: tags::project(attributes).map(Into::into),
            tags: OnceLock::new(),
        }
    }

    /// The trace tags that MLflow makes of the resource.
    pub fn tags(&self) -> &[(String, String)] {
        self.tags.get_or_init(|| tags::of_resource(&resource_attributes(&self.resource).unwrap_or_default()))
    }
}
