//! A scanner that builds nothing: it says what a text spells and where its parts are.

/// What a JSON text spells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `{…}`
    Object,
    /// `[…]`
    Array,
    /// `"…"`
    String,
    /// A number, `true`, `false` or `null`, and Python's `NaN` and `Infinity`.
    Other,
}

/// Why a text is not JSON that MLflow can hold. Measured on MLflow 3.17.2 with Python 3.11.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Not JSON: MLflow takes the text for a string, which is well.
    Syntax,
    /// Nested too deeply. Beyond [`MAX_WEIGHT`] a stored span cannot be read back; beyond some 950 levels Python gives
    /// up and the whole request is refused, also when no bracket is ever closed.
    TooDeep,
    /// An integer outside 64 bits: a stored span cannot be read back, and beyond 4300 digits Python gives up and the
    /// whole request is refused.
    BigInteger,
}

/// How much nesting MLflow can return. Its readers go through protobuf, whose Python and upb parsers stop at 100
/// messages: of those an object takes 3, an array 2, and the enclosing messages the rest.
const MAX_WEIGHT: usize = 95;
const OBJECT_WEIGHT: usize = 3;
const ARRAY_WEIGHT: usize = 2;
/// The fewest levels that nest too deeply.
pub(super) const MIN_DEEP_LEVELS: usize = MAX_WEIGHT / OBJECT_WEIGHT + 1;

/// Reads a whole text: one JSON value, and space around it.
///
/// The first fault in the order of the text counts, as it does in Python.
pub fn read(text: &str) -> Result<Kind, Fault> {
    Cursor::new(text).document(&mut ())
}

/// What follows the reading of a value: `()` follows nothing, [`JsonIndex`](super::JsonIndex) notes every part.
pub(super) trait Sink {
    /// An object or array starts here.
    fn open(&mut self, kind: Kind, at: usize);
    /// The innermost object or array ends before `end`.
    fn close(&mut self, end: usize);
    /// A key, a string or a scalar. `is_plain`: it holds no escape.
    fn leaf(&mut self, kind: Kind, start: usize, end: usize, is_plain: bool);
}

impl Sink for () {
    fn open(&mut self, _: Kind, _: usize) {}
    fn close(&mut self, _: usize) {}
    fn leaf(&mut self, _: Kind, _: usize, _: usize, _: bool) {}
}

/// The entries of an object: each key's literal, quotes included, and each value's text. Ends at the first fault; empty
/// for anything else.
pub fn entries(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut cursor = Cursor::new(text);
    let mut first = true;
    std::iter::from_fn(move || {
        cursor.next_part(&mut first, b'{')?;
        let start = cursor.at;
        cursor.string().ok()?;
        let key = text.get(start..cursor.at)?;
        cursor.space();
        cursor.expect(b':').ok()?;
        Some((key, cursor.part()?))
    })
}

/// The texts of an array's items. Ends at the first fault; empty for anything else.
pub fn items(text: &str) -> impl Iterator<Item = &str> {
    let mut cursor = Cursor::new(text);
    let mut first = true;
    std::iter::from_fn(move || {
        cursor.next_part(&mut first, b'[')?;
        cursor.part()
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Object,
    Array,
}

/// The containers that are open: one bit each, the innermost the lowest, set for an object.
#[derive(Default)]
struct Nesting {
    levels: u64,
    weight: usize,
}

// As many arrays as nest fit.
const _: () = assert!(MAX_WEIGHT / ARRAY_WEIGHT <= u64::BITS as usize);

impl Nesting {
    fn push(&mut self, open: Open) -> Result<(), Fault> {
        self.weight += weight(open);
        if self.weight > MAX_WEIGHT {
            return Err(Fault::TooDeep);
        }
        self.levels = self.levels << 1 | u64::from(open == Open::Object);
        Ok(())
    }

    fn pop(&mut self) {
        if let Some(open) = self.innermost() {
            self.weight -= weight(open);
            self.levels >>= 1;
        }
    }

    fn innermost(&self) -> Option<Open> {
        let innermost = if self.levels & 1 == 1 { Open::Object } else { Open::Array };
        (self.weight > 0).then_some(innermost)
    }
}

fn weight(open: Open) -> usize {
    match open {
        Open::Object => OBJECT_WEIGHT,
        Open::Array => ARRAY_WEIGHT,
    }
}

/// For a test of how often JSON is read.
#[cfg(feature = "meter")]
impl Drop for Cursor<'_> {
    fn drop(&mut self) {
        super::meter::add(self.at);
    }
}

pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
    /// Whether nothing was read that [`clean`](super::clean) might replace.
    pub(super) is_clean: bool,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, is_clean: true }
    }

    #[inline]
    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline]
    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    #[inline]
    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Result<(), Fault> {
        if self.take(byte) { Ok(()) } else { Err(Fault::Syntax) }
    }

    /// Moves to the start of the next entry or item of the outermost container.
    fn next_part(&mut self, first: &mut bool, opening: u8) -> Option<()> {
        self.space();
        if std::mem::take(first) {
            self.expect(opening).ok()?;
            self.space();
            // `{}` and `[]` end here: no value starts with a closing bracket.
            return Some(());
        }
        self.expect(b',').ok()?;
        self.space();
        Some(())
    }

    /// The text of the value that comes next.
    fn part(&mut self) -> Option<&'a str> {
        self.space();
        let start = self.at;
        self.value(&mut ()).ok()?;
        self.text.get(start..self.at)
    }

    /// Reads a whole text: one value, and space around it.
    pub(super) fn document(&mut self, sink: &mut impl Sink) -> Result<Kind, Fault> {
        let kind = self.value(sink)?;
        self.space();
        if self.peek().is_some() { Err(Fault::Syntax) } else { Ok(kind) }
    }

    /// Reads one value, without recursion.
    fn value(&mut self, sink: &mut impl Sink) -> Result<Kind, Fault> {
        let mut open = Nesting::default();
        let mut outermost = None;
        loop {
            self.space();
            let start = self.at;
            let kind = match self.peek().ok_or(Fault::Syntax)? {
                b'{' => {
                    self.at += 1;
                    open.push(Open::Object)?;
                    sink.open(Kind::Object, start);
                    self.space();
                    if !self.take(b'}') {
                        outermost.get_or_insert(Kind::Object);
                        self.key(sink)?;
                        continue;
                    }
                    open.pop();
                    sink.close(self.at);
                    Kind::Object
                }
                b'[' => {
                    self.at += 1;
                    open.push(Open::Array)?;
                    sink.open(Kind::Array, start);
                    self.space();
                    if !self.take(b']') {
                        outermost.get_or_insert(Kind::Array);
                        continue;
                    }
                    open.pop();
                    sink.close(self.at);
                    Kind::Array
                }
                b'"' => {
                    let is_plain = self.string()?;
                    sink.leaf(Kind::String, start, self.at, is_plain);
                    Kind::String
                }
                _ => {
                    self.scalar()?;
                    sink.leaf(Kind::Other, start, self.at, true);
                    Kind::Other
                }
            };
            outermost.get_or_insert(kind);
            loop {
                let Some(innermost) = open.innermost() else {
                    return outermost.ok_or(Fault::Syntax);
                };
                self.space();
                if self.take(b',') {
                    if innermost == Open::Object {
                        self.space();
                        self.key(sink)?;
                    }
                    break;
                }
                self.expect(if innermost == Open::Object { b'}' } else { b']' })?;
                open.pop();
                sink.close(self.at);
            }
        }
    }

    fn key(&mut self, sink: &mut impl Sink) -> Result<(), Fault> {
        let start = self.at;
        let is_plain = self.string()?;
        sink.leaf(Kind::String, start, self.at, is_plain);
        self.space();
        self.expect(b':')
    }

    /// Reads a string; whether it holds no escape.
    fn string(&mut self) -> Result<bool, Fault> {
        self.expect(b'"')?;
        self.at += plain_len(self.rest());
        let is_plain = self.take(b'"');
        if !is_plain {
            self.escapes()?;
        }
        Ok(is_plain)
    }

    /// Reads the rest of a string, from its first escape.
    #[inline(never)]
    fn escapes(&mut self) -> Result<(), Fault> {
        while !self.take(b'"') {
            self.escape()?;
            self.at += plain_len(self.rest());
        }
        Ok(())
    }

    fn escape(&mut self) -> Result<(), Fault> {
        let length = match self.rest() {
            [b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => 2,
            [b'\\', b'u', digits @ ..]
                if digits.first_chunk::<4>().is_some_and(|four| four.iter().all(u8::is_ascii_hexdigit)) =>
            {
                self.is_clean &= !matches!(digits, [b'd' | b'D', ..] | [b'0', b'0', b'0', b'0', ..]);
                6
            }
            _ => return Err(Fault::Syntax),
        };
        self.at += length;
        Ok(())
    }

    fn scalar(&mut self) -> Result<(), Fault> {
        let rest = self.rest();
        let is = |word: &[u8]| rest.starts_with(word).then_some(word.len());
        let word = match rest {
            [b't', ..] => is(b"true"),
            [b'f', ..] => is(b"false"),
            [b'n', ..] => is(b"null"),
            [b'N' | b'I' | b'-', ..] => {
                let not_finite = is(b"NaN").or_else(|| is(b"Infinity")).or_else(|| is(b"-Infinity"));
                self.is_clean &= not_finite.is_none();
                not_finite
            }
            _ => None,
        };
        match word {
            Some(length) => self.at += length,
            None => self.number()?,
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), Fault> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') && self.digits() == 0 {
            return Err(Fault::Syntax);
        }
        let integer = self.text.get(start..self.at).unwrap_or_default();
        let fraction = match self.rest() {
            [b'.', digit, ..] if digit.is_ascii_digit() => {
                self.at += 1;
                self.digits()
            }
            _ => 0,
        };
        let exponent = match self.rest() {
            [b'e' | b'E', digit, ..] if digit.is_ascii_digit() => 1,
            [b'e' | b'E', b'+' | b'-', digit, ..] if digit.is_ascii_digit() => 2,
            _ => 0,
        };
        if exponent > 0 {
            self.at += exponent;
            self.digits();
        } else if fraction == 0 && integer.len() > 18 && integer.parse::<i64>().is_err() {
            return Err(Fault::BigInteger);
        }
        Ok(())
    }

    fn digits(&mut self) -> usize {
        let count = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        count
    }
}

/// How many bytes from the start of a string's inside are neither its end, an escape nor a control character.
#[inline]
pub(super) fn plain_len(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // Subtracting borrows from the high bit of what is less. Bytes above the first such may be reported too.
        let less = |word: u64, than: u8| word.wrapping_sub(repeat(than));
        let quote = less(word ^ repeat(b'"'), 1);
        let escape = less(word ^ repeat(b'\\'), 1);
        let stops = (quote | escape | less(word, b' ')) & !word & repeat(0x80);
        if stops != 0 {
            return index * 8 + stops.trailing_zeros() as usize / 8;
        }
    }
    let stops = |byte: &u8| matches!(*byte, b'"' | b'\\' | 0..0x20);
    words.len() * 8 + rest.iter().position(stops).unwrap_or(rest.len())
}

const fn repeat(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(open: &str, close: &str, levels: usize) -> String {
        format!("{}1{}", open.repeat(levels), close.repeat(levels))
    }

    #[test]
    fn a_text_is_known_by_its_outermost_value() {
        assert_eq!(read(r#" {"a": [1, {"b": "c"}], "d": {}} "#), Ok(Kind::Object));
        assert_eq!(read("[[], {}, null, -1.5e+3]"), Ok(Kind::Array));
        assert_eq!(read(r#""a \" ü \u00e9 \ud83d""#), Ok(Kind::String));
        for other in ["0", "-0.5", "true", "NaN", "-Infinity"] {
            assert_eq!(read(other), Ok(Kind::Other), "{other}");
        }
    }

    #[test]
    fn what_python_refuses_is_no_json() {
        for text in
            ["", "{", "[1 2]", "[1,]", "{\"a\"}", "{1: 2}", "[01]", "[1.]", "[\"\n\"]", "\"\\x\"", "\"\\u12\"", "[+1]"]
        {
            assert_eq!(read(text), Err(Fault::Syntax), "{text}");
        }
    }

    #[test]
    fn nesting_that_mlflow_returns_is_read_and_more_is_not() {
        assert_eq!(read(&nested("{\"a\":", "}", 31)), Ok(Kind::Object));
        assert_eq!(read(&nested("{\"a\":", "}", 32)), Err(Fault::TooDeep));
        assert_eq!(read(&nested("[", "]", 47)), Ok(Kind::Array));
        assert_eq!(read(&nested("[", "]", 48)), Err(Fault::TooDeep));
        assert_eq!(read(&nested("[{\"a\":", "}]", 19)), Ok(Kind::Array));
        assert_eq!(read(&"[".repeat(5000)), Err(Fault::TooDeep));
    }

    #[test]
    fn brackets_inside_strings_do_not_nest() {
        assert_eq!(read(&format!("[\"{}\"]", "[{".repeat(500))), Ok(Kind::Array));
    }

    #[test]
    fn integers_must_fit_into_64_bits() {
        for fits in ["[9223372036854775807]", "[-9223372036854775808]", "[1e400]", "[123456789012345678901234567890.0]"]
        {
            assert_eq!(read(fits), Ok(Kind::Array), "{fits}");
        }
        for big in ["[9223372036854775808]", "[-9223372036854775809]", &"1".repeat(4301)] {
            assert_eq!(read(big), Err(Fault::BigInteger), "{big}");
        }
    }

    #[test]
    fn the_first_fault_counts() {
        let digits = "1".repeat(4301);
        assert_eq!(read(&format!("[x, {digits}]")), Err(Fault::Syntax));
        assert_eq!(read(&format!("[{digits}, x]")), Err(Fault::BigInteger));
    }

    #[test]
    fn the_parts_of_objects_and_arrays_are_found_without_building_them() {
        let object = r#" { "a" : [1, 2] , "b\"":{"c":"d"},"e":null } "#;
        let parts: Vec<_> = entries(object).collect();
        assert_eq!(parts, [(r#""a""#, "[1, 2]"), (r#""b\"""#, r#"{"c":"d"}"#), (r#""e""#, "null")]);
        assert_eq!(items("[1, \"a,b\" ,[2]]").collect::<Vec<_>>(), ["1", "\"a,b\"", "[2]"]);
        assert_eq!(entries("{}").count() + entries("[1]").count() + entries("x").count(), 0);
        assert_eq!(items("[]").count() + items("{}").count() + items("\"a\"").count(), 0);
    }

    #[test]
    fn long_strings_are_skipped_to_their_very_end() {
        for length in 0..40 {
            let text = format!("\"{}\"", "é".repeat(length));
            assert_eq!(read(&text), Ok(Kind::String), "{length}");
            let control = format!("\"{}\u{1f}\"", "x".repeat(length));
            assert_eq!(read(&control), Err(Fault::Syntax), "{length}");
        }
    }
}
