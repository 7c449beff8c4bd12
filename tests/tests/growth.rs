//! A unit costs hardly more because there are many of it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use openinference_mlflow_tests::growth::{Growth, measure};

/// How much more a unit may cost than at the size before, which is a tenth or so. Search trees take steps by the logarithm;
/// a rule that looks at everything for each unit would cost ten times as much.
const MOST: f64 = 1.5;

#[test]
fn ten_times_as_many_cost_hardly_more_each() {
    let growths = measure().unwrap();
    let describe = |Growth { what, unit, points }: &Growth| format!("{what}, {unit}: {points:.0?}");
    let grows = |growth: &&Growth| growth.points.windows(2).any(|pair| pair[1].1 > pair[0].1 * MOST);
    let grown: Vec<_> = growths.iter().filter(grows).map(describe).collect();
    assert!(grown.is_empty(), "a unit costs much more where there are more:\n{}", grown.join("\n"));
}
