//! What the inside of a JSON string spells.

use super::scan;

/// The text between a JSON string's quotes without its escapes. As in [`clean`](super::clean), half of a surrogate pair and U+0000
/// become U+FFFD. `None` where the text holds a quote, a control character or an escape that JSON does not know.
pub(super) fn unescaped(inner: &str) -> Option<String> {
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    loop {
        let (plain, after) = rest.split_at_checked(scan::plain_len(rest.as_bytes()))?;
        out.push_str(plain);
        let Some(escape) = after.strip_prefix('\\') else { return after.is_empty().then_some(out) };
        let (character, length) = character(escape.as_bytes())?;
        out.push(character);
        rest = escape.get(length..)?;
    }
}

/// The character after a backslash, and in how many bytes it is written.
fn character(escape: &[u8]) -> Option<(char, usize)> {
    let character = match escape.first()? {
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        simple @ (b'"' | b'\\' | b'/') => char::from(*simple),
        b'u' => return unicode(escape),
        _ => return None,
    };
    Some((character, 1))
}

fn unicode(escape: &[u8]) -> Option<(char, usize)> {
    let first = code_unit(escape)?;
    if let 0xd800..=0xdbff = first
        && let Some(second @ 0xdc00..=0xdfff) = escape.get(5..).and_then(|rest| code_unit(rest.strip_prefix(b"\\")?))
    {
        return Some((char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00))?, 11));
    }
    let character = char::from_u32(first).filter(|character| *character != '\0');
    Some((character.unwrap_or(char::REPLACEMENT_CHARACTER), 5))
}

/// The code unit that `uXXXX` at the start spells.
fn code_unit(escape: &[u8]) -> Option<u32> {
    let digits = escape.strip_prefix(b"u")?.get(..4)?;
    digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escapes_spell_what_json_says() {
        assert_eq!(unescaped(r#"a\"\\\/\b\f\n\r\té\u00e9\ud83d\ude00"#).as_deref(), Some("a\"\\/\u{8}\u{c}\n\r\téé😀"));
        for broken in ["\"", "\\", "\\x", "\\u12", "\\u+123", "\n"] {
            assert_eq!(unescaped(broken), None, "{broken:?}");
        }
    }

    #[test]
    fn half_pairs_and_nul_become_the_replacement_character() {
        assert_eq!(
            unescaped(r"\ud83d\ud83d\ude00\ude00\u0000\ud83dx\ud83d\n").as_deref(),
            Some("\u{fffd}😀\u{fffd}\u{fffd}\u{fffd}x\u{fffd}\n")
        );
    }

    proptest! {
        #[test]
        fn serde_reads_the_same_of_a_cleaned_text(inner in r#"(\\["\\/bfnrtux]|\\u(d8|dc|00)[0-9a-f]{2}|[a-zé"\\ ]){0,12}"#) {
            let literal = format!("\"{inner}\"");
            let expected: Option<String> = serde_json::from_str(&crate::json::clean(&literal)).ok();
            prop_assert_eq!(unescaped(&inner), expected);
        }
    }
}
