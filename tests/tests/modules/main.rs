//! Which module may import which: the tables of ARCHITECTURE.md say what the sources do, and no two files import each other.
//!
//! A `mod.rs` may use the files of its own folder; this is not counted. Test code is left out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod cycles;
mod sources;
mod table;

use std::collections::{BTreeMap, BTreeSet};

use sources::Imports;

/// The crates whose modules have an order: folder in the repository, heading of the table.
const CRATES: [(&str, &str); 2] = [("translator/src", "The core"), ("host-native/src", "The gateway")];

#[test]
fn no_two_files_import_each_other() {
    for (folder, _) in CRATES {
        let found = cycles::cycles(&sources::imports(folder));
        assert_eq!(found, Vec::<Vec<String>>::new(), "{folder}: these files import each other in a circle");
    }
}

#[test]
fn modules_import_what_the_page_allows_and_nothing_else() {
    let page = std::fs::read_to_string(sources::repository().join("ARCHITECTURE.md")).unwrap();
    for (folder, heading) in CRATES {
        let imported = between_modules(&sources::imports(folder));
        let allowed = table::read(&page, heading);
        assert_eq!(
            table::above_their_imports(&allowed),
            Vec::<&str>::new(),
            "ARCHITECTURE.md, table \"{heading}\": rows above what they import"
        );
        let allowed: Imports = allowed.into_iter().collect();
        let expected = table::rows(&imported);
        assert!(
            allowed == imported,
            "ARCHITECTURE.md, table \"{heading}\": the sources of {folder} import\n{expected}"
        );
    }
}

/// The imports between the top-level modules.
fn between_modules(files: &Imports) -> Imports {
    let top = |file: &String| file.split("::").next().unwrap_or_default().to_owned();
    let mut modules: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (file, targets) in files {
        let imported = targets.iter().map(top).filter(|target| *target != top(file) && !target.is_empty());
        modules.entry(top(file)).or_default().extend(imported);
    }
    // The crate's root declares all modules.
    modules.retain(|module, imported| !module.is_empty() && !imported.is_empty());
    modules
}
