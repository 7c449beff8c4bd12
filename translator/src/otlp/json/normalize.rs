//! What producers write that is not JSON, made JSON before it is parsed: a byte order mark, bytes that are not UTF-8,
//! escaped lone surrogates (JavaScript strings may hold them) and bare `NaN` (Python's `json.dumps` writes it).
//!
//! A body that needs nothing is borrowed.

use std::borrow::Cow;

/// A body that can be parsed, and what was replaced in it.
#[derive(Debug)]
pub(super) struct Normalized<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) lone_surrogates: u32,
    pub(super) invalid_utf8: u32,
}

const NOT_FINITE: [&str; 3] = ["NaN", "Infinity", "-Infinity"];

/// How long `\uXXXX` is.
const ESCAPE: usize = 6;

pub(super) fn normalize(body: &[u8]) -> Normalized<'_> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    match std::str::from_utf8(body) {
        Ok(text) => {
            let (rewritten, lone_surrogates) = rewrite(text);
            Normalized { text: rewritten.map_or(Cow::Borrowed(text), Cow::Owned), lone_surrogates, invalid_utf8: 0 }
        }
        Err(_) => {
            let (text, invalid_utf8) = replace_invalid_utf8(body);
            let (rewritten, lone_surrogates) = rewrite(&text);
            Normalized { text: Cow::Owned(rewritten.unwrap_or(text)), lone_surrogates, invalid_utf8 }
        }
    }
}

fn replace_invalid_utf8(body: &[u8]) -> (String, u32) {
    let mut text = String::with_capacity(body.len());
    let mut replaced = 0u32;
    for chunk in body.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
            replaced = replaced.saturating_add(1);
        }
    }
    (text, replaced)
}

/// The text with lone surrogates and bare tokens replaced, if there are any, and how many surrogates there were.
fn rewrite(text: &str) -> (Option<String>, u32) {
    let bytes = text.as_bytes();
    let mut out = None;
    let mut lone_surrogates = 0u32;
    let mut copied = 0;
    let mut replace = |range: std::ops::Range<usize>, by: &[&str]| {
        let out = out.get_or_insert_with(|| String::with_capacity(text.len() + 16));
        out.push_str(text.get(copied..range.start).unwrap_or_default());
        out.extend(by.iter().copied());
        copied = range.end;
    };
    let mut in_string = false;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at += match (in_string, byte) {
            (_, b'"') => {
                in_string = !in_string;
                1
            }
            (true, b'\\') => match (surrogate(bytes, at), surrogate(bytes, at + ESCAPE)) {
                (Some(Surrogate::High), Some(Surrogate::Low)) => 2 * ESCAPE,
                (Some(_), _) => {
                    replace(at..at + ESCAPE, &["\\ufffd"]);
                    lone_surrogates = lone_surrogates.saturating_add(1);
                    ESCAPE
                }
                (None, _) => 2,
            },
            (false, b'N' | b'I' | b'-') => match not_finite(bytes, at) {
                Some(token) => {
                    replace(at..at + token.len(), &["\"", token, "\""]);
                    token.len()
                }
                None => 1,
            },
            _ => 1,
        };
    }
    if let Some(out) = &mut out {
        out.push_str(text.get(copied..).unwrap_or_default());
    }
    (out, lone_surrogates)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Surrogate {
    High,
    Low,
}

/// The surrogate whose escape starts at `at`.
fn surrogate(bytes: &[u8], at: usize) -> Option<Surrogate> {
    let digits = bytes.get(at..at + ESCAPE)?.strip_prefix(b"\\u")?;
    let [b'd' | b'D', second, third, fourth] = digits else { return None };
    if !third.is_ascii_hexdigit() || !fourth.is_ascii_hexdigit() {
        return None;
    }
    match second {
        b'8' | b'9' | b'a' | b'b' | b'A' | b'B' => Some(Surrogate::High),
        b'c'..=b'f' | b'C'..=b'F' => Some(Surrogate::Low),
        _ => None,
    }
}

fn not_finite(bytes: &[u8], at: usize) -> Option<&'static str> {
    let rest = bytes.get(at..)?;
    NOT_FINITE.into_iter().find(|token| rest.starts_with(token.as_bytes()))
}
