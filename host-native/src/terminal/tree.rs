//! The order and the indentation of spans: parents before children, siblings by start.
//!
//! Guarantees: every span is there once, whatever the parents say, up to the number asked for. A span whose parent is
//! missing is a root; of a circle of parents the earliest span is.

use std::collections::{HashMap, HashSet};

use super::Span;

/// A span in its place.
pub(super) struct Branch<'a> {
    pub(super) span: &'a Span,
    /// The lines that lead to it.
    pub(super) prefix: String,
    /// The lines beside its children.
    pub(super) below: String,
}

/// The first `most` spans in the order they are drawn.
pub(super) fn branches(spans: &[Span], most: usize) -> Vec<Branch<'_>> {
    let mut by_start: Vec<_> = spans.iter().collect();
    by_start.sort_by(|a, b| (a.start_time_unix_nano, &a.span_id).cmp(&(b.start_time_unix_nano, &b.span_id)));
    let ids: HashSet<_> = spans.iter().map(|span| span.span_id.as_str()).collect();
    let mut children: HashMap<&str, Vec<&Span>> = HashMap::new();
    let mut roots = Vec::new();
    for span in &by_start {
        match span.parent_span_id.as_deref().filter(|parent| ids.contains(parent)) {
            Some(parent) => children.entry(parent).or_default().push(span),
            None => roots.push(*span),
        }
    }
    let mut seen = HashSet::new();
    let mut drawn = Vec::new();
    for root in roots.into_iter().chain(by_start) {
        grow(root, &children, most, &mut seen, &mut drawn);
    }
    drawn
}

/// Adds a span and all below it, without recursion: traces may be deeper than a stack. What is not asked for is not even
/// indented: the lines that lead to a span are as long as it is deep.
fn grow<'a>(
    root: &'a Span,
    children: &HashMap<&str, Vec<&'a Span>>,
    most: usize,
    seen: &mut HashSet<*const Span>,
    drawn: &mut Vec<Branch<'a>>,
) {
    let children_of = |span: &Span| children.get(span.span_id.as_str()).map_or(&[][..], Vec::as_slice);
    let mut waiting = vec![(root, String::new(), String::new())];
    while let Some((span, prefix, beside)) = waiting.pop() {
        if drawn.len() >= most {
            return;
        }
        if !seen.insert(span) {
            continue;
        }
        let children = children_of(span);
        let last = children.last().map(|child| *child as *const Span);
        waiting.extend(children.iter().rev().map(|child| {
            let (branch, line) = if last == Some(*child) { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            (*child, format!("{beside}{branch}"), format!("{beside}{line}"))
        }));
        let below = if children.is_empty() { format!("{beside}   ") } else { format!("{beside}│  ") };
        drawn.push(Branch { span, prefix, below });
    }
}
