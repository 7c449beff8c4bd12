//! What a trace remembers of a root span: its name, and the trace tags set on it.

use std::sync::Arc;

use super::envelope::Envelope;
use crate::mlflow::{self, keys};
use crate::otlp::Span;

/// A root span, remembered after its bytes were sent.
#[derive(Clone, Debug)]
pub struct Root {
    /// The span's name, which names a trace without OpenInference spans.
    pub name: String,
    /// Trace tags that the producer has set (`mlflow.traceTag.*`): they win over all others.
    pub tags: Vec<(String, String)>,
    /// What surrounds it: its resource wins over those of other spans.
    pub envelope: Arc<Envelope>,
}

impl Root {
    /// A (repaired) span, if it is a root.
    pub fn of(span: &Span<'_>, envelope: &Arc<Envelope>) -> Option<Self> {
        span.is_root().then(|| {
            let tags = span.attributes.iter().filter_map(|attribute| {
                let key = attribute.key.get().strip_prefix(keys::TRACE_TAG_PREFIX)?;
                Some((key.to_owned(), attribute.value.as_str()?.to_owned()))
            });
            Self {
                name: mlflow::tags::trace_name(span.name.get()).into_owned(),
                tags: tags.collect(),
                envelope: Arc::clone(envelope),
            }
        })
    }
}
