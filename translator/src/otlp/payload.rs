//! `ExportTraceServiceRequest`: the envelope around spans.
//!
//! A span travels inside a resource and a scope. The bytes of both that are not spans are kept as two *envelopes*, so
//! that a payload can be taken apart and put together again (see [`write`](super::write)) with unknown fields intact.

use std::borrow::Cow;

use super::wire::{Fields, Wire};
use super::{KeyValue, Malformed, Span};

/// A payload taken apart. Every span in it was read once, so that reading it again cannot fail.
#[derive(Debug, Default)]
pub struct Payload<'a> {
    /// One entry for each `ScopeSpans` that holds a span, in order.
    pub groups: Vec<ScopeSpans<'a>>,
}

/// The spans of one instrumentation scope of one resource.
#[derive(Clone, Debug)]
pub struct ScopeSpans<'a> {
    /// The fields of `ResourceSpans` other than `scope_spans`.
    pub resource: Cow<'a, [u8]>,
    /// The attributes of the resource.
    pub resource_attributes: Vec<KeyValue<'a>>,
    /// The fields of `ScopeSpans` other than `spans`.
    pub scope: Cow<'a, [u8]>,
    /// The spans.
    pub spans: Vec<Span<'a>>,
}

impl<'a> Payload<'a> {
    /// Reads a whole payload. An empty one has no groups and is no error: OTLP allows it.
    pub fn parse(body: &'a [u8]) -> Result<Self, Malformed> {
        let mut groups = Vec::new();
        let mut fields = Fields::new(body);
        while let Some(field) = fields.next_field()? {
            if let (1, Wire::Bytes(resource_spans)) = (field.number, field.wire) {
                parse_resource_spans(resource_spans, &mut groups)?;
            }
        }
        Ok(Self { groups })
    }

    /// How many spans the payload holds.
    pub fn span_count(&self) -> usize {
        self.groups.iter().map(|group| group.spans.len()).sum()
    }
}

fn parse_resource_spans<'a>(message: &'a [u8], groups: &mut Vec<ScopeSpans<'a>>) -> Result<(), Malformed> {
    let (resource, scope_spans) = split(message, 2)?;
    let resource_attributes = super::span::resource_attributes(message)?;
    for message in scope_spans {
        let (scope, spans) = split(message, 2)?;
        super::span::validate_scope(&scope)?;
        if spans.is_empty() {
            continue;
        }
        let mut parsed = Vec::with_capacity(spans.len());
        for span in spans {
            parsed.push(Span::parse(span)?);
        }
        let (resource, resource_attributes) = (resource.clone(), resource_attributes.clone());
        groups.push(ScopeSpans { resource, resource_attributes, scope, spans: parsed });
    }
    Ok(())
}

/// An envelope, and the messages taken out of it.
type Split<'a> = (Cow<'a, [u8]>, Vec<&'a [u8]>);

/// A message without its embedded messages numbered `number`, and those messages.
fn split(message: &[u8], number: u32) -> Result<Split<'_>, Malformed> {
    let mut inner = Vec::new();
    let mut envelope: Cow<'_, [u8]> = Cow::Borrowed(&[]);
    let mut fields = Fields::new(message);
    while let Some(field) = fields.next_field()? {
        match field.wire {
            Wire::Bytes(bytes) if field.number == number => inner.push(bytes),
            // The usual envelope is one field, which is borrowed.
            _ if envelope.is_empty() => envelope = Cow::Borrowed(field.raw),
            _ => envelope.to_mut().extend_from_slice(field.raw),
        }
    }
    Ok((envelope, inner))
}
