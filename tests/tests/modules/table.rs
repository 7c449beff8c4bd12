//! The tables of ARCHITECTURE.md: `` | `module` | `module`, `module` | ``.

use crate::sources::Imports;

/// Reads the table below the heading.
pub(crate) fn read(page: &str, heading: &str) -> Imports {
    let section =
        page.split_once(&format!("\n### {heading}: modules\n")).unwrap_or_else(|| panic!("no heading {heading:?}")).1;
    let section = section.split("\n#").next().unwrap_or_default();
    section.lines().filter_map(row).collect()
}

fn row(line: &str) -> Option<(String, std::collections::BTreeSet<String>)> {
    let mut cells = line.strip_prefix("| `")?.strip_suffix(" |")?.split(" | ");
    let module = cells.next()?.strip_suffix('`')?;
    let imported = cells.next()?.split(", ").map(|name| name.trim_matches('`').to_owned()).collect();
    Some((module.to_owned(), imported))
}

/// The rows as they belong on the page.
pub(crate) fn rows(imports: &Imports) -> String {
    let quoted = |name: &String| format!("`{name}`");
    let list = |names: &std::collections::BTreeSet<String>| names.iter().map(quoted).collect::<Vec<_>>().join(", ");
    imports.iter().map(|(module, imported)| format!("| `{module}` | {} |\n", list(imported))).collect()
}
