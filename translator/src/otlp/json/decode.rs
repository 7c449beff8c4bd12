//! From JSON to protobuf in one pass: each field is written as it comes, since protobuf leaves the order free.
//!
//! Recursion follows [`schema`](super::schema), whose only cycle is `AnyValue`; [`value`](super::value) bounds that.

use std::borrow::Cow;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::scalar;
use super::schema::{Field, KEY_VALUE, Kind, Message, REQUEST};
use super::shape::{Scalar, Seed, Shape};
use super::value::{EmbeddedValue, MemberValue, Value};
use crate::otlp::Malformed;
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
pub(super) fn fields<'de, A: MapAccess<'de>>(
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
pub(super) fn embed<R>(out: &mut Vec<u8>, number: u32, write: impl FnOnce(&mut Vec<u8>) -> R) -> R {
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
