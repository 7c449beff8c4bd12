//! `AnyValue`, the one place where a body may nest as it likes, and where a bad value must not cost the others.
//!
//! A value is an object that names its type. What clients also write is taken for what it is:
//! - A bare JSON value: text, boolean, integer (beyond 64 bits signed: its decimal text, as OpenTelemetry's
//!   [mapping of arbitrary data](https://opentelemetry.io/docs/specs/otel/common/attribute-type-mapping/) says), float,
//!   list. An object without a known member is an empty value: unknown members are ignored.
//! - A value that does not fit the type it states (`{"intValue": "many"}`) is read as a bare one.
//! - A value that is not there (`{}`, `null`, `{"doubleValue": null}`, which is how JavaScript writes NaN) is empty.

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess};

use super::decode::{embed, fields};
use super::scalar;
use super::schema::{ANY_VALUE, Member};
use super::shape::{Scalar, Seed, Shape};
use crate::otlp::value::MAX_DEPTH;

/// An `AnyValue` as a field, written even when it is empty: in a list each position counts.
pub(super) struct EmbeddedValue<'o> {
    pub(super) number: u32,
    pub(super) out: &'o mut Vec<u8>,
    pub(super) depth: usize,
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
pub(super) struct Value<'o> {
    pub(super) out: &'o mut Vec<u8>,
    pub(super) depth: usize,
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
pub(super) struct MemberValue<'o> {
    pub(super) member: Member,
    pub(super) out: &'o mut Vec<u8>,
    pub(super) depth: usize,
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
