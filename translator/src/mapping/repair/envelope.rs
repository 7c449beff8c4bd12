//! Resources and scopes: the same rules for what surrounds spans.

use std::borrow::Cow;

use super::Notes;
use super::attributes::Owner;
use super::rewrite::{put_attribute, put_text};
use crate::otlp::wire::{Fields, Wire, put_bytes_field};

/// Repairs the attributes in the envelope of a resource (`ResourceSpans` without its `scope_spans`).
pub fn resource(envelope: &[u8]) -> (Cow<'_, [u8]>, Vec<(&'static str, String)>) {
    repaired(envelope, "resource: ", put_resource_field)
}

/// Repairs the attributes in the envelope of a scope (`ScopeSpans` without its `spans`).
pub fn scope(envelope: &[u8]) -> (Cow<'_, [u8]>, Vec<(&'static str, String)>) {
    repaired(envelope, "scope: ", put_scope_field)
}

/// Appends one field of a `Resource` or an `InstrumentationScope`.
type PutField = fn(&mut Vec<u8>, u32, &[u8], &[u8], &mut Notes);

/// Both envelopes hold their message in field 1 and a schema's address in field 3.
fn repaired<'a>(envelope: &'a [u8], prefix: &str, put_field: PutField) -> (Cow<'a, [u8]>, Vec<(&'static str, String)>) {
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
    // Without a note nothing was changed.
    let envelope = if notes.0.is_empty() { Cow::Borrowed(envelope) } else { Cow::Owned(out) };
    (envelope, notes.0)
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
