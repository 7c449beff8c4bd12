//! What surrounds a span: its resource and its scope.

use crate::mapping::tags;
use crate::otlp::KeyValue;

/// What surrounds a span: shared by the spans of one scope of one payload.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// The fields of `ResourceSpans` other than `scope_spans`.
    pub resource: Box<[u8]>,
    /// The fields of `ScopeSpans` other than `spans`.
    pub scope: Box<[u8]>,
    /// `openinference.project.name`.
    pub project: Option<Box<str>>,
    /// The trace tags that MLflow makes of the resource.
    pub tags: Vec<(String, String)>,
}

impl Envelope {
    /// Reads what a trace needs of a (repaired) envelope; `attributes` are those of the resource.
    pub fn of(resource: &[u8], scope: &[u8], attributes: &[KeyValue<'_>]) -> Self {
        Self {
            resource: resource.into(),
            scope: scope.into(),
            project: tags::project(attributes).map(Into::into),
            tags: tags::of_resource(attributes),
        }
    }
}
