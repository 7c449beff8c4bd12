//! The imports between the files of a crate, read from its tokens.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use openinference_mlflow_tests::fixtures::tests_dir;
use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The files that each file imports from. A file is named by its module: `assembly::trace`; the crate's root is "".
pub(crate) type Imports = BTreeMap<String, BTreeSet<String>>;

pub(crate) fn repository() -> &'static Path {
    tests_dir().parent().expect("the tests are a folder of the repository")
}

/// All imports of the crate with this folder of sources, without those of a `mod.rs` from its own folder.
pub(crate) fn imports(folder: &str) -> Imports {
    let root = repository().join(folder);
    let mut paths = Vec::new();
    find(&root, &mut paths);
    let files: BTreeMap<String, PathBuf> = paths.into_iter().map(|path| (module(&root, &path), path)).collect();
    let is_test = |file: &str| file.split("::").any(|part| part == "tests");
    let read = |(file, path): (&String, &PathBuf)| {
        let text = std::fs::read_to_string(path).unwrap();
        let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut found = Vec::new();
        collect(tokens, &mut found);
        let own = format!("{file}::");
        let targets = found.iter().filter_map(|path| target(file, path, &files));
        (
            file.clone(),
            targets.filter(|target| target != file && !target.starts_with(&own) && !file.is_empty()).collect(),
        )
    };
    files.iter().filter(|(file, _)| !is_test(file)).map(read).collect()
}

fn find(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            find(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn module(root: &Path, path: &Path) -> String {
    let relative = path.strip_prefix(root).unwrap().with_extension("");
    let parts: Vec<_> = relative.iter().map(|part| part.to_str().unwrap()).collect();
    let parts = parts.strip_suffix(&["mod"]).or(parts.strip_suffix(&["lib"])).or(parts.strip_suffix(&["main"]));
    parts.map_or_else(
        || relative.iter().map(|part| part.to_str().unwrap()).collect::<Vec<_>>().join("::"),
        |parts| parts.join("::"),
    )
}

/// Every path in the tokens that begins with `crate`, `super` or `self`, those within braces one by one.
fn collect(tokens: TokenStream, found: &mut Vec<Vec<String>>) {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        if let Some(after) = end_of_test_module(&tokens[at..]) {
            at += after;
            continue;
        }
        match &tokens[at] {
            TokenTree::Ident(ident) if ["crate", "super", "self"].contains(&ident.to_string().as_str()) => {
                at += path(&tokens[at..], Vec::new(), found);
            }
            TokenTree::Group(group) => {
                collect(group.stream(), found);
                at += 1;
            }
            _ => at += 1,
        }
    }
}

/// Reads a path, or a tree of paths, and returns how many tokens it takes.
fn path(tokens: &[TokenTree], mut prefix: Vec<String>, found: &mut Vec<Vec<String>>) -> usize {
    let mut at = 0;
    loop {
        match tokens.get(at) {
            Some(TokenTree::Ident(ident)) => prefix.push(ident.to_string()),
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                let inner: Vec<_> = group.stream().into_iter().collect();
                for branch in inner.split(|token| is_punct(token, ',')).filter(|branch| !branch.is_empty()) {
                    path(branch, prefix.clone(), found);
                }
                return at + 1;
            }
            _ => break,
        }
        at += 1;
        let continues = tokens.len() > at + 2 && is_punct(&tokens[at], ':') && is_punct(&tokens[at + 1], ':');
        if !continues {
            break;
        }
        at += 2;
    }
    found.push(prefix);
    at.max(1)
}

/// The number of tokens of `#[cfg(test)] mod name { … }` or of another item with braces or a semicolon, if one begins here.
fn end_of_test_module(tokens: &[TokenTree]) -> Option<usize> {
    let [TokenTree::Punct(hash), TokenTree::Group(attribute), ..] = tokens else { return None };
    if hash.as_char() != '#' || attribute.stream().to_string().replace(' ', "") != "cfg(test)" {
        return None;
    }
    let is_end = |token: &TokenTree| {
        is_punct(token, ';') || matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
    };
    tokens.iter().position(is_end).map(|end| end + 1)
}

fn is_punct(token: &TokenTree, expected: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == expected)
}

/// The file that a path leads to, from this file: the longest part of the path that names one.
fn target(file: &str, path: &[String], files: &BTreeMap<String, PathBuf>) -> Option<String> {
    let mut full: Vec<&str> = file.split("::").filter(|part| !part.is_empty()).collect();
    for part in path {
        match part.as_str() {
            "crate" => full.clear(),
            "self" => {}
            "super" => drop(full.pop()),
            name => full.push(name),
        }
    }
    // `crate`, `super` or `self` alone is a visibility or a receiver.
    if path.len() < 2 {
        return None;
    }
    (0..=full.len()).rev().map(|length| full[..length].join("::")).find(|candidate| files.contains_key(candidate))
}
