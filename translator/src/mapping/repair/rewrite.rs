//! A span written anew, every field copied but those that change.

use super::attributes::{self, Owner};
use super::ids::{Ids, Parent};
use super::times::{Times, scaled};
use super::{Notes, rule, values};
use crate::otlp::wire::{Fields, Wire, put_bytes_field, put_fixed64_field};
use crate::otlp::{Event, KeyValue, Link, Span, Text};

/// Whether the span's texts and attributes may pass as they are.
pub(super) fn is_sound(span: &Span<'_>) -> bool {
    is_sound_name(span.name)
        && span.trace_state.is_valid()
        && span.status.message.is_valid()
        && span.attributes.iter().all(|attribute| attributes::is_sound(attribute, Owner::Span))
        && span.events.iter().all(is_sound_event)
        && span.links.iter().all(is_sound_link)
        && (span.links.is_empty() || have_sound_trace_states(span.raw))
}

fn is_sound_name(name: Text<'_>) -> bool {
    name.is_valid() && !name.bytes().contains(&0)
}

fn is_sound_event(event: &Event<'_>) -> bool {
    event.name.is_valid() && event.attributes.iter().all(|attribute| attributes::is_sound(attribute, Owner::Other))
}

fn is_sound_link(link: &Link<'_>) -> bool {
    link.attributes.iter().all(|attribute| attributes::is_sound(attribute, Owner::Other))
}

/// Links have a trace state too, which nothing else reads.
fn have_sound_trace_states(span: &[u8]) -> bool {
    messages(span, 13).all(|link| messages(link, 3).all(|trace_state| Text::new(trace_state).is_valid()))
}

fn messages(message: &[u8], number: u32) -> impl Iterator<Item = &[u8]> {
    Fields::new(message).map_while(Result::ok).filter_map(move |field| match field.wire {
        Wire::Bytes(bytes) if field.number == number => Some(bytes),
        _ => None,
    })
}

/// Writes the span, repaired.
pub(super) fn span(span: &Span<'_>, ids: &Ids, times: &Times, notes: &mut Notes) -> Vec<u8> {
    for (rule, place) in ids.changes() {
        notes.add(rule, place);
    }
    let mut out = Vec::with_capacity(span.raw.len() + 64);
    for field in Fields::new(span.raw).map_while(Result::ok) {
        match (field.number, field.wire) {
            (1, _) if ids.trace.is_some() => {}
            (2, _) if ids.span.is_some() => {}
            (4, _) if ids.parent.is_some() => {}
            (7, _) if times.start.is_some() => {}
            (8, _) if times.end.is_some() => {}
            (3, Wire::Bytes(bytes)) => put_text(&mut out, 3, bytes, "trace_state", notes),
            (5, Wire::Bytes(bytes)) => put_name(&mut out, bytes, notes),
            (9, Wire::Bytes(bytes)) => put_attribute(&mut out, 9, bytes, field.raw, Owner::Span, "", notes),
            (11, Wire::Bytes(bytes)) => {
                let event = put_event(bytes, times.scale, notes);
                put_bytes_field(&mut out, 11, &event);
            }
            (13, Wire::Bytes(bytes)) => {
                let link = put_link(bytes, notes);
                put_bytes_field(&mut out, 13, &link);
            }
            (15, Wire::Bytes(bytes)) => {
                let status = put_status(bytes, notes);
                put_bytes_field(&mut out, 15, &status);
            }
            _ => out.extend_from_slice(field.raw),
        }
    }
    put_ids(&mut out, ids);
    put_times(&mut out, times, notes);
    out
}

fn put_ids(out: &mut Vec<u8>, ids: &Ids) {
    if let Some(trace) = &ids.trace {
        put_bytes_field(out, 1, trace);
    }
    if let Some(span) = &ids.span {
        put_bytes_field(out, 2, span);
    }
    if let Some(Parent::Padded(parent)) = &ids.parent {
        put_bytes_field(out, 4, parent);
    }
}

fn put_times(out: &mut Vec<u8>, times: &Times, notes: &mut Notes) {
    let rule = |known| if times.scale.is_some() { rule::TIME_UNIT } else { known };
    if let Some(start) = times.start {
        notes.add(rule(rule::START_TIME), "start_time_unix_nano");
        put_fixed64_field(out, 7, start);
    }
    if let Some(end) = times.end {
        notes.add(rule(rule::END_TIME), "end_time_unix_nano");
        put_fixed64_field(out, 8, end);
    }
}

fn put_name(out: &mut Vec<u8>, bytes: &[u8], notes: &mut Notes) {
    let name = values::utf8(Text::new(bytes), "name", notes);
    if name.contains('\0') {
        notes.add(rule::NUL, "name");
    }
    put_bytes_field(out, 5, name.replace('\0', "\u{fffd}").as_bytes());
}

/// Appends a text field of a message as UTF-8.
pub(super) fn put_text(out: &mut Vec<u8>, number: u32, bytes: &[u8], place: &str, notes: &mut Notes) {
    put_bytes_field(out, number, values::utf8(Text::new(bytes), place, notes).as_bytes());
}

/// Appends a `KeyValue` field: as it was, or repaired.
pub(super) fn put_attribute(
    out: &mut Vec<u8>,
    number: u32,
    bytes: &[u8],
    raw: &[u8],
    owner: Owner,
    prefix: &str,
    notes: &mut Notes,
) {
    match KeyValue::parse(bytes) {
        Ok(attribute) if !attributes::is_sound(&attribute, owner) => {
            attributes::put(out, number, &attribute, owner, prefix, notes);
        }
        _ => out.extend_from_slice(raw),
    }
}

fn put_event(event: &[u8], scale: Option<u64>, notes: &mut Notes) -> Vec<u8> {
    let name =
        Event::parse(event).map(|event| String::from_utf8_lossy(event.name.bytes()).into_owned()).unwrap_or_default();
    let mut out = Vec::with_capacity(event.len());
    for field in Fields::new(event).map_while(Result::ok) {
        match (field.number, field.wire) {
            (1, Wire::Fixed64(time)) => put_fixed64_field(&mut out, 1, scaled(time, scale)),
            (2, Wire::Bytes(bytes)) => put_text(&mut out, 2, bytes, &name, notes),
            (3, Wire::Bytes(bytes)) => {
                put_attribute(&mut out, 3, bytes, field.raw, Owner::Other, &format!("{name}: "), notes);
            }
            _ => out.extend_from_slice(field.raw),
        }
    }
    out
}

fn put_link(link: &[u8], notes: &mut Notes) -> Vec<u8> {
    let mut out = Vec::with_capacity(link.len());
    for field in Fields::new(link).map_while(Result::ok) {
        match (field.number, field.wire) {
            (3, Wire::Bytes(bytes)) => put_text(&mut out, 3, bytes, "link: trace_state", notes),
            (4, Wire::Bytes(bytes)) => put_attribute(&mut out, 4, bytes, field.raw, Owner::Other, "link: ", notes),
            _ => out.extend_from_slice(field.raw),
        }
    }
    out
}

fn put_status(status: &[u8], notes: &mut Notes) -> Vec<u8> {
    let mut out = Vec::with_capacity(status.len());
    for field in Fields::new(status).map_while(Result::ok) {
        match (field.number, field.wire) {
            (2, Wire::Bytes(bytes)) => put_text(&mut out, 2, bytes, "status.message", notes),
            _ => out.extend_from_slice(field.raw),
        }
    }
    out
}
