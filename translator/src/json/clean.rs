//! JSON text without what MLflow cannot hold.

use std::borrow::Cow;

use super::scan::{self, Fault};

/// A text that MLflow takes for JSON, without what costs the span or its trace. Borrowed when nothing was wrong, and
/// for every text that is no JSON.
///
/// - `NaN`, `Infinity` and `-Infinity` become strings: Python reads them, but no browser does, and MLflow's UI then shows
///   the raw text in place of a conversation.
/// - Half of a surrogate pair and U+0000, both escaped, become U+FFFD: in a trace preview or a model's name the first
///   makes MLflow refuse the request, the second makes PostgreSQL refuse it.
/// - Integers outside 64 bits become strings of their digits: see [`Fault::BigInteger`].
pub fn clean(text: &str) -> Cow<'_, str> {
    if !super::may_be_structured(text) || !is_suspicious(text.as_bytes()) {
        return Cow::Borrowed(text);
    }
    let cleaned = replace(text);
    match (cleaned, scan::read(text)) {
        (Cow::Owned(cleaned), Ok(_) | Err(Fault::BigInteger)) if scan::read(&cleaned).is_ok() => Cow::Owned(cleaned),
        _ => Cow::Borrowed(text),
    }
}

/// A text that MLflow can hold, whatever it is: [cleaned](clean), and as a JSON string when that is not enough.
pub fn storable(text: &str) -> Cow<'_, str> {
    let cleaned = clean(text);
    if is_faulty(&cleaned) { Cow::Owned(super::quoted(&cleaned)) } else { cleaned }
}

/// Whether MLflow would take a text for JSON and could not hold it: see [`Fault`].
pub fn is_faulty(text: &str) -> bool {
    /// Python's limit for the digits of an integer. An integer that is all of a text is no JSON to MLflow, but parsed.
    const MAX_DIGITS: usize = 4300;
    let may_be = match super::first_byte(text) {
        Some(b'{' | b'[') => has_many_brackets(text.as_bytes()) || has_long_number(text.as_bytes()),
        Some(b'-' | b'0'..=b'9') => text.len() > MAX_DIGITS,
        _ => false,
    };
    may_be && matches!(scan::read(text), Err(Fault::TooDeep | Fault::BigInteger))
}

/// Whether there are as many opening brackets as it takes to nest too deeply.
fn has_many_brackets(bytes: &[u8]) -> bool {
    let opens = |byte: &u8| u8::from(matches!(*byte, b'{' | b'['));
    let mut count = 0;
    bytes.chunks(CHUNK).any(|chunk| {
        count += usize::from(chunk.iter().map(opens).sum::<u8>());
        count >= scan::MIN_DEEP_LEVELS
    })
}

/// Whether there is a run of as many digits as an integer beyond 64 bits has: it covers one of the bytes looked at.
fn has_long_number(bytes: &[u8]) -> bool {
    const DIGITS: usize = 19;
    let begins = |chunk: &[u8]| chunk.first().is_some_and(u8::is_ascii_digit);
    let mut chunks = bytes.chunks(DIGITS).enumerate();
    chunks.any(|(index, chunk)| begins(chunk) && run_of_digits(bytes, index * DIGITS) >= DIGITS)
}

/// What [`storable`] made a JSON string of, cleaned, when cleaning it is enough.
pub fn unquoted(text: &str) -> Option<String> {
    let inner = super::string(text).filter(|inner| is_faulty(inner))?;
    match clean(&inner) {
        Cow::Owned(cleaned) => Some(cleaned),
        Cow::Borrowed(_) => None,
    }
}

/// How many bytes are looked at before the next decision, for compilers to use vector instructions.
const CHUNK: usize = 64;

/// Whether a text may hold anything to clean. Reads each byte once, and looks closer only at chunks that hold two bytes with
/// which something could begin.
fn is_suspicious(bytes: &[u8]) -> bool {
    // Without a short cut, for vector instructions.
    let begins = |one: u8, next: u8| {
        ((one == b'N') & (next == b'a')) | ((one == b'I') & (next == b'n')) | ((one == b'\\') & (next == b'u'))
    };
    let nexts = bytes.get(1..).unwrap_or_default();
    let words = bytes.chunks(CHUNK).zip(nexts.chunks(CHUNK)).enumerate().any(|(index, (chunk, nexts))| {
        chunk.iter().zip(nexts).fold(false, |found, (one, next)| found | begins(*one, *next))
            && (0..chunk.len()).any(|at| bytes.get(index * CHUNK + at..).is_some_and(is_suspicious_here))
    });
    words || has_long_number(bytes)
}

fn is_suspicious_here(rest: &[u8]) -> bool {
    match rest {
        [b'N', b'a', b'N', ..] => true,
        [b'I', ..] => rest.starts_with(b"Infinity"),
        [b'\\', b'u', ..] => matches!(code_unit(rest), Some(0 | 0xd800..=0xdfff)),
        _ => false,
    }
}

fn run_of_digits(bytes: &[u8], at: usize) -> usize {
    let (before, after) = bytes.split_at_checked(at).unwrap_or_default();
    let digits = |byte: &&u8| byte.is_ascii_digit();
    before.iter().rev().take_while(digits).count() + after.iter().take_while(digits).count()
}

/// Replaces what [`clean`] says. Makes sense of JSON only; of other text it may make anything.
fn replace(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut out = String::new();
    let mut copied = 0;
    let mut at = 0;
    let mut in_string = false;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let (length, replacement) = if in_string { inside(rest) } else { outside(rest) };
        if let [b'"', ..] = rest {
            in_string = !in_string;
        }
        match replacement {
            Replacement::None => {}
            Replacement::Character => {
                out.push_str(text.get(copied..at).unwrap_or_default());
                out.push_str("\\ufffd");
                copied = at + length;
            }
            Replacement::Quoted => {
                out.push_str(text.get(copied..at).unwrap_or_default());
                out.push('"');
                out.push_str(text.get(at..at + length).unwrap_or_default());
                out.push('"');
                copied = at + length;
            }
        }
        at += length;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    Cow::Owned(out)
}

enum Replacement {
    None,
    /// By U+FFFD.
    Character,
    /// By a string of the same characters.
    Quoted,
}

fn inside(rest: &[u8]) -> (usize, Replacement) {
    match rest {
        [b'\\', b'u', ..] => match (code_unit(rest), rest.get(6..).and_then(code_unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (12, Replacement::None),
            (Some(0 | 0xd800..=0xdfff), _) => (6, Replacement::Character),
            _ => (2, Replacement::None),
        },
        [b'\\', _, ..] => (2, Replacement::None),
        _ => (1, Replacement::None),
    }
}

/// The code unit that a `\uXXXX` at the start spells.
fn code_unit(rest: &[u8]) -> Option<u32> {
    let digits = rest.strip_prefix(b"\\u")?.get(..4)?;
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

fn outside(rest: &[u8]) -> (usize, Replacement) {
    if let Some(word) = ["NaN", "Infinity", "-Infinity"].iter().find(|word| rest.starts_with(word.as_bytes())) {
        return (word.len(), Replacement::Quoted);
    }
    if !matches!(rest, [b'-' | b'0'..=b'9', ..]) {
        return (1, Replacement::None);
    }
    let length =
        rest.iter().take_while(|byte| matches!(**byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')).count();
    let number = rest.get(..length).and_then(|number| std::str::from_utf8(number).ok()).unwrap_or_default();
    let is_integer = !number.contains(['.', 'e', 'E']);
    let fits = !is_integer || length <= 18 || number.parse::<i64>().is_ok();
    (length, if fits { Replacement::None } else { Replacement::Quoted })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_without_faults_is_borrowed() {
        for text in
            [r#"{"a": [1, "x"]}"#, "plain NaN", r"C:\users\u0000", "", "[1, 2", r#"{"NaN": "Infinity \ud83d\ude00"}"#]
        {
            assert!(matches!(clean(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    #[test]
    fn numbers_that_are_not_finite_become_strings() {
        assert_eq!(
            clean(r#"{"a": NaN, "b": [-Infinity, Infinity], "NaN": 1}"#),
            r#"{"a": "NaN", "b": ["-Infinity", "Infinity"], "NaN": 1}"#
        );
    }

    #[test]
    fn half_surrogate_pairs_and_nul_become_the_replacement_character() {
        assert_eq!(
            clean(r#"["\ud83d", "\ude00", "\ud83d\ud83d\ude00", "\u0000", "\\u0000"]"#),
            r#"["\ufffd", "\ufffd", "\ufffd\ud83d\ude00", "\ufffd", "\\u0000"]"#
        );
    }

    #[test]
    fn integers_beyond_64_bits_become_strings() {
        let long = "7".repeat(5000);
        assert_eq!(
            clean("[18446744073709551615, 9223372036854775807, 18446744073709551615.5]"),
            "[\"18446744073709551615\", 9223372036854775807, 18446744073709551615.5]"
        );
        assert_eq!(clean(&format!("[{long}, NaN]")), format!("[\"{long}\", \"NaN\"]"));
    }

    #[test]
    fn what_mlflow_cannot_hold_becomes_a_string_that_it_can() {
        let deep = "[".repeat(5000);
        assert_eq!(storable(&deep), super::super::quoted(&deep));
        assert!(!is_faulty(&storable(&deep)));
        assert_eq!(storable("[18446744073709551615]"), "[\"18446744073709551615\"]");
        assert_eq!(storable("[x, 18446744073709551615]"), "[x, 18446744073709551615]");
        assert!(is_faulty(&"1".repeat(4301)) && !is_faulty(&"1".repeat(4300)) && !is_faulty("\"[\""));
    }

    #[test]
    fn only_what_cleaning_mends_is_unquoted() {
        assert_eq!(unquoted("\"[18446744073709551615]\"").as_deref(), Some("[\"18446744073709551615\"]"));
        for text in [
            "\"[1]\"",
            "\"plain\"",
            "[1]",
            &super::super::quoted(&"[".repeat(5000)),
            &super::super::quoted(&"1".repeat(5000)),
        ] {
            assert_eq!(unquoted(text), None);
        }
    }

    #[test]
    fn text_that_is_no_json_is_left_alone() {
        for text in ["[NaN", "{\"a\": NaN,}", "\"\\ud83d", "[18446744073709551615"] {
            assert_eq!(clean(text), text);
        }
    }
}
