//! Reads what Python's `repr` prints, and writes it as JSON.
//!
//! An object of named arguments becomes a JSON object with its class under `type`, unless it has a `type` itself. An enum's
//! member becomes its value. What has no such form (`datetime.datetime(2026, 1, 2)`, `<function f at 0x…>`) becomes the text
//! that Python printed. A text that its writer cut off (`…(a=1, b='lon...`) is read as far as it goes.

use std::borrow::Cow;

use crate::json;

/// How deep objects nest at most.
const DEPTH: usize = 64;

/// What a writer puts in place of what it cuts off.
const CUT: &str = "...";

/// The JSON of a printed object; `None` where anything in it is not understood.
pub(super) fn read(text: &str) -> Option<String> {
    let text = text.trim();
    let (text, is_cut) = text.strip_suffix(CUT).map_or((text, false), |start| (start, true));
    let mut reader = Reader { text, at: 0, is_cut, out: String::with_capacity(text.len()) };
    match is_bare(text) {
        true => reader.fields(None, DEPTH)?,
        false => reader.value(DEPTH)?,
    }
    reader.rest().is_empty().then_some(reader.out)
}

/// Whether a text begins as the fields of an object without its class, as Pydantic's `str` prints them: `role='user' n=1`.
pub(super) fn is_bare(text: &str) -> bool {
    let Some((name, value)) = text.split_once('=') else { return false };
    let is_name = name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && name.chars().all(|each| each.is_ascii_alphanumeric() || each == '_');
    // Base64 in JSON ends with an equals sign and a double quote.
    is_name && (value.starts_with('\'') || value.starts_with("None "))
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    is_cut: bool,
    out: String,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&mut self) -> Option<char> {
        self.at += self.rest().len() - self.rest().trim_start().len();
        self.rest().chars().next()
    }

    /// Passes a character if it is next.
    fn passes(&mut self, expected: char) -> bool {
        let is_next = self.peek() == Some(expected);
        self.at += usize::from(is_next) * expected.len_utf8();
        is_next
    }

    /// Whether a list ends here, closed or cut off.
    fn ends(&mut self, close: char) -> bool {
        self.passes(close) || self.is_cut && self.rest().is_empty()
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        let Some(first) = self.peek() else {
            self.out.push_str("null");
            return self.is_cut.then_some(());
        };
        match first {
            '\'' | '"' => self.string(),
            '[' | '(' => self.list(depth),
            '{' => self.dict(depth),
            '<' => self.angles(),
            '-' | '0'..='9' => self.number(),
            _ => self.named(depth),
        }
    }

    fn string(&mut self) -> Option<()> {
        let text = self.spelled()?;
        json::put_quoted(&mut self.out, &text);
        Some(())
    }

    /// What a string between quotes spells.
    fn spelled(&mut self) -> Option<Cow<'t, str>> {
        let mut rest = self.rest().chars();
        let quote = rest.next()?;
        let mut text = Cow::Borrowed("");
        loop {
            let inside = rest.as_str();
            let stops = |byte: u8| char::from(byte) == quote || byte == b'\\';
            let (plain, after) = inside.split_at(inside.bytes().position(stops).unwrap_or(inside.len()));
            text += plain;
            let mut characters = after.chars();
            match characters.next() {
                Some('\\') => {}
                Some(_) => {
                    self.at = self.text.len() - characters.as_str().len();
                    return Some(text);
                }
                None => break,
            }
            let text = text.to_mut();
            let Some(escaped) = characters.next() else { break };
            let digits = match escaped {
                'n' => Err('\n'),
                't' => Err('\t'),
                'r' => Err('\r'),
                'x' => Ok(2),
                'u' => Ok(4),
                'U' => Ok(8),
                other => Err(other),
            };
            match digits {
                Err(character) => text.push(character),
                Ok(count) => {
                    let code = characters
                        .by_ref()
                        .take(count)
                        .try_fold(0, |code, digit| Some(code * 16 + digit.to_digit(16)?));
                    text.push(code.and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER));
                }
            }
            rest = characters;
        }
        self.at = self.text.len();
        text += "…";
        self.is_cut.then_some(text)
    }

    fn number(&mut self) -> Option<()> {
        let rest = self.rest();
        let is_part = |each: char| each.is_ascii_alphanumeric() || matches!(each, '.' | '-' | '+');
        let number = rest.get(..rest.find(|each| !is_part(each)).unwrap_or(rest.len()))?;
        self.at += number.len();
        match serde_json::from_str::<serde_json::Number>(number) {
            Ok(_) => self.out.push_str(number),
            // `1j`, `-inf`, `1.`.
            Err(_) => self.out.push_str(&json::quoted(number)),
        }
        Some(())
    }

    /// A list or a tuple.
    fn list(&mut self, depth: usize) -> Option<()> {
        let close = if self.passes('[') { ']' } else { ')' };
        if close == ')' && !self.passes('(') {
            return None;
        }
        self.out.push('[');
        let mut is_first = true;
        while !self.ends(close) {
            if !std::mem::take(&mut is_first) {
                if !self.passes(',') {
                    return None;
                }
                if self.ends(close) {
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
        self.passes('{');
        self.out.push('{');
        let (mut is_first, mut is_set) = (true, false);
        while !self.ends('}') {
            if !is_first {
                if !self.passes(',') {
                    return None;
                }
                self.out.push_str(", ");
            }
            let key = self.out.len();
            self.value(depth)?;
            if is_first {
                is_set = !self.rest().is_empty() && self.peek() != Some(':');
            }
            if is_set {
                is_first = false;
                continue;
            }
            if self.is_cut && self.rest().is_empty() {
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
            if !self.passes(':') {
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
        let (at, written) = (self.at, self.out.len());
        if self.member().is_some() {
            return Some(());
        }
        self.at = at;
        self.out.truncate(written);
        self.printed(at)
    }

    fn member(&mut self) -> Option<()> {
        self.passes('<');
        let name = self.name();
        if !name.contains('.') || !self.passes(':') {
            return None;
        }
        match self.peek()? {
            '\'' | '"' => self.string()?,
            '-' | '0'..='9' => self.number()?,
            _ => return None,
        }
        self.ends('>').then_some(())
    }

    /// A name with dots.
    fn name(&mut self) -> &'t str {
        let rest = self.rest();
        let is_part = |each: char| each.is_alphanumeric() || matches!(each, '_' | '.');
        let name = rest.get(..rest.find(|each| !is_part(each)).unwrap_or(rest.len())).unwrap_or_default();
        self.at += name.len();
        name
    }

    /// A constant, or an object.
    fn named(&mut self, depth: usize) -> Option<()> {
        let start = self.at;
        let name = self.name();
        let constant = match name {
            "None" => "null",
            "True" => "true",
            "False" => "false",
            "nan" | "inf" => "\"\"",
            _ => "",
        };
        match constant {
            "" => {}
            "\"\"" => {
                json::put_quoted(&mut self.out, name);
                return Some(());
            }
            constant => {
                self.out.push_str(constant);
                return Some(());
            }
        }
        let is_bytes = name == "b" && self.rest().starts_with(['\'', '"']);
        if is_bytes {
            self.spelled()?;
            json::put_quoted(&mut self.out, self.text.get(start..self.at)?);
            return Some(());
        }
        if name.is_empty() || !self.rest().starts_with('(') {
            // A constant that was cut off.
            self.out.push_str("null");
            return (self.is_cut && self.rest().is_empty()).then_some(());
        }
        let open = self.at;
        self.passes('(');
        let first = self.at;
        let has_fields = self.passes(')') || self.field_name().is_some() || {
            let name = self.text.get(first..self.at).unwrap_or_default();
            self.is_cut && self.rest().is_empty() && !name.starts_with(|each: char| each.is_ascii_digit())
        };
        self.at = first;
        if !has_fields {
            self.at = open;
            return self.printed(start);
        }
        self.fields(Some(name.rsplit('.').next().unwrap_or(name)), depth)
    }

    /// The name of an argument, and the sign after it.
    fn field_name(&mut self) -> Option<&'t str> {
        self.peek()?;
        let name = self.name();
        let is_field = !name.is_empty() && self.passes('=');
        is_field.then_some(name)
    }

    /// The fields of an object of a class, between commas, or of an object without one, between spaces.
    fn fields(&mut self, class: Option<&str>, depth: usize) -> Option<()> {
        self.out.push('{');
        let (start, mut has_type, mut count) = (self.out.len(), class.is_none(), 0);
        loop {
            let ends = if class.is_some() { self.ends(')') } else { self.peek().is_none() };
            if ends {
                break;
            }
            if count > 0 && class.is_some() && !self.passes(',') {
                return None;
            }
            let Some(name) = self.field_name() else {
                if self.is_cut && self.rest().is_empty() {
                    break;
                }
                return None;
            };
            if count > 0 {
                self.out.push_str(", ");
            }
            count += 1;
            let name = Some(name.trim_start_matches('_')).filter(|name| !name.is_empty()).unwrap_or(name);
            has_type |= name == "type";
            json::put_quoted(&mut self.out, name);
            self.out.push_str(": ");
            self.value(depth)?;
        }
        match class {
            // One field alone is what people write.
            None if count < 2 => return None,
            Some(class) if !has_type => {
                let end = if count > 0 { ", " } else { "" };
                self.out.insert_str(start, &format!("\"type\": {}{end}", json::quoted(class)));
            }
            _ => {}
        }
        self.out.push('}');
        Some(())
    }

    /// The text from a place to where the bracket that is next closes.
    fn printed(&mut self, start: usize) -> Option<()> {
        let mut open = 0_usize;
        loop {
            let Some(next) = self.rest().chars().next() else {
                if !self.is_cut {
                    return None;
                }
                let text = format!("{}…", self.text.get(start..)?);
                json::put_quoted(&mut self.out, &text);
                return Some(());
            };
            match next {
                '\'' | '"' => {
                    self.spelled()?;
                    continue;
                }
                '(' | '[' | '{' | '<' => open += 1,
                ')' | ']' | '}' => open = open.checked_sub(1)?,
                // No bracket, but the arrow of a signature.
                '>' if !self.text.get(..self.at).is_some_and(|before| before.ends_with('-')) => {
                    open = open.checked_sub(1)?;
                }
                _ => {}
            }
            self.at += next.len_utf8();
            if open == 0 {
                break;
            }
        }
        json::put_quoted(&mut self.out, self.text.get(start..self.at)?);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn parsed(text: &str) -> Option<Value> {
        read(text).map(|json| serde_json::from_str(&json).expect("JSON"))
    }

    #[test]
    fn objects_become_json_with_their_class() {
        let printed = r#"Reply(_role=<Role.USER: 'user'>, n=None, ok=True, xs=[1, -2.5e3, (1,), ()], meta={'a': {1, 2}, 3: 'b'}, e=Empty())"#;
        assert_eq!(
            parsed(printed),
            Some(json!({
                "type": "Reply", "role": "user", "n": null, "ok": true, "xs": [1, -2.5e3, [1], []],
                "meta": {"a": [1, 2], "3": "b"}, "e": {"type": "Empty"}
            }))
        );
        assert_eq!(parsed("a.b.Text(text='x', type='own')"), Some(json!({"text": "x", "type": "own"})));
    }

    #[test]
    fn strings_are_what_they_spell() {
        let printed = r#"Text(a='it\'s\n\x41\u00e9\U0001f600', b="'", c='', d=b'\x00')"#;
        let spelled = json!({"type": "Text", "a": "it's\nAé😀", "b": "'", "c": "", "d": r"b'\x00'"});
        assert_eq!(parsed(printed), Some(spelled));
    }

    #[test]
    fn what_has_no_form_in_json_stays_as_python_printed_it() {
        for printed in [
            "datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc)",
            "<function f at 0x7f>",
            "<ToolCall(*, name: str, kwargs: dict[str, '>']) -> None>",
            "Error('no (really)')",
            "<Role.USER>",
            "1j",
            "nan",
        ] {
            assert_eq!(
                parsed(&format!("Event(x={printed})")),
                Some(json!({"type": "Event", "x": printed})),
                "{printed}"
            );
        }
    }

    #[test]
    fn what_was_cut_off_is_read_as_far_as_it_goes() {
        let whole = "Out(m=Msg(role='a', blocks=[Text(t='x')], d={'k': 'v', 'l': 2}), at=datetime(2026, 1), done=True)";
        for length in 0..whole.len() {
            let cut = format!("{}...", &whole[..length]);
            assert!(read(&cut).is_none_or(|json| serde_json::from_str::<Value>(&json).is_ok()), "{cut}");
        }
        let found = |length: usize| parsed(&format!("{}...", &whole[..length]));
        assert_eq!(found(14), Some(json!({"type": "Out", "m": {"type": "Msg"}})));
        assert_eq!(
            found(46),
            Some(
                json!({"type": "Out", "m": {"type": "Msg", "role": "a", "blocks": [{"type": "Text", "t": "x"}], "d": {}}})
            )
        );
    }

    #[test]
    fn fields_without_a_class_are_an_object() {
        assert_eq!(
            parsed("role='user' content=None calls=[Call(id='c')] prefix=False"),
            Some(json!({"role": "user", "content": null, "calls": [{"type": "Call", "id": "c"}], "prefix": false}))
        );
        for text in ["a='x'", "a='x' b", "a='x', b='y'", "a=1 b=2"] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_is_left() {
        let deep = "A(a=".repeat(1000);
        for text in [
            "",
            "A(a=b)",
            "A(a=1",
            "A(a=1) b",
            "A(a=1, 2)",
            "A(a='x)",
            "A(a=[1)",
            "A(a={1: 2, 3})",
            "A(a={1, 2: 3})",
            &deep,
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
