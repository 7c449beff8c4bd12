//! An index over JSON text: one pass finds where every value starts and ends, and everything after that is a lookup.
//!
//! The nodes are in the order of the text. Each has its kind, the range of its text and the number of the node that
//! follows its last descendant, so that a reader skips a value of any size in one step. Strings are not decoded and
//! numbers are not read: most are copied as they are, and the few that matter are decoded from the text.
//!
//! The grammar is the one of [`scan`](super::scan), because the text must be read as MLflow's Python reads it
//! (`NaN`, lone surrogates), within the same limits of nesting and of integers. No JSON library has that grammar.

use std::borrow::Cow;

use super::scan::{Cursor, Fault, Kind, Sink};

/// The nodes of one text. Keep it beside the text and read it through [`JsonIndex::root`].
#[derive(Clone, Debug)]
pub struct JsonIndex {
    nodes: Vec<Node>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    start: u32,
    end: u32,
    /// The number of the node after the last descendant. While a container is open: the number of its parent.
    next: u32,
    kind: Kind,
    /// On a string: whether it holds no escape.
    is_plain: bool,
}

/// A text and its index, for readers that have no attribute to keep them at.
#[derive(Clone, Debug)]
pub struct JsonDocument<'t> {
    text: Cow<'t, str>,
    index: JsonIndex,
}

impl<'t> JsonDocument<'t> {
    /// Indexes a text, without what MLflow cannot hold; `None` as for [`JsonIndex::read`].
    pub fn read(text: &'t str) -> Option<Self> {
        let (text, index) = JsonIndex::read_clean(text.into());
        Some(Self { text, index: index? })
    }

    /// The outermost value.
    pub fn root(&self) -> JsonValue<'_> {
        self.index.root(&self.text)
    }
}

/// One value of an indexed text.
#[derive(Clone, Copy)]
pub struct JsonValue<'i> {
    text: &'i str,
    nodes: &'i [Node],
    at: usize,
}

impl JsonIndex {
    /// Indexes a text that MLflow takes for a JSON object, array or string; `None` for any other text.
    pub fn read(text: &str) -> Option<Self> {
        Self::scan(text).ok().map(|(index, _)| index)
    }

    /// The text [without what MLflow cannot hold](super::clean), and its index as [`JsonIndex::read`] has it. The text is read
    /// once, unless there is something to clean.
    pub fn read_clean(text: Cow<'_, str>) -> (Cow<'_, str>, Option<Self>) {
        match Self::scan(&text) {
            Ok((index, true)) => return (text, Some(index)),
            Err(Fault::Syntax | Fault::TooDeep) => return (text, None),
            Ok((_, false)) | Err(Fault::BigInteger) => {}
        }
        let cleaned = match super::clean(&text) {
            Cow::Owned(cleaned) => Cow::Owned(cleaned),
            Cow::Borrowed(_) => text,
        };
        let index = Self::read(&cleaned);
        (cleaned, index)
    }

    /// Indexes a text; whether there is nothing in it to clean.
    fn scan(text: &str) -> Result<(Self, bool), Fault> {
        if !super::may_be_structured(text) || u32::try_from(text.len()).is_err() {
            return Err(Fault::Syntax);
        }
        let mut builder = Builder { nodes: Vec::with_capacity((text.len() / BYTES_PER_NODE).max(8)), open: 0 };
        let mut cursor = Cursor::new(text);
        cursor.document(&mut builder)?;
        Ok((Self { nodes: builder.nodes }, cursor.is_clean))
    }

    /// The outermost value. `text` must be the text that was indexed.
    pub fn root<'i>(&'i self, text: &'i str) -> JsonValue<'i> {
        JsonValue { text, nodes: &self.nodes, at: 0 }
    }
}

/// Text that one node takes in values of many short parts: the room that is made before reading.
const BYTES_PER_NODE: usize = 8;
/// The length of a string's quotes.
const QUOTES: usize = 2;

struct Builder {
    nodes: Vec<Node>,
    open: u32,
}

impl Builder {
    // The caller has checked that positions fit.
    #[inline]
    fn push(&mut self, kind: Kind, start: usize, end: usize, next: u32, is_plain: bool) {
        self.nodes.push(Node { start: start as u32, end: end as u32, next, kind, is_plain });
    }
}

impl Sink for Builder {
    #[inline]
    fn open(&mut self, kind: Kind, at: usize) {
        let number = self.nodes.len() as u32;
        self.push(kind, at, at, self.open, true);
        self.open = number;
    }

    #[inline]
    fn close(&mut self, end: usize) {
        let next = self.nodes.len() as u32;
        if let Some(node) = self.nodes.get_mut(self.open as usize) {
            self.open = node.next;
            node.end = end as u32;
            node.next = next;
        }
    }

    #[inline]
    fn leaf(&mut self, kind: Kind, start: usize, end: usize, is_plain: bool) {
        let next = self.nodes.len() as u32 + 1;
        self.push(kind, start, end, next, is_plain);
    }
}

impl<'i> JsonValue<'i> {
    #[inline]
    fn node(self) -> Node {
        const NOTHING: Node = Node { start: 0, end: 0, next: u32::MAX, kind: Kind::Other, is_plain: true };
        self.nodes.get(self.at).copied().unwrap_or(NOTHING)
    }

    /// What the value is.
    #[inline]
    pub fn kind(self) -> Kind {
        self.node().kind
    }

    /// The value's text; a string includes its quotes.
    #[inline]
    pub fn text(self) -> &'i str {
        let Node { start, end, .. } = self.node();
        self.text.get(start as usize..end as usize).unwrap_or_default()
    }

    /// Whether both are the same place of the same text.
    pub fn is(self, other: Self) -> bool {
        self.at == other.at && std::ptr::eq(self.nodes, other.nodes)
    }

    /// Whether the value is an object.
    #[inline]
    pub fn is_object(self) -> bool {
        self.kind() == Kind::Object
    }

    /// Whether the value is an array.
    #[inline]
    pub fn is_array(self) -> bool {
        self.kind() == Kind::Array
    }

    /// Whether the value is a string.
    #[inline]
    pub fn is_string(self) -> bool {
        self.kind() == Kind::String
    }

    /// Whether the value is `null`.
    #[inline]
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Other && self.text() == "null"
    }

    /// Whether the value is `""`, `[]` or `{}`.
    pub fn is_empty(self) -> bool {
        let Node { start, end, next, kind, .. } = self.node();
        match kind {
            Kind::Object | Kind::Array => next as usize == self.at + 1,
            Kind::String => (end - start) as usize == QUOTES,
            Kind::Other => false,
        }
    }

    /// What a string spells; `None` for any other value.
    #[inline]
    pub fn string(self) -> Option<Cow<'i, str>> {
        let Node { start, end, kind, is_plain, .. } = self.node();
        match (kind, is_plain) {
            (Kind::String, true) => self.text.get(start as usize + 1..end as usize - 1).map(Cow::Borrowed),
            (Kind::String, false) => super::string(self.text()),
            _ => None,
        }
    }

    /// Whether the value is a string that spells one of some words.
    pub fn is_one_of(self, words: &[&str]) -> bool {
        self.string().is_some_and(|word| words.contains(&word.as_ref()))
    }

    /// The items of an array; none for any other value.
    #[inline]
    pub fn items(self) -> impl Iterator<Item = Self> {
        self.children(Kind::Array)
    }

    /// The keys and values of an object; none for any other value.
    #[inline]
    pub fn entries(self) -> impl Iterator<Item = (Self, Self)> {
        let mut children = self.children(Kind::Object);
        std::iter::from_fn(move || Some((children.next()?, children.next()?)))
    }

    #[inline]
    fn children(self, of: Kind) -> impl Iterator<Item = Self> {
        let Node { next: end, kind, .. } = self.node();
        let mut at = if kind == of { self.at + 1 } else { end as usize };
        std::iter::from_fn(move || {
            let child = (at < end as usize).then_some(Self { at, ..self })?;
            at = child.node().next as usize;
            Some(child)
        })
    }

    /// The values of an object at some keys; of repeated keys the last counts, as in Python.
    pub fn fields<const N: usize>(self, keys: [&str; N]) -> [Option<Self>; N] {
        let mut found = [None; N];
        self.find(&keys, &mut found);
        found
    }

    /// The value of an object at a key.
    pub fn field(self, key: &str) -> Option<Self> {
        self.fields([key])[0]
    }

    /// What [`JsonValue::fields`] does, compiled once for all numbers of keys.
    fn find(self, keys: &[&str], found: &mut [Option<Self>]) {
        let Node { next: end, kind, .. } = self.node();
        if kind != Kind::Object {
            return;
        }
        // Few keys of an object are as long as one that is asked for: the others are passed over by their length.
        let bit = |length: usize| 1u64 << (length % 64);
        let lengths = keys.iter().fold(0, |lengths, key| lengths | bit(key.len()));
        let mut at = self.at + 1;
        while at < end as usize
            && let Some([key, value]) = self.nodes.get(at..).and_then(<[Node]>::first_chunk)
        {
            if (!key.is_plain || lengths & bit((key.end - key.start) as usize - QUOTES) != 0)
                && let Some(key) = (Self { at, ..self }).string()
            {
                let matching = keys.iter().zip(&mut *found).filter(|(wanted, _)| **wanted == key);
                matching.for_each(|(_, found)| *found = Some(Self { at: at + 1, ..self }));
            }
            at = value.next as usize;
        }
    }

    /// Whether the value is or contains a string, key or value, with this literal in the text.
    pub fn holds_literal(self, literal: &str) -> bool {
        let nodes = self.nodes.get(self.at..self.node().next as usize).unwrap_or_default();
        nodes.iter().any(|node| {
            node.kind == Kind::String
                && (node.end - node.start) as usize == literal.len()
                && self.text.get(node.start as usize..node.end as usize) == Some(literal)
        })
    }
}
