//! One span, borrowed from the payload: `Span` of `opentelemetry/proto/trace/v1/trace.proto`.

use super::wire::{Fields, Wire};
use super::{KeyValue, Malformed, Text, Value};

/// A span as it was received. Nothing is repaired here: ids may have any length, numbers any value.
#[derive(Clone, Debug)]
pub struct Span<'a> {
    /// The whole message.
    pub raw: &'a [u8],
    /// 16 bytes when valid.
    pub trace_id: &'a [u8],
    /// 8 bytes when valid.
    pub span_id: &'a [u8],
    /// Empty on a root span; some senders write zeros instead.
    pub parent_span_id: &'a [u8],
    /// The W3C `tracestate`.
    pub trace_state: Text<'a>,
    /// The span's name.
    pub name: Text<'a>,
    /// `SpanKind`, 0 to 5 when valid.
    pub kind: u64,
    /// Nanoseconds since the Unix epoch.
    pub start: u64,
    /// Nanoseconds since the Unix epoch.
    pub end: u64,
    /// In order, repeated keys included.
    pub attributes: Vec<KeyValue<'a>>,
    /// How many attributes the producer's SDK dropped at its limit.
    pub dropped_attributes: u64,
    /// In order.
    pub events: Vec<Event<'a>>,
    /// In order.
    pub links: Vec<Link<'a>>,
    /// The status, unset when absent.
    pub status: Status<'a>,
}

/// A span's status.
#[derive(Clone, Copy, Debug)]
pub struct Status<'a> {
    /// `StatusCode`: 0 unset, 1 OK, 2 error.
    pub code: u64,
    /// The error's description.
    pub message: Text<'a>,
}

/// Something that happened during a span.
#[derive(Clone, Debug)]
pub struct Event<'a> {
    /// Nanoseconds since the Unix epoch.
    pub time: u64,
    /// `exception` for errors.
    pub name: Text<'a>,
    /// In order.
    pub attributes: Vec<KeyValue<'a>>,
}

/// A reference to another span.
#[derive(Clone, Debug)]
pub struct Link<'a> {
    /// 16 bytes when valid.
    pub trace_id: &'a [u8],
    /// 8 bytes when valid.
    pub span_id: &'a [u8],
    /// In order.
    pub attributes: Vec<KeyValue<'a>>,
}

/// What an attribute takes at least, in most spans: room is made for so many before they are counted.
const BYTES_PER_ATTRIBUTE: usize = 64;

impl<'a> Span<'a> {
    /// Reads a `Span` message to its full depth; of repeated scalar fields the last counts, as protobuf has it.
    pub fn parse(raw: &'a [u8]) -> Result<Self, Malformed> {
        let empty = Text::EMPTY;
        let mut span = Self {
            raw,
            trace_id: &[],
            span_id: &[],
            parent_span_id: &[],
            trace_state: empty,
            name: empty,
            kind: 0,
            start: 0,
            end: 0,
            attributes: Vec::with_capacity((raw.len() / BYTES_PER_ATTRIBUTE).clamp(4, 64)),
            dropped_attributes: 0,
            events: Vec::new(),
            links: Vec::new(),
            status: Status { code: 0, message: empty },
        };
        let mut fields = Fields::new(raw);
        while let Some(field) = fields.next_field()? {
            match (field.number, field.wire) {
                (1, Wire::Bytes(bytes)) => span.trace_id = bytes,
                (2, Wire::Bytes(bytes)) => span.span_id = bytes,
                (3, Wire::Bytes(bytes)) => span.trace_state = Text::new(bytes),
                (4, Wire::Bytes(bytes)) => span.parent_span_id = bytes,
                (5, Wire::Bytes(bytes)) => span.name = Text::new(bytes),
                (6, Wire::Varint(kind)) => span.kind = kind,
                (7, Wire::Fixed64(time)) => span.start = time,
                (8, Wire::Fixed64(time)) => span.end = time,
                (9, Wire::Bytes(bytes)) => span.attributes.push(KeyValue::parse(bytes)?),
                (10, Wire::Varint(count)) => span.dropped_attributes = count,
                (11, Wire::Bytes(bytes)) => span.events.push(Event::parse(bytes)?),
                (13, Wire::Bytes(bytes)) => span.links.push(Link::parse(bytes)?),
                (15, Wire::Bytes(bytes)) => span.status.merge(bytes)?,
                _ => {}
            }
        }
        Ok(span)
    }

    /// The value of an attribute; of repeated keys the last counts, as MLflow (3.17) has it.
    #[inline]
    pub fn attribute(&self, key: &str) -> Option<Value<'a>> {
        self.attributes
            .iter()
            .rev()
            .find(|attribute| attribute.key.bytes() == key.as_bytes())
            .map(|attribute| attribute.value)
    }

    /// Whether the span has no parent. Zeros are no parent: senders write them for "none".
    #[inline]
    pub fn is_root(&self) -> bool {
        self.parent_span_id.iter().all(|byte| *byte == 0)
    }
}

impl<'a> Status<'a> {
    fn merge(&mut self, message: &'a [u8]) -> Result<(), Malformed> {
        let mut fields = Fields::new(message);
        while let Some(field) = fields.next_field()? {
            match (field.number, field.wire) {
                (2, Wire::Bytes(bytes)) => self.message = Text::new(bytes),
                (3, Wire::Varint(code)) => self.code = code,
                _ => {}
            }
        }
        Ok(())
    }
}

impl<'a> Event<'a> {
    /// Reads an `Event` message to its full depth.
    pub fn parse(message: &'a [u8]) -> Result<Self, Malformed> {
        let mut event = Self { time: 0, name: Text::EMPTY, attributes: Vec::new() };
        let mut fields = Fields::new(message);
        while let Some(field) = fields.next_field()? {
            match (field.number, field.wire) {
                (1, Wire::Fixed64(time)) => event.time = time,
                (2, Wire::Bytes(bytes)) => event.name = Text::new(bytes),
                (3, Wire::Bytes(bytes)) => event.attributes.push(KeyValue::parse(bytes)?),
                _ => {}
            }
        }
        Ok(event)
    }
}

impl<'a> Link<'a> {
    /// Reads a `Link` message to its full depth.
    pub fn parse(message: &'a [u8]) -> Result<Self, Malformed> {
        let mut link = Self { trace_id: &[], span_id: &[], attributes: Vec::new() };
        let mut fields = Fields::new(message);
        while let Some(field) = fields.next_field()? {
            match (field.number, field.wire) {
                (1, Wire::Bytes(bytes)) => link.trace_id = bytes,
                (2, Wire::Bytes(bytes)) => link.span_id = bytes,
                (4, Wire::Bytes(bytes)) => link.attributes.push(KeyValue::parse(bytes)?),
                _ => {}
            }
        }
        Ok(link)
    }
}

/// The attributes of the `Resource` in a `ResourceSpans` or its envelope (field 1), to their full depth, its fields merged as
/// protobuf has it.
pub fn resource_attributes(resource_spans: &[u8]) -> Result<Vec<KeyValue<'_>>, Malformed> {
    let mut attributes = Vec::new();
    for resource in Fields::new(resource_spans) {
        if let (1, Wire::Bytes(resource)) = resource.map(|field| (field.number, field.wire))? {
            let mut fields = Fields::new(resource);
            while let Some(field) = fields.next_field()? {
                if let (1, Wire::Bytes(attribute)) = (field.number, field.wire) {
                    attributes.push(KeyValue::parse(attribute)?);
                }
            }
        }
    }
    Ok(attributes)
}

/// Reads the envelope of `ScopeSpans` to its full depth: `InstrumentationScope` is field 1, its attributes field 3.
pub(super) fn validate_scope(envelope: &[u8]) -> Result<(), Malformed> {
    for scope in Fields::new(envelope) {
        if let (1, Wire::Bytes(scope)) = scope.map(|field| (field.number, field.wire))? {
            let mut fields = Fields::new(scope);
            while let Some(field) = fields.next_field()? {
                if let (3, Wire::Bytes(attribute)) = (field.number, field.wire) {
                    KeyValue::parse(attribute)?;
                }
            }
        }
    }
    Ok(())
}
