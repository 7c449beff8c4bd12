//! Resources and scopes: the same rules for what surrounds spans.

use std::borrow::Cow;

use super::Notes;
use super::attributes::{self, Owner};
use super::rewrite::{put_attribute, put_text};
use crate::otlp::wire::{Fields, Wire, put_bytes_field};
use crate::otlp::{KeyValue, Text};

/// Repairs the envelope of a resource (`ResourceSpans` without its `scope_spans`), which has these attributes.
pub fn resource<'a>(envelope: &'a [u8], attributes: &[KeyValue<'_>]) -> (Cow<'a, [u8]>, Vec<(&'static str, String)>) {
    let are_sound = attributes.iter().all(|attribute| attributes::is_sound(attribute, Owner::Resource));
    match are_sound && is_sound(envelope, is_sound_resource_field) {
        true => (Cow::Borrowed(envelope), Vec::new()),
        false => repaired(envelope, "resource: ", put_resource_field),
    }
}

/// Repairs the envelope of a scope (`ScopeSpans` without its `spans`).
pub fn scope(envelope: &[u8]) -> (Cow<'_, [u8]>, Vec<(&'static str, String)>) {
    match is_sound(envelope, is_sound_scope_field) {
        true => (Cow::Borrowed(envelope), Vec::new()),
        false => repaired(envelope, "scope: ", put_scope_field),
    }
}

/// Whether an envelope may pass as it is. Both hold their message in field 1 and a schema's address in field 3.
fn is_sound(envelope: &[u8], is_sound_field: fn(u32, &[u8]) -> bool) -> bool {
    texts(envelope).all(|(number, bytes)| match number {
        1 => texts(bytes).all(|(number, bytes)| is_sound_field(number, bytes)),
        3 => Text::new(bytes).is_valid(),
        _ => true,
    })
}

/// The fields of a message that are texts or messages in turn.
fn texts(message: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    Fields::new(message).map_while(Result::ok).filter_map(|field| match field.wire {
        Wire::Bytes(bytes) => Some((field.number, bytes)),
        _ => None,
    })
}

/// A resource's attributes are looked at where they are known.
fn is_sound_resource_field(number: u32, bytes: &[u8]) -> bool {
    number != 3 || texts(bytes).all(|(number, bytes)| !(1..=4).contains(&number) || Text::new(bytes).is_valid())
}

fn is_sound_scope_field(number: u32, bytes: &[u8]) -> bool {
    match number {
        1 | 2 => Text::new(bytes).is_valid(),
        3 => KeyValue::parse(bytes).is_ok_and(|attribute| attributes::is_sound(&attribute, Owner::Other)),
        _ => true,
    }
}

/// Appends one field of a `Resource` or an `InstrumentationScope`.
type PutField = fn(&mut Vec<u8>, u32, &[u8], &[u8], &mut Notes);

/// Writes an envelope, repaired.
fn repaired<'a>(envelope: &[u8], prefix: &str, put_field: PutField) -> (Cow<'a, [u8]>, Vec<(&'static str, String)>) {
    let mut notes = Notes::default();
    let mut out = Vec::with_capacity(envelope.len());
    for field in Fields::new(envelope).map_while(Result::ok) {
        match (field.number, field.wire) {
            (1, Wire::Bytes(message)) => {
                let mut inner = Vec::with_capacity(message.len());
                for field in Fields::new(message).map_while(Result::ok) {
                    match field.wire {
                        Wire::Bytes(bytes) => put_field(&mut inner, field.number, bytes, field.raw, &mut notes),
                        _ => inner.extend_from_slice(field.raw),
                    }
                }
                put_bytes_field(&mut out, 1, &inner);
            }
            (3, Wire::Bytes(bytes)) => put_text(&mut out, 3, bytes, &format!("{prefix}schema_url"), &mut notes),
            _ => out.extend_from_slice(field.raw),
        }
    }
    (Cow::Owned(out), notes.0)
}

fn put_resource_field(out: &mut Vec<u8>, number: u32, bytes: &[u8], raw: &[u8], notes: &mut Notes) {
    match number {
        1 => put_attribute(out, 1, bytes, raw, Owner::Resource, "resource: ", notes),
        3 => put_entity(out, bytes, notes),
        _ => out.extend_from_slice(raw),
    }
}

/// `EntityRef`: four fields, all of them text.
fn put_entity(out: &mut Vec<u8>, entity: &[u8], notes: &mut Notes) {
    let mut inner = Vec::with_capacity(entity.len());
    for field in Fields::new(entity).map_while(Result::ok) {
        match (field.number, field.wire) {
            (1..=4, Wire::Bytes(bytes)) => put_text(&mut inner, field.number, bytes, "resource: entity_refs", notes),
            _ => inner.extend_from_slice(field.raw),
        }
    }
    put_bytes_field(out, 3, &inner);
}

fn put_scope_field(out: &mut Vec<u8>, number: u32, bytes: &[u8], raw: &[u8], notes: &mut Notes) {
    match number {
        1 => put_text(out, 1, bytes, "scope: name", notes),
        2 => put_text(out, 2, bytes, "scope: version", notes),
        3 => put_attribute(out, 3, bytes, raw, Owner::Other, "scope: ", notes),
        _ => out.extend_from_slice(raw),
    }
}
