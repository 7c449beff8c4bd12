//! Reads what Python's `repr` prints, and writes it as JSON.
//!
//! An object of named arguments becomes a JSON object with its class under `type`, unless it has a `type` itself. An enum's
//! member becomes its value. What has no such form (`datetime.datetime(2026, 1, 2)`, `<function f at 0x…>`) becomes the text
//! that Python printed. A text that its writer cut off (`…(a=1, b='lon...`) is read as far as it goes.

mod scanner;
#[cfg(test)]
mod tests;

use crate::json;
use scanner::Scanner;

/// How deep objects nest at most.
const DEPTH: usize = 64;

/// What a writer puts in place of what it cuts off.
const CUT: &str = "...";

/// How many digits a number has at most that every reader of JSON can hold.
const DIGITS: usize = 15;

/// What a printed object says.
pub(super) struct Read {
    /// JSON.
    pub(super) json: String,
    /// Whether it has numbers that may be too big for MLflow.
    pub(super) has_big_numbers: bool,
}

/// Reads a printed object; `None` where anything in it is not understood.
pub(super) fn read(text: &str) -> Option<Read> {
    let text = text.trim();
    let (text, is_cut) = text.strip_suffix(CUT).map_or((text, false), |start| (start, true));
    let out = String::with_capacity(text.len() + text.len() / 4);
    let mut reader = Reader { scanner: Scanner::new(text, is_cut), out, has_big_numbers: false };
    match is_bare(text) {
        true => reader.fields(None, DEPTH)?,
        false => reader.value(DEPTH)?,
    }
    let is_whole = reader.scanner.rest().is_empty();
    is_whole.then_some(Read { json: reader.out, has_big_numbers: reader.has_big_numbers })
}

/// Whether a text begins as the fields of an object without its class, as Pydantic's `str` prints them: `role='user' n=1`.
pub(super) fn is_bare(text: &str) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let name = text.bytes().take_while(is_part).count();
    let (starts, value) = (text.bytes().next(), text.get(name..).and_then(|rest| rest.strip_prefix('=')));
    // Base64 in JSON ends with an equals sign and a double quote.
    starts.is_some_and(|first| first.is_ascii_lowercase() || first == b'_')
        && value.is_some_and(|value| value.starts_with('\'') || value.starts_with("None "))
}

struct Reader<'t> {
    scanner: Scanner<'t>,
    out: String,
    has_big_numbers: bool,
}

impl<'t> Reader<'t> {
    fn value(&mut self, depth: usize) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        let Some(first) = self.scanner.peek() else {
            self.out.push_str("null");
            return self.scanner.is_cut.then_some(());
        };
        match first {
            b'\'' | b'"' => self.string(),
            b'[' | b'(' => self.list(depth),
            b'{' => self.dict(depth),
            b'<' => self.angles(),
            b'-' | b'0'..=b'9' => {
                self.number();
                Some(())
            }
            _ => self.named(depth),
        }
    }

    fn string(&mut self) -> Option<()> {
        let text = self.scanner.string()?;
        json::put_quoted(&mut self.out, &text);
        Some(())
    }

    fn number(&mut self) {
        let number = self.scanner.run(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+'));
        self.has_big_numbers |= number.len() > DIGITS;
        match serde_json::from_str::<serde_json::Number>(number) {
            Ok(_) => self.out.push_str(number),
            // `1j`, `-inf`, `1.`.
            Err(_) => json::put_quoted(&mut self.out, number),
        }
    }

    /// A list or a tuple.
    fn list(&mut self, depth: usize) -> Option<()> {
        let close = if self.scanner.passes(b'[') { b']' } else { b')' };
        if close == b')' && !self.scanner.passes(b'(') {
            return None;
        }
        self.out.push('[');
        let mut is_first = true;
        while !self.scanner.ends(close) {
            if !std::mem::take(&mut is_first) {
                if !self.scanner.passes(b',') {
                    return None;
                }
                if self.scanner.ends(close) {
                    break;
                }
                self.out.push_str(", ");
            }
            self.value(depth)?;
        }
        self.out.push(']');
        Some(())
    }

    /// A dictionary, or a set, which becomes an array.
    fn dict(&mut self, depth: usize) -> Option<()> {
        let start = self.out.len();
        self.scanner.passes(b'{');
        self.out.push('{');
        let (mut is_first, mut is_set) = (true, false);
        while !self.scanner.ends(b'}') {
            if !is_first {
                if !self.scanner.passes(b',') {
                    return None;
                }
                self.out.push_str(", ");
            }
            let key = self.out.len();
            self.value(depth)?;
            if is_first {
                is_set = !self.scanner.rest().is_empty() && self.scanner.peek() != Some(b':');
            }
            if is_set {
                is_first = false;
                continue;
            }
            if self.scanner.is_cut_here() {
                // A key without its value.
                self.out.truncate(if is_first { key } else { key - ", ".len() });
                break;
            }
            is_first = false;
            if self.out.get(key..)?.starts_with(['{', '[']) && self.out.get(key..)?.contains('{') {
                // Keys within keys would be quoted again and again. Python has no such keys.
                return None;
            }
            if !self.out.get(key..)?.starts_with('"') {
                let text = json::quoted(self.out.get(key..)?);
                self.out.replace_range(key.., &text);
            }
            self.out.push_str(": ");
            if !self.scanner.passes(b':') {
                return None;
            }
            self.value(depth)?;
        }
        if is_set {
            self.out.replace_range(start..=start, "[");
        }
        self.out.push(if is_set { ']' } else { '}' });
        Some(())
    }

    /// `<Role.USER: 'user'>` becomes its value, anything else its text.
    fn angles(&mut self) -> Option<()> {
        let (place, written) = (self.scanner.place(), self.out.len());
        if self.member().is_some() {
            return Some(());
        }
        self.scanner.return_to(place);
        self.out.truncate(written);
        self.printed(place)
    }

    fn member(&mut self) -> Option<()> {
        self.scanner.passes(b'<');
        let name = self.scanner.name();
        if !name.contains('.') || !self.scanner.passes(b':') {
            return None;
        }
        match self.scanner.peek()? {
            b'\'' | b'"' => self.string()?,
            b'-' | b'0'..=b'9' => self.number(),
            _ => return None,
        }
        self.scanner.ends(b'>').then_some(())
    }

    /// A constant, or an object.
    fn named(&mut self, depth: usize) -> Option<()> {
        let start = self.scanner.place();
        let name = self.scanner.name();
        match name {
            "None" => self.out.push_str("null"),
            "True" => self.out.push_str("true"),
            "False" => self.out.push_str("false"),
            "nan" | "inf" => json::put_quoted(&mut self.out, name),
            "b" if self.scanner.rest().starts_with(['\'', '"']) => {
                self.scanner.string()?;
                json::put_quoted(&mut self.out, self.scanner.since(start));
            }
            _ if name.is_empty() || !self.scanner.rest().starts_with('(') => {
                // A constant that was cut off.
                self.out.push_str("null");
                return self.scanner.is_cut_here().then_some(());
            }
            _ => return self.object(name, start, depth),
        }
        Some(())
    }

    /// An object of named arguments; of others, its text.
    fn object(&mut self, name: &str, start: usize, depth: usize) -> Option<()> {
        let open = self.scanner.place();
        self.scanner.passes(b'(');
        let first = self.scanner.place();
        let has_fields = self.scanner.passes(b')') || self.field_name().is_some() || {
            let name = self.scanner.since(first);
            self.scanner.is_cut_here() && !name.starts_with(|each: char| each.is_ascii_digit())
        };
        if !has_fields {
            self.scanner.return_to(open);
            return self.printed(start);
        }
        self.scanner.return_to(first);
        self.fields(Some(name.rsplit('.').next().unwrap_or(name)), depth)
    }

    /// The name of an argument, and the sign after it.
    fn field_name(&mut self) -> Option<&'t str> {
        self.scanner.peek()?;
        let name = self.scanner.name();
        let is_field = !name.is_empty() && self.scanner.passes(b'=');
        is_field.then_some(name)
    }

    /// The fields of an object of a class, between commas, or of an object without one, between spaces.
    fn fields(&mut self, class: Option<&str>, depth: usize) -> Option<()> {
        self.out.push('{');
        let (start, mut has_type, mut count) = (self.out.len(), false, 0);
        if let Some(class) = class {
            self.out.push_str("\"type\": ");
            json::put_quoted(&mut self.out, class);
        }
        let typed = self.out.len();
        loop {
            let ends = if class.is_some() { self.scanner.ends(b')') } else { self.scanner.peek().is_none() };
            if ends {
                break;
            }
            if count > 0 && class.is_some() {
                if !self.scanner.passes(b',') {
                    return None;
                }
                // Pretty printers leave a comma at the end.
                if self.scanner.ends(b')') {
                    break;
                }
            }
            let Some(name) = self.field_name() else {
                if self.scanner.is_cut_here() {
                    break;
                }
                return None;
            };
            if self.out.len() > start {
                self.out.push_str(", ");
            }
            count += 1;
            let name = Some(name.trim_start_matches('_')).filter(|name| !name.is_empty()).unwrap_or(name);
            has_type |= name == "type";
            json::put_quoted(&mut self.out, name);
            self.out.push_str(": ");
            self.value(depth)?;
        }
        // One field alone is what people write.
        if class.is_none() && count < 2 {
            return None;
        }
        if class.is_some() && has_type {
            self.out.replace_range(start..typed + ", ".len(), "");
        }
        self.out.push('}');
        Some(())
    }

    /// The text from a place to where the bracket that is next closes.
    fn printed(&mut self, start: usize) -> Option<()> {
        let text = self.scanner.bracketed(start)?;
        json::put_quoted(&mut self.out, &text);
        Some(())
    }
}
