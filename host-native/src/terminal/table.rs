//! Columns of text under each other, by the width a terminal gives them.

use anstyle::Style;

use super::text::{cut, printable, width};

/// Between columns.
const GAP: &str = "  ";
/// The column of the tree with the names: the first to give way when lines are too long.
const TREE: usize = 1;
/// It keeps one part in so many of the width.
const TREE_SHARE: usize = 3;
/// The columns that give way next: they shrink as far as [`MIN_COLUMN`], then they are left out.
const DISPENSABLE: [usize; 4] = [4, 5, 3, 2];
/// No column but the tree's is wider.
const MAX_COLUMN: usize = 32;
/// A column of fewer columns says nothing.
const MIN_COLUMN: usize = 10;
/// The tree's lines take no more than one part in so many of the width; then their beginning is left out.
const INDENT_SHARE: usize = 3;

/// One place in a row.
pub(super) struct Cell {
    prefix: String,
    text: String,
    style: Style,
    right: bool,
}

/// Rows of cells, and notes between them that take the whole line.
pub(super) struct Table {
    width: usize,
    lines: Vec<Line>,
}

enum Line {
    Row(Vec<Cell>),
    Note { prefix: String, text: String, style: Style },
}

// === impl Cell ===

impl Cell {
    pub(super) fn left(text: &str, style: Style) -> Self {
        Self { prefix: String::new(), text: cut(&printable(text), MAX_COLUMN), style, right: false }
    }

    pub(super) fn right(text: &str, style: Style) -> Self {
        Self { right: true, ..Self::left(text, style) }
    }

    /// A name behind the lines of the tree.
    pub(super) fn tree(prefix: &str, name: &str, style: Style) -> Self {
        Self { prefix: prefix.to_owned(), text: printable(name), style, right: false }
    }

    fn width(&self) -> usize {
        width(&self.prefix) + width(&self.text)
    }
}

// === impl Table ===

impl Table {
    pub(super) fn new(width: usize) -> Self {
        Self { width, lines: Vec::new() }
    }

    /// Add a row; all rows have the same number of cells.
    pub(super) fn row(&mut self, mut cells: Vec<Cell>) {
        if let Some(tree) = cells.get_mut(TREE) {
            tree.prefix = self.indent(&tree.prefix);
        }
        self.lines.push(Line::Row(cells));
    }

    /// Add a line below the row before it, from the tree's column to the end of the line.
    pub(super) fn note(&mut self, prefix: &str, text: &str, style: Style) {
        self.lines.push(Line::Note { prefix: self.indent(prefix), text: printable(text), style });
    }

    /// The lines, each ended, columns that are empty everywhere left out.
    pub(super) fn render(&self) -> String {
        let widths = self.column_widths();
        let mut text = String::new();
        for line in &self.lines {
            match line {
                Line::Row(cells) => text.push_str(&row(cells, &widths)),
                Line::Note { prefix, text: note, style } => {
                    let before = widths.first().map_or(0, |kind| GAP.len() + kind + GAP.len());
                    let room = self.width.saturating_sub(before + width(prefix));
                    text.push_str(&format!("{:before$}{prefix}{style}{}{style:#}", "", cut(note, room)));
                }
            }
            text.truncate(text.trim_end_matches(' ').len());
            text.push('\n');
        }
        text
    }

    fn column_widths(&self) -> Vec<usize> {
        let mut widths = Vec::new();
        for line in &self.lines {
            let Line::Row(cells) = line else { continue };
            widths.resize(widths.len().max(cells.len()), 0);
            for (column, cell) in widths.iter_mut().zip(cells) {
                *column = cell.width().max(*column);
            }
        }
        self.give_way(&mut widths);
        widths
    }

    fn give_way(&self, widths: &mut [usize]) {
        let taken: usize = widths.iter().filter(|column| **column > 0).map(|column| column + GAP.len()).sum();
        let mut excess = taken.saturating_sub(self.width);
        if let Some(tree) = widths.get_mut(TREE) {
            let spare = tree.saturating_sub(self.width / TREE_SHARE).min(excess);
            *tree -= spare;
            excess -= spare;
        }
        for index in DISPENSABLE {
            let Some(column) = widths.get_mut(index).filter(|column| **column > 0 && excess > 0) else { continue };
            let spare = column.saturating_sub(MIN_COLUMN);
            let given = if excess <= spare { excess } else { *column + GAP.len() };
            *column = column.saturating_sub(given);
            excess = excess.saturating_sub(given);
        }
    }

    /// The tree's lines, without their beginning where they are too long for the width.
    fn indent(&self, prefix: &str) -> String {
        let room = (self.width / INDENT_SHARE).max(1);
        let columns = prefix.chars().count();
        if columns <= room {
            return prefix.to_owned();
        }
        std::iter::once('…').chain(prefix.chars().skip(columns - room + 1)).collect()
    }
}

fn row(cells: &[Cell], widths: &[usize]) -> String {
    let mut text = String::new();
    for (cell, &column) in cells.iter().zip(widths).filter(|(_, column)| **column > 0) {
        let Cell { prefix, style, right, .. } = cell;
        let words = cut(&cell.text, column.saturating_sub(width(prefix)));
        let padding = column.saturating_sub(width(prefix) + width(&words));
        let (before, after) = if *right { (padding, 0) } else { (0, padding) };
        text.push_str(&format!("{GAP}{:before$}{prefix}", ""));
        if !words.is_empty() {
            text.push_str(&format!("{style}{words}{style:#}"));
        }
        text.push_str(&" ".repeat(after));
    }
    text
}

/// Facts after each other, in as many lines as they need, each ended; all but the first are set in.
pub(super) fn facts(facts: impl Iterator<Item = (String, Style)>, columns: usize) -> String {
    let mut text = String::new();
    let mut taken = 0;
    for (fact, style) in facts {
        let words = cut(&printable(&fact), columns.saturating_sub(GAP.len()));
        if taken > 0 && taken + GAP.len() + width(&words) > columns {
            text.push('\n');
            taken = 0;
        }
        let gap = if text.is_empty() { "" } else { GAP };
        text.push_str(&format!("{gap}{style}{words}{style:#}"));
        taken += gap.len() + width(&words);
    }
    text.push('\n');
    text
}
