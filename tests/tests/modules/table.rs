//! The tables of ARCHITECTURE.md: `` | `module` | `module`, `module` | ``.

use std::collections::BTreeSet;

use crate::sources::Imports;

/// A module and what it imports.
type Row = (String, BTreeSet<String>);

/// The rows of the table below the heading, in their order.
pub(crate) fn read(page: &str, heading: &str) -> Vec<Row> {
    let section =
        page.split_once(&format!("\n### {heading}: modules\n")).unwrap_or_else(|| panic!("no heading {heading:?}")).1;
    let section = section.split("\n#").next().unwrap_or_default();
    section.lines().filter_map(row).collect()
}

fn row(line: &str) -> Option<Row> {
    let mut cells = line.strip_prefix("| `")?.strip_suffix(" |")?.split(" | ");
    let module = cells.next()?.strip_suffix('`')?;
    let imported = cells.next()?.split(", ").map(|name| name.trim_matches('`').to_owned()).collect();
    Some((module.to_owned(), imported))
}

/// The rows as they belong on the page.
pub(crate) fn rows(imports: &Imports) -> String {
    let quoted = |name: &String| format!("`{name}`");
    let list = |names: &BTreeSet<String>| names.iter().map(quoted).collect::<Vec<_>>().join(", ");
    imports.iter().map(|(module, imported)| format!("| `{module}` | {} |\n", list(imported))).collect()
}

/// The modules that come before one that they import.
pub(crate) fn above_their_imports(rows: &[Row]) -> Vec<&str> {
    let is_later = |place: usize, name: &String| rows.iter().skip(place + 1).any(|(module, _)| module == name);
    let is_above = |(place, (_, imported)): &(usize, &Row)| imported.iter().any(|name| is_later(*place, name));
    rows.iter().enumerate().filter(is_above).map(|(_, (module, _))| module.as_str()).collect()
}
