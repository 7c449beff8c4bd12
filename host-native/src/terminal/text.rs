//! Text from strangers, made safe for one line of a terminal and cut to a width.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The text on one line: white space is a blank, and what a terminal would obey (control characters, and the marks that
/// reverse or hide text) is `�`.
pub(crate) fn printable(text: &str) -> String {
    text.trim()
        .chars()
        .map(|c| {
            if c.is_whitespace() {
                ' '
            } else if obeyed(c) {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            }
        })
        .collect()
}

fn obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Columns that the text takes.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// The text, cut to at most so many columns; a cut is marked with `…`.
pub(super) fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut taken = 0;
    for c in text.chars() {
        taken += c.width().unwrap_or(0);
        if taken + 1 > columns {
            break;
        }
        cut.push(c);
    }
    if columns > 0 {
        cut.push('…');
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_text_that_a_terminal_would_obey_then_it_is_made_harmless() {
        assert_eq!(printable("a\u{1b}[31mred\u{7}\u{9b}2J"), "a�[31mred��2J");
        assert_eq!(printable("two\nlines\tand\u{a0}more\n"), "two lines and more");
        assert_eq!(printable("abc\u{202e}cba"), "abc�cba");
    }

    #[test]
    fn given_wide_characters_then_a_cut_counts_columns() {
        assert_eq!(cut("東京タワー", 10), "東京タワー");
        assert_eq!(cut("東京タワー", 9), "東京タワ…");
        assert_eq!(cut("東京タワー", 8), "東京タ…");
        assert_eq!(cut("plain", 3), "pl…");
        assert_eq!(cut("plain", 0), "");
    }
}
