//! What a place in the body may hold: one serde visitor for all of them, so that every JSON type is either taken or
//! refused in words that name types and never content.

use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// A JSON value that is neither `null` nor a container.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scalar<'a> {
    Bool(bool),
    Int(i128),
    Double(f64),
    Text(&'a str),
}

/// What a place may hold. Whatever is not overridden is refused, `null` aside, which is "absent" nearly everywhere.
pub(super) trait Shape<'de>: Sized {
    /// For errors: what belongs here.
    fn expected(&self) -> String;

    /// Whether `null` is allowed here.
    fn null(&mut self) -> bool {
        true
    }

    /// Takes a scalar; false when it cannot be meant.
    fn scalar(&mut self, _scalar: Scalar<'_>) -> bool {
        false
    }

    fn list<A: SeqAccess<'de>>(self, _items: A) -> Result<(), A::Error> {
        Err(refused(&self, "a list"))
    }

    fn object<A: MapAccess<'de>>(self, _entries: A) -> Result<(), A::Error> {
        Err(refused(&self, "an object"))
    }
}

/// Reads a value by its shape.
#[derive(Debug)]
pub(super) struct Seed<S>(pub(super) S);

impl<'de, S: Shape<'de>> DeserializeSeed<'de> for Seed<S> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(Any(self.0, PhantomData))
    }
}

struct Any<'de, S>(S, PhantomData<&'de ()>);

impl<'de, S: Shape<'de>> Any<'de, S> {
    fn scalar<E: Error>(mut self, scalar: Scalar<'_>) -> Result<(), E> {
        if self.0.scalar(scalar) {
            return Ok(());
        }
        let found = match scalar {
            Scalar::Bool(_) => "a boolean",
            Scalar::Int(_) | Scalar::Double(_) => "a number",
            Scalar::Text(_) => "this text",
        };
        Err(refused(&self.0, found))
    }
}

fn refused<'de, E: Error>(shape: &impl Shape<'de>, found: &str) -> E {
    E::custom(format_args!("{}, not {found}", shape.expected()))
}

impl<'de, S: Shape<'de>> Visitor<'de> for Any<'de, S> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.expected())
    }

    fn visit_unit<E: Error>(mut self) -> Result<(), E> {
        if self.0.null() { Ok(()) } else { Err(refused(&self.0, "null")) }
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.scalar(Scalar::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.scalar(Scalar::Int(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.scalar(Scalar::Int(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.scalar(Scalar::Double(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.scalar(Scalar::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<(), A::Error> {
        self.0.list(items)
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<(), A::Error> {
        self.0.object(entries)
    }
}
