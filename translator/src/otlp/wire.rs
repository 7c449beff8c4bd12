//! Protobuf's wire format, read without copying and written by appending.
//!
//! Reading never allocates and never panics: truncated, overlong and group-typed fields are a [`Malformed`] that names
//! the byte offset within the message that was being read.
//! Source: <https://protobuf.dev/programming-guides/encoding/>.

use super::Malformed;

/// The payload of one field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wire<'a> {
    /// Wire type 0.
    Varint(u64),
    /// Wire type 1, little endian.
    Fixed64(u64),
    /// Wire type 2: a string, bytes, an embedded message or packed scalars.
    Bytes(&'a [u8]),
    /// Wire type 5, little endian.
    Fixed32(u32),
}

/// One field of a message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field<'a> {
    /// The field's number, 1 or greater.
    pub number: u32,
    /// Its payload.
    pub wire: Wire<'a>,
    /// The bytes of the whole field, tag included: copy them to pass the field on unchanged.
    pub raw: &'a [u8],
}

/// The fields of one message, in order.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    message: &'a [u8],
    /// What of it is still to be read.
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// Reads `message` from its start.
    pub fn new(message: &'a [u8]) -> Self {
        Self { message, rest: message }
    }

    /// The next field, or `None` at the end of the message.
    #[inline(always)]
    pub fn next_field(&mut self) -> Result<Option<Field<'a>>, Malformed> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let start = self.rest;
        let tag = self.varint()?;
        let number = (tag >> 3) as u32;
        if tag >> 32 != 0 || number == 0 {
            return Err(self.expected("a field number between 1 and 536870911", start));
        }
        let wire = match tag & 7 {
            2 => Wire::Bytes(self.delimited()?),
            0 => Wire::Varint(self.varint()?),
            1 => Wire::Fixed64(u64::from_le_bytes(self.array()?)),
            5 => Wire::Fixed32(u32::from_le_bytes(self.array()?)),
            _ => return Err(self.expected("wire type 0, 1, 2 or 5", start)),
        };
        let raw = start.get(..start.len() - self.rest.len()).unwrap_or_default();
        Ok(Some(Field { number, wire, raw }))
    }

    /// The error at the place where `rest` is what remains.
    #[cold]
    #[inline(never)]
    fn expected(&self, expected: &str, rest: &[u8]) -> Malformed {
        Malformed::new(expected, self.message.len() - rest.len())
    }

    /// Most tags and lengths are one byte.
    #[inline(always)]
    fn varint(&mut self) -> Result<u64, Malformed> {
        match self.rest {
            [byte @ 0..0x80, rest @ ..] => {
                self.rest = rest;
                Ok(u64::from(*byte))
            }
            _ => self.long_varint(),
        }
    }

    #[inline(never)]
    fn long_varint(&mut self) -> Result<u64, Malformed> {
        let start = self.rest;
        let mut value = 0u64;
        for shift in (0..70).step_by(7) {
            let [byte, rest @ ..] = self.rest else {
                return Err(self.expected("the rest of a varint", start));
            };
            self.rest = rest;
            if shift < 63 {
                value |= u64::from(byte & 0x7f) << shift;
            } else {
                // The tenth byte holds the one bit that is left; parsers drop what overflows.
                value |= u64::from(byte & 1) << 63;
            }
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(self.expected("a varint of at most ten bytes", start))
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let Some((bytes, rest)) = self.rest.split_first_chunk::<N>() else {
            return Err(self.expected("the rest of a fixed-width number", self.rest));
        };
        self.rest = rest;
        Ok(*bytes)
    }

    #[inline]
    fn delimited(&mut self) -> Result<&'a [u8], Malformed> {
        let start = self.rest;
        let length = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
        let Some((bytes, rest)) = self.rest.split_at_checked(length) else {
            return Err(self.expected("the rest of a length-delimited field", start));
        };
        self.rest = rest;
        Ok(bytes)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, Malformed>;

    /// Ends after the first error.
    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let next = self.next_field().transpose();
        if let Some(Err(_)) = next {
            self.rest = &[];
        }
        next
    }
}

/// Appends a varint.
#[inline]
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a varint field.
#[inline]
pub fn put_varint_field(out: &mut Vec<u8>, number: u32, value: u64) {
    put_varint(out, u64::from(number) << 3);
    put_varint(out, value);
}

/// Appends a fixed64 field (`fixed64`, or a `double` by its bits).
#[inline]
pub fn put_fixed64_field(out: &mut Vec<u8>, number: u32, value: u64) {
    put_varint(out, u64::from(number) << 3 | 1);
    out.extend_from_slice(&value.to_le_bytes());
}

/// Appends a fixed32 field.
#[inline]
pub fn put_fixed32_field(out: &mut Vec<u8>, number: u32, value: u32) {
    put_varint(out, u64::from(number) << 3 | 5);
    out.extend_from_slice(&value.to_le_bytes());
}

/// Appends a string, bytes or message field.
#[inline]
pub fn put_bytes_field(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    put_header(out, number, bytes.len());
    out.extend_from_slice(bytes);
}

/// Appends the tag and length of a length-delimited field; the caller appends exactly `length` bytes after it.
#[inline]
pub fn put_header(out: &mut Vec<u8>, number: u32, length: usize) {
    put_varint(out, u64::from(number) << 3 | 2);
    put_varint(out, length as u64);
}

/// How many bytes [`put_varint`] appends.
#[inline]
pub fn varint_len(value: u64) -> usize {
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}

/// How many bytes a length-delimited field takes with its tag and length.
#[inline]
pub fn bytes_field_len(number: u32, length: usize) -> usize {
    varint_len(u64::from(number) << 3) + varint_len(length as u64) + length
}
