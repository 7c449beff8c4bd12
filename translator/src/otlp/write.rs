//! Payloads out: span bytes are copied, attributes appended, the lengths of the enclosing messages written anew.
//!
//! A protobuf message may be extended by appending fields, so a span with added attributes keeps every byte that
//! came in, unknown fields included.

use super::wire::{Fields, bytes_field_len, put_bytes_field, put_fixed64_field, put_header, put_varint_field};

/// One span on its way out.
#[derive(Clone, Copy, Debug)]
pub struct OutSpan<'a> {
    /// The span's own bytes.
    pub span: &'a [u8],
    /// Encoded `Span` fields to append: see [`Attributes`].
    pub appended: &'a [u8],
}

/// Spans that share an envelope.
#[derive(Clone, Debug)]
pub struct OutGroup<'a> {
    /// The fields of `ResourceSpans` other than `scope_spans`.
    pub resource: &'a [u8],
    /// The fields of `ScopeSpans` other than `spans`.
    pub scope: &'a [u8],
    /// The spans.
    pub spans: Vec<OutSpan<'a>>,
}

/// Writes an `ExportTraceServiceRequest`. Neighbouring groups of one resource share a `ResourceSpans`.
pub fn payload(groups: &[OutGroup<'_>]) -> Vec<u8> {
    let resources: Vec<_> = groups
        .chunk_by(|a, b| a.resource == b.resource)
        .map(|groups| {
            let scopes = groups.iter().map(|group| bytes_field_len(2, scope_len(group))).sum::<usize>();
            let resource = groups.first().map_or(&[][..], |group| group.resource);
            (resource, groups, resource.len() + scopes)
        })
        .collect();
    let mut out = Vec::with_capacity(resources.iter().map(|(.., length)| bytes_field_len(1, *length)).sum());
    for (resource, groups, length) in resources {
        put_header(&mut out, 1, length);
        out.extend_from_slice(resource);
        for group in groups {
            put_header(&mut out, 2, scope_len(group));
            out.extend_from_slice(group.scope);
            for OutSpan { span, appended } in &group.spans {
                put_header(&mut out, 2, span.len() + appended.len());
                out.extend_from_slice(span);
                out.extend_from_slice(appended);
            }
        }
    }
    out
}

fn scope_len(group: &OutGroup<'_>) -> usize {
    let spans = group.spans.iter().map(|out| bytes_field_len(2, out.span.len() + out.appended.len()));
    group.scope.len() + spans.sum::<usize>()
}

/// A span below another parent (`parent_span_id` is field 4), or below none.
pub fn reparented(span: &[u8], parent: Option<[u8; 8]>) -> Vec<u8> {
    let mut out = Vec::with_capacity(span.len() + 10);
    for field in Fields::new(span).flatten().filter(|field| field.number != 4) {
        out.extend_from_slice(field.raw);
    }
    if let Some(parent) = parent {
        put_bytes_field(&mut out, 4, &parent);
    }
    out
}

/// Attributes of a span, encoded as `Span` fields ready to append.
#[derive(Clone, Debug, Default)]
pub struct Attributes {
    bytes: Vec<u8>,
    scratch: Vec<u8>,
}

impl Attributes {
    /// No attributes, and room for so many bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), scratch: Vec::new() }
    }

    /// The encoded fields.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The encoded fields.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Whether nothing was put.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Appends an attribute with a string value.
    pub fn put_str(&mut self, key: &str, value: &str) {
        let any_value = bytes_field_len(1, value.len());
        self.put_key(key, any_value);
        put_bytes_field(&mut self.bytes, 1, value.as_bytes());
    }

    /// Appends an attribute with an `AnyValue` made of the JSON value: objects as `kvlist`, arrays as `array`.
    pub fn put_json(&mut self, key: &str, value: &serde_json::Value) {
        self.scratch.clear();
        put_any_value(&mut self.scratch, value);
        self.put_scratch(key);
    }

    fn put_scratch(&mut self, key: &str) {
        self.put_key(key, self.scratch.len());
        self.bytes.extend_from_slice(&self.scratch);
    }

    /// Appends an attribute up to its value, an `AnyValue` of so many bytes.
    fn put_key(&mut self, key: &str, any_value: usize) {
        let length = bytes_field_len(1, key.len()) + bytes_field_len(2, any_value);
        self.bytes.reserve(bytes_field_len(9, length));
        put_header(&mut self.bytes, 9, length);
        put_bytes_field(&mut self.bytes, 1, key.as_bytes());
        put_header(&mut self.bytes, 2, any_value);
    }
}

/// Appends the fields of an `AnyValue`. `null` is an empty value; a number that is no `i64` is a double.
pub fn put_any_value(out: &mut Vec<u8>, value: &serde_json::Value) {
    use serde_json::Value;
    match value {
        Value::Null => {}
        Value::Bool(flag) => put_varint_field(out, 2, u64::from(*flag)),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(int), _) => put_varint_field(out, 3, int as u64),
            (None, double) => put_fixed64_field(out, 4, double.unwrap_or_default().to_bits()),
        },
        Value::String(text) => put_bytes_field(out, 1, text.as_bytes()),
        Value::Array(items) => {
            let mut list = Vec::new();
            for item in items {
                let mut encoded = Vec::new();
                put_any_value(&mut encoded, item);
                put_bytes_field(&mut list, 1, &encoded);
            }
            put_bytes_field(out, 5, &list);
        }
        Value::Object(entries) => {
            let mut list = Vec::new();
            for (key, value) in entries {
                let mut encoded = Vec::new();
                put_any_value(&mut encoded, value);
                put_header(&mut list, 1, bytes_field_len(1, key.len()) + bytes_field_len(2, encoded.len()));
                put_bytes_field(&mut list, 1, key.as_bytes());
                put_bytes_field(&mut list, 2, &encoded);
            }
            put_bytes_field(out, 6, &list);
        }
    }
}
