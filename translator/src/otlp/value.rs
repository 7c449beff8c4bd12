//! Attributes, borrowed from the payload: `KeyValue` and `AnyValue` of `opentelemetry/proto/common/v1/common.proto`.

use ascii::AsAsciiStr;

use super::Malformed;
use super::wire::{Fields, Wire};

/// How deep values may nest before a payload is refused. Python's protobuf, which MLflow reads with, stops at 100
/// messages; each level of nesting takes up to three (a list of attributes), and what encloses an attribute of an event
/// takes six.
pub const MAX_DEPTH: usize = 31;

/// A text field as received: UTF-8 by the specification, any bytes in practice.
///
/// After [`repair`](crate::mapping::repair) every text is UTF-8; before it, [`Text::get`] reads an invalid one as empty.
/// Which of the two it is was found out once, when the text was read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Text<'a>(Result<&'a str, &'a [u8]>);

impl<'a> Text<'a> {
    /// No text.
    pub const EMPTY: Self = Self(Ok(""));

    /// Reads a text field.
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(match bytes.as_ascii_str() {
            Ok(text) => Ok(text.as_str()),
            Err(_) => std::str::from_utf8(bytes).map_err(|_| bytes),
        })
    }

    /// The text, empty when it is not UTF-8.
    #[inline]
    pub fn get(self) -> &'a str {
        self.0.unwrap_or_default()
    }

    /// The bytes as received.
    #[inline]
    pub fn bytes(self) -> &'a [u8] {
        self.0.map_or_else(|bytes| bytes, str::as_bytes)
    }

    /// Whether the bytes are UTF-8.
    #[inline]
    pub fn is_valid(self) -> bool {
        self.0.is_ok()
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Ok(text))
    }
}

impl std::fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(self.bytes()))
    }
}

/// One attribute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KeyValue<'a> {
    /// The attribute's name.
    pub key: Text<'a>,
    /// The attribute's value.
    pub value: Value<'a>,
}

/// `AnyValue`, its nested values not yet read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// No member of the `oneof` is set.
    Empty,
    /// `string_value`.
    String(Text<'a>),
    /// `bool_value`.
    Bool(bool),
    /// `int_value`.
    Int(i64),
    /// `double_value`.
    Double(f64),
    /// `array_value`.
    Array(Array<'a>),
    /// `kvlist_value`.
    KvList(KvList<'a>),
    /// `bytes_value`.
    Bytes(&'a [u8]),
}

/// `ArrayValue`, read on demand. Was validated when the span was parsed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Array<'a>(&'a [u8]);

/// `KeyValueList`, read on demand. Was validated when the span was parsed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KvList<'a>(&'a [u8]);

impl<'a> KeyValue<'a> {
    /// Reads a `KeyValue` message, to its full depth.
    pub fn parse(message: &'a [u8]) -> Result<Self, Malformed> {
        Self::parse_at(message, 0)
    }

    fn parse_at(message: &'a [u8], depth: usize) -> Result<Self, Malformed> {
        let mut key = Text::EMPTY;
        let mut value = Value::Empty;
        let mut fields = Fields::new(message);
        while let Some(field) = fields.next_field()? {
            match (field.number, field.wire) {
                (1, Wire::Bytes(bytes)) => key = Text::new(bytes),
                (2, Wire::Bytes(bytes)) => value = Value::parse_at(bytes, depth)?,
                _ => {}
            }
        }
        Ok(Self { key, value })
    }
}

impl<'a> Value<'a> {
    /// Reads an `AnyValue` message, to its full depth; of several members the last counts.
    pub fn parse(message: &'a [u8]) -> Result<Self, Malformed> {
        Self::parse_at(message, 0)
    }

    fn parse_at(message: &'a [u8], depth: usize) -> Result<Self, Malformed> {
        if depth > MAX_DEPTH {
            return Err(Malformed::new("values nested at most 31 deep", 0));
        }
        let mut value = Value::Empty;
        let mut fields = Fields::new(message);
        while let Some(field) = fields.next_field()? {
            match (field.number, field.wire) {
                (1, Wire::Bytes(bytes)) => value = Value::String(Text::new(bytes)),
                (2, Wire::Varint(flag)) => value = Value::Bool(flag != 0),
                (3, Wire::Varint(number)) => value = Value::Int(number as i64),
                (4, Wire::Fixed64(bits)) => value = Value::Double(f64::from_bits(bits)),
                (5, Wire::Bytes(bytes)) => {
                    for item in Fields::new(bytes) {
                        if let (1, Wire::Bytes(item)) = item.map(|field| (field.number, field.wire))? {
                            Value::parse_at(item, depth + 1)?;
                        }
                    }
                    value = Value::Array(Array(bytes));
                }
                (6, Wire::Bytes(bytes)) => {
                    for item in Fields::new(bytes) {
                        if let (1, Wire::Bytes(item)) = item.map(|field| (field.number, field.wire))? {
                            KeyValue::parse_at(item, depth + 1)?;
                        }
                    }
                    value = Value::KvList(KvList(bytes));
                }
                (7, Wire::Bytes(bytes)) => value = Value::Bytes(bytes),
                _ => {}
            }
        }
        Ok(value)
    }

    /// The text of a string value.
    #[inline]
    pub fn as_str(&self) -> Option<&'a str> {
        match self {
            Value::String(text) => Some(text.get()),
            _ => None,
        }
    }
}

impl<'a> Array<'a> {
    /// The items in order.
    pub fn iter(self) -> impl Iterator<Item = Value<'a>> {
        messages(self.0).filter_map(|item| Value::parse(item).ok())
    }
}

impl<'a> KvList<'a> {
    /// The entries in order.
    pub fn iter(self) -> impl Iterator<Item = KeyValue<'a>> {
        messages(self.0).filter_map(|item| KeyValue::parse(item).ok())
    }
}

/// The embedded messages of field 1.
fn messages(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    Fields::new(list).filter_map(|field| match field.ok()? {
        super::wire::Field { number: 1, wire: Wire::Bytes(bytes), .. } => Some(bytes),
        _ => None,
    })
}
