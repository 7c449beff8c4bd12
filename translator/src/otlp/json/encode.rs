//! From protobuf to JSON, as the specification has it: lower-case hexadecimal ids, 64-bit integers as text, enums as
//! numbers, bytes as base64, doubles that are not finite as text.
//!
//! Fields that OTLP does not define have no name and are left out; texts that are not UTF-8 get U+FFFD. Repeated
//! scalars, messages and members are resolved as the readers of [`otlp`](crate::otlp) do.

use std::borrow::Cow;
use std::fmt;

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::schema::{ANY_VALUE, Field, KEY_VALUE, Kind, Member, Message, REQUEST, RESOURCE_SPANS, SCOPE_SPANS, SPAN};
use crate::otlp::Payload;
use crate::otlp::wire::{self, Fields, Wire};

/// Writes a payload as OTLP/JSON. Neighbouring groups of one resource share a `ResourceSpans`.
pub fn encode(payload: &Payload<'_>) -> Vec<u8> {
    let by_resource = payload.groups.chunk_by(|a, b| a.resource == b.resource);
    let resource_spans = by_resource.map(|groups| {
        let scope_spans = groups.iter().map(|group| {
            let spans = group.spans.iter().map(|span| Object { message: &SPAN, bytes: span.raw.into() });
            Envelope { message: &SCOPE_SPANS, fields: &group.scope, inner: ("spans", spans.collect()) }
        });
        let resource = groups.first().map_or(&[][..], |group| &group.resource);
        Envelope { message: &RESOURCE_SPANS, fields: resource, inner: ("scopeSpans", scope_spans.collect()) }
    });
    let request = Envelope { message: &REQUEST, fields: &[], inner: ("resourceSpans", resource_spans.collect()) };
    let mut json = Vec::new();
    // Cannot fail: memory takes every byte, and nothing that is serialized here refuses.
    let _ = serde_json::to_writer(&mut json, &request);
    json
}

/// A message whose inner messages were taken out of its fields.
struct Envelope<'a, T> {
    message: &'static Message,
    fields: &'a [u8],
    inner: (&'static str, Vec<T>),
}

impl<T: Serialize> Serialize for Envelope<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        entries(&mut map, self.message, &known(self.message, self.fields))?;
        map.serialize_entry(self.inner.0, &self.inner.1)?;
        map.end()
    }
}

/// A message.
struct Object<'a> {
    message: &'static Message,
    bytes: Cow<'a, [u8]>,
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = known(self.message, &self.bytes);
        // Of several members of a `oneof` the last counts.
        let is_oneof = std::ptr::eq(self.message, &ANY_VALUE);
        let fields = if is_oneof { fields.last_chunk::<1>().map_or(&[][..], |last| last) } else { &fields };
        let mut map = serializer.serialize_map(None)?;
        entries(&mut map, self.message, fields)?;
        map.end()
    }
}

/// The fields that have a name and the wire type that belongs to it.
fn known<'a>(message: &Message, bytes: &'a [u8]) -> Vec<wire::Field<'a>> {
    let fields = Fields::new(bytes).map_while(Result::ok);
    fields.filter(|field| message.numbered(field.number).is_some_and(|known| fits(known.kind, field.wire))).collect()
}

fn fits(kind: Kind, wire: Wire<'_>) -> bool {
    match kind {
        Kind::Uint32 | Kind::Enum(..) | Kind::Member(Member::Bool | Member::Int) => matches!(wire, Wire::Varint(_)),
        Kind::Fixed32 => matches!(wire, Wire::Fixed32(_)),
        Kind::Fixed64 | Kind::Member(Member::Double) => matches!(wire, Wire::Fixed64(_)),
        _ => matches!(wire, Wire::Bytes(_)),
    }
}

fn entries<M: SerializeMap>(map: &mut M, message: &Message, fields: &[wire::Field<'_>]) -> Result<(), M::Error> {
    let mut fields = fields.to_vec();
    fields.sort_by_key(|field| field.number);
    let canonical = |field: &&Field| message.numbered(field.number).is_some_and(|first| std::ptr::eq(first, *field));
    for field in message.fields.iter().filter(canonical) {
        let start = fields.partition_point(|found| found.number < field.number);
        let end = fields.partition_point(|found| found.number <= field.number);
        let same = fields.get(start..end).unwrap_or_default();
        if field.always || !same.is_empty() {
            map.serialize_entry(field.name, &Entry { kind: field.kind, fields: same })?;
        }
    }
    Ok(())
}

/// The protobuf fields of one name: none, one or several.
struct Entry<'a> {
    kind: Kind,
    fields: &'a [wire::Field<'a>],
}

impl Entry<'_> {
    fn objects<S: Serializer>(&self, message: &'static Message, serializer: S) -> Result<S::Ok, S::Error> {
        serializer
            .collect_seq(self.fields.iter().map(|field| Object { message, bytes: Cow::Borrowed(bytes(field.wire)) }))
    }

    /// Embedded messages that are repeated are merged, which is what joining their bytes does.
    fn merged(&self) -> Cow<'_, [u8]> {
        match self.fields {
            [field] => bytes(field.wire).into(),
            fields => fields.iter().flat_map(|field| bytes(field.wire)).copied().collect(),
        }
    }
}

impl Serialize for Entry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let last = self.fields.last().map_or(Wire::Bytes(&[]), |field| field.wire);
        match self.kind {
            Kind::Id => serializer.collect_str(&Hexadecimal(bytes(last))),
            Kind::Text | Kind::Member(Member::String) => serializer.serialize_str(&text(last)),
            Kind::Texts => serializer.collect_seq(self.fields.iter().map(|field| text(field.wire))),
            // Protobuf keeps the low bits of what is too large for a field.
            Kind::Uint32 | Kind::Fixed32 => serializer.serialize_u32(number(last) as u32),
            Kind::Enum(..) => serializer.serialize_i32(number(last) as i32),
            Kind::Fixed64 => serializer.collect_str(&number(last)),
            Kind::Member(Member::Bool) => serializer.serialize_bool(number(last) != 0),
            Kind::Member(Member::Int) => serializer.collect_str(&(number(last) as i64)),
            Kind::Member(Member::Double) => match f64::from_bits(number(last)) {
                double if double.is_finite() => serializer.serialize_f64(double),
                double if double.is_nan() => serializer.serialize_str("NaN"),
                double => serializer.serialize_str(if double > 0.0 { "Infinity" } else { "-Infinity" }),
            },
            Kind::Member(Member::Bytes) => serializer.collect_str(&Base64Display::new(bytes(last), &STANDARD)),
            // A value repeated within an attribute or a `oneof` is not merged by the readers: the last counts.
            Kind::Value | Kind::Wrapper => {
                Object { message: &ANY_VALUE, bytes: bytes(last).into() }.serialize(serializer)
            }
            Kind::Message(message) => Object { message, bytes: self.merged() }.serialize(serializer),
            Kind::Messages(message) => self.objects(message, serializer),
            Kind::Attributes => self.objects(&KEY_VALUE, serializer),
            Kind::Values => self.objects(&ANY_VALUE, serializer),
        }
    }
}

fn bytes<'a>(wire: Wire<'a>) -> &'a [u8] {
    match wire {
        Wire::Bytes(bytes) => bytes,
        _ => &[],
    }
}

fn text(wire: Wire<'_>) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes(wire))
}

fn number(wire: Wire<'_>) -> u64 {
    match wire {
        Wire::Varint(number) | Wire::Fixed64(number) => number,
        Wire::Fixed32(number) => number.into(),
        Wire::Bytes(_) => 0,
    }
}

struct Hexadecimal<'a>(&'a [u8]);

impl fmt::Display for Hexadecimal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
