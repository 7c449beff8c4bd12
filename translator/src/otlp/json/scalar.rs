//! One JSON scalar as one protobuf field.

use std::borrow::Cow;

use super::id;
use super::schema::{Kind, Member};
use super::shape::Scalar;
use crate::otlp::base64;
use crate::otlp::wire::{put_bytes_field, put_fixed32_field, put_fixed64_field, put_varint_field};

/// Appends a field; false when the scalar cannot be meant for it. An empty text where a number belongs is absent.
pub(super) fn put(out: &mut Vec<u8>, number: u32, kind: Kind, scalar: Scalar<'_>) -> bool {
    match (kind, scalar) {
        (Kind::Id, Scalar::Text(text)) => put_bytes_field(out, number, &id::bytes(text)),
        (Kind::Text, scalar) => put_bytes_field(out, number, text(scalar).as_bytes()),
        (Kind::Enum(prefix, names), scalar) => match enumerator(prefix, names, scalar) {
            // A negative enumerator takes ten bytes, as protobuf has it.
            Some(value) => put_varint_field(out, number, i64::from(value) as u64),
            None => return false,
        },
        (Kind::Uint32 | Kind::Fixed32 | Kind::Fixed64, Scalar::Text("")) => {}
        (Kind::Uint32, scalar) => match integer(scalar) {
            Some(value) => put_varint_field(out, number, clamp32(value).into()),
            None => return false,
        },
        (Kind::Fixed32, scalar) => match integer(scalar) {
            Some(value) => put_fixed32_field(out, number, clamp32(value)),
            None => return false,
        },
        (Kind::Fixed64, scalar) => match integer(scalar) {
            Some(value) => put_fixed64_field(out, number, clamp64(value)),
            None => return false,
        },
        _ => return false,
    }
    true
}

/// Appends the member of `AnyValue` that fits the scalar's type.
pub(super) fn put_bare(out: &mut Vec<u8>, scalar: Scalar<'_>) {
    match scalar {
        Scalar::Bool(value) => put_varint_field(out, 2, value.into()),
        Scalar::Int(value) => match i64::try_from(value) {
            Ok(value) => put_varint_field(out, 3, value as u64),
            Err(_) => put_bytes_field(out, 1, value.to_string().as_bytes()),
        },
        Scalar::Double(value) => put_fixed64_field(out, 4, value.to_bits()),
        Scalar::Text(value) => put_bytes_field(out, 1, value.as_bytes()),
    }
}

/// Appends a stated member of `AnyValue`; false when the scalar does not fit it.
pub(super) fn put_member(out: &mut Vec<u8>, member: Member, scalar: Scalar<'_>) -> bool {
    match (member, scalar) {
        (Member::String, scalar) => put_bytes_field(out, 1, text(scalar).as_bytes()),
        (Member::Bool, Scalar::Bool(value)) => put_varint_field(out, 2, value.into()),
        (Member::Bool, Scalar::Int(value @ 0..=1)) => put_varint_field(out, 2, u64::from(value == 1)),
        (Member::Bool, Scalar::Text(text)) if text.eq_ignore_ascii_case("true") => put_varint_field(out, 2, 1),
        (Member::Bool, Scalar::Text(text)) if text.eq_ignore_ascii_case("false") => put_varint_field(out, 2, 0),
        (Member::Int, scalar @ (Scalar::Int(_) | Scalar::Double(_) | Scalar::Text(_))) => match exact_i64(scalar) {
            Some(value) => put_varint_field(out, 3, value as u64),
            None => return false,
        },
        (Member::Double, scalar @ (Scalar::Int(_) | Scalar::Double(_) | Scalar::Text(_))) => match double(scalar) {
            Some(value) => put_fixed64_field(out, 4, value.to_bits()),
            None => return false,
        },
        (Member::Bytes, Scalar::Text(text)) => match base64::decode(text.as_bytes()) {
            Some(bytes) => put_bytes_field(out, 7, &bytes),
            None => return false,
        },
        _ => return false,
    }
    true
}

fn text(scalar: Scalar<'_>) -> Cow<'_, str> {
    match scalar {
        Scalar::Text(text) => text.into(),
        Scalar::Bool(value) => value.to_string().into(),
        Scalar::Int(value) => value.to_string().into(),
        Scalar::Double(value) => value.to_string().into(),
    }
}

fn double(scalar: Scalar<'_>) -> Option<f64> {
    match scalar {
        Scalar::Double(value) => Some(value),
        Scalar::Int(value) => Some(value as f64),
        // Rust reads `NaN`, `Infinity` and `-Infinity` in any case, as `doubleValue` may have them.
        Scalar::Text(text) => text.trim().parse().ok(),
        Scalar::Bool(_) => None,
    }
}

/// An integer that is a number or text; the fraction of a float is dropped.
fn integer(scalar: Scalar<'_>) -> Option<i128> {
    match scalar {
        Scalar::Int(value) => Some(value),
        Scalar::Text(text) => match text.trim().parse() {
            Ok(value) => Some(value),
            Err(_) => integer(Scalar::Double(double(scalar)?)),
        },
        Scalar::Double(value) => value.is_finite().then_some(value as i128),
        Scalar::Bool(_) => None,
    }
}

/// An integer of which nothing would be lost.
fn exact_i64(scalar: Scalar<'_>) -> Option<i64> {
    let is_integral = match scalar {
        Scalar::Double(value) => value.fract() == 0.0,
        Scalar::Text(text) if text.trim().parse::<i128>().is_err() => double(scalar)?.fract() == 0.0,
        _ => true,
    };
    is_integral.then_some(i64::try_from(integer(scalar)?).ok()?)
}

fn enumerator(prefix: &str, names: &[&str], scalar: Scalar<'_>) -> Option<i32> {
    if let Some(value) = integer(scalar) {
        return Some(i32::try_from(value).unwrap_or_default());
    }
    let Scalar::Text(text) = scalar else { return None };
    let name = text.trim().to_ascii_uppercase();
    let name = name.strip_prefix(prefix).unwrap_or(&name);
    let position = names.iter().position(|known| *known == name).unwrap_or_default();
    i32::try_from(position).ok()
}

fn clamp32(value: i128) -> u32 {
    u32::try_from(value.max(0)).unwrap_or(u32::MAX)
}

fn clamp64(value: i128) -> u64 {
    u64::try_from(value.max(0)).unwrap_or(u64::MAX)
}
