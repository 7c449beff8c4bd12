//! Attributes that come in numbered families (`llm.input_messages.0.message.role`), in the order of their numbers.
//!
//! One pass picks them, one sort groups them; nothing else is built. A [`AttributeNode`] is a run of that order.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::json;
use crate::otlp::{KeyValue, Value};

/// The attributes of some families below one first segment. Works on any attributes: names are compared, never trusted.
#[derive(Clone, Debug, Default)]
pub struct AttributeTree<'s, 'a> {
    entries: Vec<&'s KeyValue<'a>>,
    root: usize,
}

/// The attributes at and below one name.
#[derive(Clone, Copy, Debug)]
pub struct AttributeNode<'n, 'a> {
    /// Sorted, all of one prefix.
    entries: &'n [&'n KeyValue<'a>],
    /// Where in each name the prefix ends: at its end, or at the dot before the next segment.
    at: usize,
}

impl<'s, 'a> AttributeTree<'s, 'a> {
    /// Picks the attributes whose first segment is `head` and whose second is one of `families`.
    pub fn pick(attributes: &'s [KeyValue<'a>], head: &str, families: &[&str]) -> Self {
        Self::picked(attributes, head, |tail| families.contains(&first(tail)))
    }

    /// Picks the attributes whose first segment is `head` and whose second is a number.
    pub fn numbered(attributes: &'s [KeyValue<'a>], head: &str) -> Self {
        Self::picked(attributes, head, |tail| is_number(first(tail)))
    }

    fn picked(attributes: &'s [KeyValue<'a>], head: &str, is_wanted: impl Fn(&str) -> bool) -> Self {
        let is_picked = |attribute: &&KeyValue<'_>| {
            let tail = attribute.key.get().strip_prefix(head).and_then(|tail| tail.strip_prefix('.'));
            tail.is_some_and(&is_wanted)
        };
        let mut entries: Vec<&KeyValue<'_>> = Vec::with_capacity(attributes.len());
        entries.extend(attributes.iter().filter(is_picked));
        sort(&mut entries);
        Self { entries, root: head.len() }
    }

    /// Everything that was picked.
    pub fn root(&self) -> AttributeNode<'_, 'a> {
        AttributeNode { entries: &self.entries, at: self.root }
    }

    /// A family.
    pub fn family(&self, name: &str) -> AttributeNode<'_, 'a> {
        self.root().child(name)
    }
}

impl<'n, 'a> AttributeNode<'n, 'a> {
    /// Whether there is no attribute here.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The attributes below a segment of the name.
    pub fn child(&self, segment: &str) -> Self {
        let is_child =
            |entry: &&&KeyValue<'_>| entry.key.get().get(self.at + 1..).is_some_and(|rest| begins_with(rest, segment));
        let start = self.entries.iter().position(|entry| is_child(&entry)).unwrap_or(self.entries.len());
        let rest = self.entries.get(start..).unwrap_or_default();
        let length = rest.iter().take_while(is_child).count();
        Self { entries: rest.get(..length).unwrap_or_default(), at: self.at + 1 + segment.len() }
    }

    /// The attributes below a path of segments.
    pub fn at(&self, path: &[&str]) -> Self {
        path.iter().fold(*self, |node, segment| node.child(segment))
    }

    /// The attributes below each number, in the order of the numbers.
    pub fn items(&self) -> impl Iterator<Item = Self> {
        let at = self.at;
        let segment = move |entry: &KeyValue<'a>| segment_at(entry.key.get(), at);
        self.entries.chunk_by(move |one, other| segment(one) == segment(other)).filter_map(move |entries| {
            let number = segment(entries.first()?)?;
            is_number(number).then_some(Self { entries, at: at + 1 + number.len() })
        })
    }

    /// The value of this very name; of repeated ones the last.
    pub fn value(&self) -> Option<Value<'a>> {
        let here = self.entries.iter().take_while(|entry| entry.key.get().len() == self.at);
        here.last().map(|entry| entry.value).filter(|value| *value != Value::Empty)
    }

    /// The value as text: a string as it is, anything else as JSON.
    pub fn text(&self) -> Option<Cow<'a, str>> {
        Some(match self.value()? {
            Value::String(text) => Cow::Borrowed(text.get()),
            value => Cow::Owned(json::value_text(value)),
        })
    }

    /// Everything below, each value with the rest of its name.
    pub fn leaves(&self) -> impl Iterator<Item = (&'a str, Value<'a>)> {
        self.entries.iter().filter_map(|entry| Some((entry.key.get().get(self.at + 1..)?, entry.value)))
    }
}

/// The first segment. Segments are short, so that bytes are looked at one by one.
fn first(name: &str) -> &str {
    let end = name.bytes().position(|byte| byte == b'.').unwrap_or(name.len());
    name.get(..end).unwrap_or_default()
}

/// Whether a segment is the first. Of most names the length of theirs says that it is not.
#[inline]
fn begins_with(name: &str, segment: &str) -> bool {
    matches!(name.as_bytes().get(segment.len()), None | Some(b'.')) && name.starts_with(segment)
}

/// The segment after the prefix that ends at a place.
fn segment_at(name: &str, at: usize) -> Option<&str> {
    name.get(at + 1..).map(first)
}

fn is_number(segment: &str) -> bool {
    !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit())
}

/// Stable: of repeated names the last stays the last, which counts. Apart from `picked`, so that one copy of the sort serves
/// every kind of pick.
fn sort(entries: &mut [&KeyValue<'_>]) {
    entries.sort_by(|one, other| compare(one.key.get(), other.key.get()));
}

/// Segment by segment: numbers by their value and before words, words by their text, a name before those below it.
fn compare(one: &str, other: &str) -> Ordering {
    fn rank(segment: &str) -> (bool, usize, &str) {
        let is_number = is_number(segment);
        (!is_number, if is_number { segment.len() } else { 0 }, segment)
    }
    // The first segments that differ decide; neighbours have most in common.
    let common = common_len(one.as_bytes(), other.as_bytes());
    let letter = |name: &str| name.as_bytes().get(common).copied().filter(u8::is_ascii_alphabetic);
    if let (Some(one), Some(other)) = (letter(one), letter(other)) {
        // Two words.
        return one.cmp(&other);
    }
    let start = one.bytes().take(common).rposition(|byte| byte == b'.').map_or(0, |dot| dot + 1);
    let [one_rank, other_rank] = [one, other].map(|name| rank(first(name.get(start..).unwrap_or_default())));
    one_rank.cmp(&other_rank).then(one.len().cmp(&other.len()))
}

/// How many bytes two names have in common.
fn common_len(one: &[u8], other: &[u8]) -> usize {
    let words = one.as_chunks::<8>().0.iter().zip(other.as_chunks::<8>().0);
    let common = 8 * words.take_while(|(one, other)| one == other).count();
    let [one, other] = [one, other].map(|name| name.get(common..).unwrap_or_default());
    common + one.iter().zip(other).take_while(|(one, other)| one == other).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otlp::Span;
    use crate::otlp::write::Attributes;

    fn texts(attributes: &[(&str, &str)], read: impl Fn(&AttributeTree<'_, '_>) -> Vec<String>) -> Vec<String> {
        let mut bytes = Attributes::default();
        for (key, value) in attributes {
            bytes.put_str(key, value);
        }
        let span = Span::parse(bytes.as_bytes()).expect("a span");
        read(&AttributeTree::pick(&span.attributes, "llm", &["prompts", "tools"]))
    }

    fn prompts(llm: &AttributeTree<'_, '_>) -> Vec<String> {
        let items = llm.family("prompts");
        let texts = items.items().filter_map(|item| item.at(&["prompt", "text"]).text().map(Cow::into_owned));
        texts.collect()
    }

    #[test]
    fn items_come_in_the_order_of_their_numbers_whatever_the_order_of_arrival() {
        let sent = [
            ("llm.prompts.10.prompt.text", "eleventh"),
            ("llm.prompts.2.prompt.text", "third"),
            ("llm.prompts.0.prompt.text", "first"),
        ];
        assert_eq!(texts(&sent, prompts), ["first", "third", "eleventh"]);
    }

    #[test]
    fn of_repeated_names_the_last_counts() {
        let sent = [("llm.prompts.0.prompt.text", "old"), ("llm.prompts.0.prompt.text", "new")];
        assert_eq!(texts(&sent, prompts), ["new"]);
    }

    #[test]
    fn names_that_only_look_alike_are_left_out() {
        let sent = [
            ("llm.prompts_extra.0.prompt.text", "no"),
            ("llmx.prompts.0.prompt.text", "no"),
            ("llm.prompts.x.prompt.text", "no number"),
            ("llm.prompts.0.prompt.text.deeper", "no text"),
            ("llm.prompts.1a.prompt.text", "no number"),
            ("llm.prompts", "bare"),
            ("llm", "no"),
        ];
        assert_eq!(texts(&sent, prompts), Vec::<String>::new());
        assert_eq!(
            texts(&sent, |llm| llm.family("prompts").text().into_iter().map(Cow::into_owned).collect()),
            ["bare"]
        );
        assert_eq!(texts(&sent, |llm| vec![llm.family("tools").is_empty().to_string()]), ["true"]);
    }

    #[test]
    fn names_of_numbers_and_words_mixed_keep_one_order() {
        let names =
            ["llm.prompts.9", "llm.prompts.10", "llm.prompts.1a", "llm.prompts.", "llm.prompts..x", "llm.prompts"];
        for one in names {
            for other in names {
                assert_eq!(compare(one, other), compare(other, one).reverse());
                for third in names {
                    assert!(
                        !(compare(one, other).is_lt() && compare(other, third).is_lt()) || compare(one, third).is_lt()
                    );
                }
            }
        }
    }
}
