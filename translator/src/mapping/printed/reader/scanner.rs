//! The lexical side of what Python prints: white space, names, strings and balanced brackets.

use std::borrow::Cow;

/// A text, and how far it was read.
pub(super) struct Scanner<'t> {
    text: &'t str,
    at: usize,
    /// Whether the writer cut the text off, so that it may end anywhere.
    pub(super) is_cut: bool,
}

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t str, is_cut: bool) -> Self {
        Self { text, at: 0, is_cut }
    }

    pub(super) fn place(&self) -> usize {
        self.at
    }

    pub(super) fn return_to(&mut self, place: usize) {
        self.at = place;
    }

    /// What was passed since a place.
    pub(super) fn since(&self, place: usize) -> &'t str {
        self.text.get(place..self.at).unwrap_or_default()
    }

    pub(super) fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Whether a text that was cut off ends here.
    pub(super) fn is_cut_here(&self) -> bool {
        self.is_cut && self.at >= self.text.len()
    }

    /// The next byte that is no white space.
    pub(super) fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = *self.text.as_bytes().get(self.at)?;
            if !byte.is_ascii_whitespace() {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    /// Passes an ASCII character if it is next.
    pub(super) fn passes(&mut self, expected: u8) -> bool {
        let is_next = self.peek() == Some(expected);
        self.at += usize::from(is_next);
        is_next
    }

    /// Whether a list ends here, closed or cut off.
    pub(super) fn ends(&mut self, close: u8) -> bool {
        self.passes(close) || self.is_cut_here()
    }

    /// Passes the ASCII characters that a test takes.
    pub(super) fn run(&mut self, is_part: impl Fn(u8) -> bool) -> &'t str {
        let start = self.at;
        self.at += self.rest().bytes().take_while(|byte| is_part(*byte)).count();
        self.since(start)
    }

    /// A name with dots.
    pub(super) fn name(&mut self) -> &'t str {
        let start = self.at;
        self.run(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'));
        // Few names have other letters.
        if self.rest().bytes().next().is_some_and(|byte| !byte.is_ascii()) {
            let is_part = |each: char| each.is_alphanumeric() || matches!(each, '_' | '.');
            self.at = self.text.len() - self.rest().trim_start_matches(is_part).len();
        }
        self.since(start)
    }

    /// What a string between quotes spells; `None` where it does not end.
    pub(super) fn string(&mut self) -> Option<Cow<'t, str>> {
        let quote = self.rest().bytes().next()?;
        self.at += 1;
        let mut spelled = Cow::Borrowed("");
        loop {
            let rest = self.rest();
            let run = rest.bytes().position(|byte| byte == quote || byte == b'\\').unwrap_or(rest.len());
            spelled += rest.get(..run).unwrap_or_default();
            self.at += run;
            let mut next = self.rest().chars();
            match (next.next(), next.next()) {
                (Some('\\'), Some(escaped)) => {
                    self.at += 1 + escaped.len_utf8();
                    spelled.to_mut().push(self.escaped(escaped));
                }
                (Some(end), _) if end == char::from(quote) => {
                    self.at += 1;
                    return Some(spelled);
                }
                _ => {
                    self.at = self.text.len();
                    spelled += "…";
                    return self.is_cut.then_some(spelled);
                }
            }
        }
    }

    /// The character that a backslash and another one spell.
    fn escaped(&mut self, escaped: char) -> char {
        let digits = match escaped {
            'n' => return '\n',
            't' => return '\t',
            'r' => return '\r',
            'x' => 2,
            'u' => 4,
            'U' => 8,
            other => return other,
        };
        let code = self.rest().chars().take(digits).try_fold(0, |code, digit| Some(code * 16 + digit.to_digit(16)?));
        self.at += self.rest().chars().take(digits).map(char::len_utf8).sum::<usize>();
        code.and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
    }

    /// The text from a place to where the bracket that is next closes.
    pub(super) fn bracketed(&mut self, start: usize) -> Option<Cow<'t, str>> {
        let mut open = 0_usize;
        loop {
            let Some(next) = self.text.as_bytes().get(self.at) else {
                return self.is_cut.then(|| Cow::Owned(format!("{}…", self.since(start))));
            };
            match next {
                b'\'' | b'"' => {
                    self.string()?;
                    continue;
                }
                b'(' | b'[' | b'{' | b'<' => open += 1,
                b')' | b']' | b'}' => open = open.checked_sub(1)?,
                // No bracket, but the arrow of a signature.
                b'>' if !self.since(start).ends_with('-') => open = open.checked_sub(1)?,
                _ => {}
            }
            self.at += 1;
            if open == 0 {
                return Some(Cow::Borrowed(self.since(start)));
            }
        }
    }
}
