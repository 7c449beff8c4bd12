//! Circles of imports.

use std::collections::BTreeSet;

use crate::sources::Imports;

/// The circles: each as the files that reach one another, by name.
pub(crate) fn cycles(imports: &Imports) -> Vec<Vec<String>> {
    let reachable = |from: &String| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
        while let Some(file) = open.pop() {
            for target in imports.get(file).into_iter().flatten() {
                if seen.insert(target) {
                    open.push(target);
                }
            }
        }
        seen
    };
    let mut circles = BTreeSet::new();
    for file in imports.keys() {
        let below = reachable(file);
        if below.contains(file) {
            circles
                .insert(below.into_iter().filter(|other| reachable(other).contains(file)).cloned().collect::<Vec<_>>());
        }
    }
    circles.into_iter().collect()
}
