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

    /// The next character that is no white space.
    pub(super) fn peek(&mut self) -> Option<char> {
        let rest = self.rest();
        self.at += rest.bytes().take_while(u8::is_ascii_whitespace).count();
        self.rest().chars().next()
    }

    /// Passes a character if it is next.
    pub(super) fn passes(&mut self, expected: char) -> bool {
        let is_next = self.peek() == Some(expected);
        self.at += usize::from(is_next) * expected.len_utf8();
        is_next
    }

    /// Whether a list ends here, closed or cut off.
    pub(super) fn ends(&mut self, close: char) -> bool {
        self.passes(close) || self.is_cut_here()
    }

    /// Passes the characters that a test takes.
    pub(super) fn run(&mut self, is_part: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let run = rest.get(..rest.find(|each| !is_part(each)).unwrap_or(rest.len())).unwrap_or_default();
        self.at += run.len();
        run
    }

    /// A name with dots.
    pub(super) fn name(&mut self) -> &'t str {
        self.run(|each| each.is_alphanumeric() || matches!(each, '_' | '.'))
    }

    /// What a string between quotes spells; `None` where it does not end.
    pub(super) fn string(&mut self) -> Option<Cow<'t, str>> {
        let quote = self.rest().chars().next()?;
        self.at += quote.len_utf8();
        let mut spelled = Cow::Borrowed("");
        loop {
            let rest = self.rest();
            let run = rest.find([quote, '\\']).unwrap_or(rest.len());
            spelled += rest.get(..run).unwrap_or_default();
            self.at += run;
            let mut next = self.rest().chars();
            match (next.next(), next.next()) {
                (Some('\\'), Some(escaped)) => {
                    self.at += 1 + escaped.len_utf8();
                    spelled.to_mut().push(self.escaped(escaped));
                }
                (Some(end), _) if end == quote => {
                    self.at += quote.len_utf8();
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
            let Some(next) = self.rest().chars().next() else {
                return self.is_cut.then(|| Cow::Owned(format!("{}…", self.since(start))));
            };
            match next {
                '\'' | '"' => {
                    self.string()?;
                    continue;
                }
                '(' | '[' | '{' | '<' => open += 1,
                ')' | ']' | '}' => open = open.checked_sub(1)?,
                // No bracket, but the arrow of a signature.
                '>' if !self.since(start).ends_with('-') => open = open.checked_sub(1)?,
                _ => {}
            }
            self.at += next.len_utf8();
            if open == 0 {
                return Some(Cow::Borrowed(self.since(start)));
            }
        }
    }
}
