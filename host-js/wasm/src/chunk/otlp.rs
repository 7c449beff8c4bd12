//! A chunk as an `ExportTraceServiceRequest` (`opentelemetry/proto/trace/v1/trace.proto`).
//!
//! Spans keep their order within their resource and scope; both keep the order in which the chunk defines them.

use openinference_mlflow_translator::otlp::wire::{
    put_bytes_field, put_fixed32_field, put_fixed64_field, put_header, put_varint_field,
};

use super::NotAChunk;
use super::reader::Reader;

/// The spans of one scope of one resource, encoded as `ScopeSpans.spans`.
struct Group {
    resource: u16,
    scope: u16,
    spans: Vec<u8>,
}

/// How deep values may nest. The writer stops far earlier.
const MAX_DEPTH: usize = 64;

/// Decodes a chunk; without spans it is an empty request.
pub fn to_otlp(chunk: &[u8]) -> Result<Vec<u8>, NotAChunk> {
    let mut reader = Reader::new(chunk);
    let envelopes = reader.u32()? as usize;
    let mut groups: Vec<Group> = Vec::new();
    let mut span = Vec::with_capacity(8 << 10);
    let mut scratch = Scratch::default();
    while reader.offset() < envelopes {
        let resource = reader.u16()?;
        let scope = reader.u16()?;
        span.clear();
        put_span(&mut span, &mut reader, &mut scratch)?;
        let group = match groups.iter_mut().position(|group| group.resource == resource && group.scope == scope) {
            Some(at) => at,
            None => {
                groups.push(Group { resource, scope, spans: Vec::new() });
                groups.len() - 1
            }
        };
        if let Some(group) = groups.get_mut(group) {
            put_bytes_field(&mut group.spans, 2, &span);
        }
    }
    put_request(&groups, &mut reader, &mut scratch)
}

fn put_request(groups: &[Group], reader: &mut Reader<'_>, scratch: &mut Scratch) -> Result<Vec<u8>, NotAChunk> {
    let mut resources = Vec::new();
    for _ in 0..reader.u16()? {
        let mut resource = Vec::new();
        put_attributes(&mut resource, 1, reader, scratch)?;
        let schema_url = reader.text()?;
        resources.push((resource, schema_url));
    }
    let mut scopes = Vec::new();
    for _ in 0..reader.u16()? {
        let mut scope = Vec::new();
        put_text(&mut scope, 1, reader.text()?);
        put_text(&mut scope, 2, reader.text()?);
        let schema_url = reader.text()?;
        scopes.push((scope, schema_url));
    }

    let mut request = Vec::with_capacity(groups.iter().map(|group| group.spans.len() + 512).sum());
    let mut resource_spans = Vec::new();
    for (index, (resource, schema_url)) in resources.iter().enumerate() {
        let mut groups = groups.iter().filter(|group| usize::from(group.resource) == index).peekable();
        if groups.peek().is_none() {
            continue;
        }
        resource_spans.clear();
        put_bytes_field(&mut resource_spans, 1, resource);
        for group in groups {
            let unknown = reader.expected("the scope that a span names");
            let (scope, schema_url) = scopes.get(usize::from(group.scope)).ok_or(unknown)?;
            let mut scope_spans = Vec::with_capacity(group.spans.len() + scope.len() + schema_url.len() + 16);
            put_bytes_field(&mut scope_spans, 1, scope);
            scope_spans.extend_from_slice(&group.spans);
            put_text(&mut scope_spans, 3, schema_url);
            put_bytes_field(&mut resource_spans, 2, &scope_spans);
        }
        put_text(&mut resource_spans, 3, schema_url);
        put_bytes_field(&mut request, 1, &resource_spans);
    }
    if groups.iter().any(|group| usize::from(group.resource) >= resources.len()) {
        return Err(reader.expected("the resource that a span names"));
    }
    Ok(request)
}

fn put_span(out: &mut Vec<u8>, reader: &mut Reader<'_>, scratch: &mut Scratch) -> Result<(), NotAChunk> {
    put_id(out, 1, reader.id()?, &mut scratch.item);
    put_id(out, 2, reader.id()?, &mut scratch.item);
    let parent = reader.id()?;
    let trace_state = reader.text()?;
    let flags = reader.u32()?;
    put_text(out, 3, trace_state);
    if !parent.is_empty() {
        put_id(out, 4, parent, &mut scratch.item);
    }
    put_text(out, 5, reader.text()?);
    put_number(out, 6, u32::from(reader.u8()?));
    put_fixed64_field(out, 7, reader.time()?);
    put_fixed64_field(out, 8, reader.time()?);
    put_attributes(out, 9, reader, scratch)?;
    put_number(out, 10, reader.u32()?);
    for _ in 0..reader.u32()? {
        let mut event = Vec::new();
        let name = reader.text()?;
        put_fixed64_field(&mut event, 1, reader.time()?);
        put_text(&mut event, 2, name);
        put_attributes(&mut event, 3, reader, scratch)?;
        put_number(&mut event, 4, reader.u32()?);
        put_bytes_field(out, 11, &event);
    }
    put_number(out, 12, reader.u32()?);
    for _ in 0..reader.u32()? {
        let mut link = Vec::new();
        put_id(&mut link, 1, reader.id()?, &mut scratch.item);
        put_id(&mut link, 2, reader.id()?, &mut scratch.item);
        put_text(&mut link, 3, reader.text()?);
        let flags = reader.u32()?;
        put_attributes(&mut link, 4, reader, scratch)?;
        put_number(&mut link, 5, reader.u32()?);
        put_fixed32_field(&mut link, 6, flags);
        put_bytes_field(out, 13, &link);
    }
    put_number(out, 14, reader.u32()?);
    let mut status = Vec::new();
    let code = u32::from(reader.u8()?);
    put_text(&mut status, 2, reader.text()?);
    put_number(&mut status, 3, code);
    put_bytes_field(out, 15, &status);
    put_fixed32_field(out, 16, flags);
    Ok(())
}

/// Buffers that are filled and emptied once an attribute.
#[derive(Default)]
struct Scratch {
    value: Vec<u8>,
    item: Vec<u8>,
}

fn put_attributes(
    out: &mut Vec<u8>,
    number: u32,
    reader: &mut Reader<'_>,
    scratch: &mut Scratch,
) -> Result<(), NotAChunk> {
    for _ in 0..reader.u32()? {
        let key = reader.key()?;
        scratch.value.clear();
        put_value(&mut scratch.value, reader, 0)?;
        put_key_value(out, number, key, &scratch.value);
    }
    Ok(())
}

fn put_key_value(out: &mut Vec<u8>, number: u32, key: &[u8], value: &[u8]) {
    use openinference_mlflow_translator::otlp::wire::bytes_field_len;
    put_header(out, number, bytes_field_len(1, key.len()) + bytes_field_len(2, value.len()));
    put_bytes_field(out, 1, key);
    put_bytes_field(out, 2, value);
}

fn put_value(out: &mut Vec<u8>, reader: &mut Reader<'_>, depth: usize) -> Result<(), NotAChunk> {
    if depth > MAX_DEPTH {
        return Err(reader.expected("values nested less deep"));
    }
    match reader.u8()? {
        0 => {}
        1 => put_bytes_field(out, 1, reader.text()?),
        2 => put_varint_field(out, 2, 0),
        3 => put_varint_field(out, 2, 1),
        4 => put_varint_field(out, 3, reader.f64()? as i64 as u64),
        5 => put_fixed64_field(out, 4, reader.f64()?.to_bits()),
        6 => {
            let (mut list, mut item) = (Vec::new(), Vec::new());
            for _ in 0..reader.u32()? {
                item.clear();
                put_value(&mut item, reader, depth + 1)?;
                put_bytes_field(&mut list, 1, &item);
            }
            put_bytes_field(out, 5, &list);
        }
        7 => {
            let (mut list, mut item) = (Vec::new(), Vec::new());
            for _ in 0..reader.u32()? {
                let key = reader.key()?;
                item.clear();
                put_value(&mut item, reader, depth + 1)?;
                put_key_value(&mut list, 1, key, &item);
            }
            put_bytes_field(out, 6, &list);
        }
        8 => put_bytes_field(out, 7, reader.text()?),
        9 => put_varint_field(out, 3, reader.i64()? as u64),
        _ => return Err(reader.expected("a value's tag")),
    }
    Ok(())
}

/// A text field; proto3 leaves out an empty one.
fn put_text(out: &mut Vec<u8>, number: u32, text: &[u8]) {
    if !text.is_empty() {
        put_bytes_field(out, number, text);
    }
}

fn put_number(out: &mut Vec<u8>, number: u32, value: u32) {
    if value != 0 {
        put_varint_field(out, number, u64::from(value));
    }
}

/// The bytes of a hexadecimal id. What is not hexadecimal goes on as it is: its length is wrong then, which the core
/// notices and reports.
fn put_id(out: &mut Vec<u8>, number: u32, digits: &[u8], bytes: &mut Vec<u8>) {
    bytes.clear();
    for pair in digits.chunks(2) {
        let digit = |at: usize| pair.get(at).and_then(|digit| char::from(*digit).to_digit(16));
        match (digit(0), digit(1)) {
            (Some(high), Some(low)) => bytes.push((high << 4 | low) as u8),
            _ => return put_bytes_field(out, number, digits),
        }
    }
    put_bytes_field(out, number, bytes);
}
