//! From JSON to protobuf in one pass: each field is written as it comes, since protobuf leaves the order free.
//!
//! Recursion follows [`schema`](super::schema), whose only cycle is `AnyValue`: the one message that may nest as it likes, within
//! [`MAX_DEPTH`], and in which a bad value must not cost the others.
//!
//! A value is an object that names its type. What clients also write is taken for what it is:
//! - A bare JSON value: text, boolean, integer (beyond 64 bits signed: its decimal text, as OpenTelemetry's
//!   [mapping of arbitrary data](https://opentelemetry.io/docs/specs/otel/common/attribute-type-mapping/) says), float,
//!   list. An object without a known member is an empty value: unknown members are ignored.
//! - A value that does not fit the type it states (`{"intValue": "many"}`) is read as a bare one.
//! - A value that is not there (`{}`, `null`, `{"doubleValue": null}`, which is how JavaScript writes NaN) is empty.

use std::borrow::Cow;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::scalar;
use super::schema::{ANY_VALUE, Field, KEY_VALUE, Kind, Member, Message, REQUEST};
use super::shape::{Scalar, Seed, Shape};
use crate::otlp::Malformed;
use crate::otlp::value::MAX_DEPTH;
use crate::otlp::wire::{put_bytes_field, put_varint};

/// Transcodes an `ExportTraceServiceRequest`.
pub(super) fn request(text: &str) -> Result<Vec<u8>, Malformed> {
    let mut payload = Vec::with_capacity(text.len() / 2);
    let mut json = serde_json::Deserializer::from_str(text);
    // A fixed limit on JSON's own nesting would allow fewer nested values than protobuf does.
    json.disable_recursion_limit();
    let read = Seed(Request(&mut payload)).deserialize(&mut json);
    read.and_then(|()| json.end()).map_err(|error| malformed(&error))?;
    Ok(payload)
}

fn malformed(error: &serde_json::Error) -> Malformed {
    let message = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    let message = message.strip_suffix(&position).unwrap_or(&message);
    let expected = if error.is_data() { message.to_owned() } else { format!("well-formed JSON ({message})") };
    Malformed::in_text(expected, error.line(), error.column())
}

struct Request<'o>(&'o mut Vec<u8>);

impl<'de> Shape<'de> for Request<'_> {
    fn expected(&self) -> String {
        object_of(&REQUEST)
    }

    fn null(&mut self) -> bool {
        false
    }

    fn object<A: MapAccess<'de>>(self, entries: A) -> Result<(), A::Error> {
        fields(&REQUEST, self.0, 0, entries)
    }
}

fn object_of(message: &Message) -> String {
    format!("{} as a JSON object", message.name)
}

/// Writes the fields of a message. Values in it are at `depth`.
fn fields<'de, A: MapAccess<'de>>(
    message: &'static Message,
    out: &mut Vec<u8>,
    depth: usize,
    mut entries: A,
) -> Result<(), A::Error> {
    while let Some(field) = entries.next_key_seed(Name(message))? {
        match field {
            Some(field) => entries.next_value_seed(FieldValue { field, out, depth })?,
            None => {
                entries.next_value::<IgnoredAny>()?;
            }
        }
    }
    Ok(())
}

/// Appends an embedded message whose length is known once it is written.
fn embed<R>(out: &mut Vec<u8>, number: u32, write: impl FnOnce(&mut Vec<u8>) -> R) -> R {
    put_varint(out, u64::from(number) << 3 | 2);
    let length_at = out.len();
    out.push(0);
    let result = write(out);
    let length = out.len().saturating_sub(length_at + 1);
    match (u8::try_from(length), out.get_mut(length_at)) {
        (Ok(length @ 0..0x80), Some(place)) => *place = length,
        _ => {
            let mut varint = Vec::with_capacity(10);
            put_varint(&mut varint, length as u64);
            out.splice(length_at..=length_at, varint);
        }
    }
    result
}

/// The name of a field of a message; `None` when it is not known.
struct Name(&'static Message);

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Option<&'static Field>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = Option<&'static Field>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a field name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.named(name))
    }
}

/// The value of a field.
struct FieldValue<'o> {
    field: &'static Field,
    out: &'o mut Vec<u8>,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for FieldValue<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Self { field: &Field { number, kind, .. }, out, depth } = self;
        match kind {
            Kind::Message(message) => Seed(Embedded { message, number, out, depth }).deserialize(deserializer),
            Kind::Messages(_) | Kind::Attributes | Kind::Values | Kind::Texts => {
                Seed(List { kind, number, out, depth }).deserialize(deserializer)
            }
            Kind::Value => EmbeddedValue { number, out, depth }.deserialize(deserializer),
            Kind::Wrapper => Seed(Value { out, depth }).deserialize(deserializer),
            Kind::Member(member) => Seed(MemberValue { member, out, depth }).deserialize(deserializer),
            Kind::Id | Kind::Text | Kind::Uint32 | Kind::Fixed32 | Kind::Fixed64 | Kind::Enum(..) => {
                Seed(ScalarField { kind, number, out }).deserialize(deserializer)
            }
        }
    }
}

/// A field that is neither a list nor a message.
struct ScalarField<'o> {
    kind: Kind,
    number: u32,
    out: &'o mut Vec<u8>,
}

impl<'de> Shape<'de> for ScalarField<'_> {
    fn expected(&self) -> String {
        let expected = match self.kind {
            Kind::Id => "an id as hexadecimal text",
            Kind::Enum(..) => "an enum's number or name",
            Kind::Uint32 | Kind::Fixed32 | Kind::Fixed64 => "an integer, as a number or text",
            _ => "a text",
        };
        expected.to_owned()
    }

    fn scalar(&mut self, scalar: Scalar<'_>) -> bool {
        scalar::put(self.out, self.number, self.kind, scalar)
    }
}

/// A message in a field.
struct Embedded<'o> {
    message: &'static Message,
    number: u32,
    out: &'o mut Vec<u8>,
    depth: usize,
}

impl<'de> Shape<'de> for Embedded<'_> {
    fn expected(&self) -> String {
        object_of(self.message)
    }

    fn object<A: MapAccess<'de>>(self, entries: A) -> Result<(), A::Error> {
        embed(self.out, self.number, |out| fields(self.message, out, self.depth, entries))
    }

    /// A message that is nothing but a list (`ArrayValue`, `KeyValueList`) may be written as that list.
    fn list<A: SeqAccess<'de>>(self, items: A) -> Result<(), A::Error> {
        match self.message.fields {
            &[Field { number, kind: kind @ (Kind::Values | Kind::Attributes), .. }] => {
                embed(self.out, self.number, |out| List { kind, number, out, depth: self.depth }.list(items))
            }
            _ => Err(A::Error::custom(format_args!("{}, not a list", self.expected()))),
        }
    }
}

/// A repeated field: messages, attributes, values or texts.
struct List<'o> {
    kind: Kind,
    number: u32,
    out: &'o mut Vec<u8>,
    depth: usize,
}

impl<'de> Shape<'de> for List<'_> {
    fn expected(&self) -> String {
        let items = match self.kind {
            Kind::Messages(message) => message.name,
            Kind::Attributes => KEY_VALUE.name,
            Kind::Values => "an AnyValue",
            _ => "a text",
        };
        format!("a list, each item {items}")
    }

    fn list<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Self { kind, number, out, depth } = self;
        loop {
            let item = match kind {
                Kind::Messages(message) => items.next_element_seed(Seed(Embedded { message, number, out, depth })),
                Kind::Attributes => items.next_element_seed(Seed(Embedded { message: &KEY_VALUE, number, out, depth })),
                Kind::Values => items.next_element_seed(EmbeddedValue { number, out, depth }),
                _ => items.next_element_seed(Seed(ScalarField { kind: Kind::Text, number, out })),
            };
            if item?.is_none() {
                return Ok(());
            }
        }
    }

    /// Attributes as an object of names and values.
    fn object<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Self { kind: Kind::Attributes, number, out, depth } = self else {
            return Err(A::Error::custom(format_args!("{}, not an object", self.expected())));
        };
        while let Some(key) = entries.next_key::<Cow<'_, str>>()? {
            embed(out, number, |out| {
                put_bytes_field(out, 1, key.as_bytes());
                entries.next_value_seed(EmbeddedValue { number: 2, out, depth })
            })?;
        }
        Ok(())
    }
}

/// An `AnyValue` as a field, written even when it is empty: in a list each position counts.
struct EmbeddedValue<'o> {
    number: u32,
    out: &'o mut Vec<u8>,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for EmbeddedValue<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Self { number, out, depth } = self;
        limit(depth)?;
        embed(out, number, |out| Seed(Value { out, depth }).deserialize(deserializer))
    }
}

fn limit<E: Error>(depth: usize) -> Result<(), E> {
    if depth > MAX_DEPTH {
        return Err(E::custom(format_args!("values nested at most {MAX_DEPTH} deep")));
    }
    Ok(())
}

/// The fields of an `AnyValue`.
struct Value<'o> {
    out: &'o mut Vec<u8>,
    depth: usize,
}

impl<'de> Shape<'de> for Value<'_> {
    fn expected(&self) -> String {
        ANY_VALUE.name.to_owned()
    }

    fn scalar(&mut self, scalar: Scalar<'_>) -> bool {
        scalar::put_bare(self.out, scalar);
        true
    }

    fn list<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        limit(self.depth)?;
        let depth = self.depth + 1;
        embed(self.out, 5, |out| {
            while items.next_element_seed(EmbeddedValue { number: 1, out, depth })?.is_some() {}
            Ok(())
        })
    }

    fn object<A: MapAccess<'de>>(self, entries: A) -> Result<(), A::Error> {
        limit(self.depth)?;
        fields(&ANY_VALUE, self.out, self.depth + 1, entries)
    }
}

/// What a value's stated type holds.
struct MemberValue<'o> {
    member: Member,
    out: &'o mut Vec<u8>,
    depth: usize,
}

impl<'de> Shape<'de> for MemberValue<'_> {
    fn expected(&self) -> String {
        ANY_VALUE.name.to_owned()
    }

    fn scalar(&mut self, scalar: Scalar<'_>) -> bool {
        if !scalar::put_member(self.out, self.member, scalar) {
            scalar::put_bare(self.out, scalar);
        }
        true
    }

    fn list<A: SeqAccess<'de>>(self, items: A) -> Result<(), A::Error> {
        Value { out: self.out, depth: self.depth }.list(items)
    }

    fn object<A: MapAccess<'de>>(self, entries: A) -> Result<(), A::Error> {
        Value { out: self.out, depth: self.depth }.object(entries)
    }
}
