//! What the benchmarks found, for people and for `tests/benches/report.py`.

use std::io::Write;

use serde::Serialize;

use crate::growth::Growth;

/// The variable that names a file: each row is appended to it, a JSON object a line.
const FILE: &str = "BENCHMARK_ROWS";

/// One thing measured beside another in the same run.
#[derive(Debug, Serialize)]
pub struct Row<'a> {
    /// The table it belongs to.
    pub table: &'a str,
    /// What was measured.
    pub name: &'a str,
    /// Of both figures.
    pub unit: &'a str,
    /// The other side and its figure.
    pub beside: (&'a str, f64),
    /// Our figure.
    pub ours: f64,
    /// Ours by the other's: the median of the rounds, each of which measured both.
    pub ratio: f64,
    /// What the ratio shall reach: at most so much, or for a rate at least so much.
    pub target: Option<f64>,
}

impl Row<'_> {
    /// Prints the row, and appends it to the file if one is named.
    pub fn record(&self) {
        let Self { name, unit, beside: (other, theirs), ours, ratio, .. } = self;
        println!("  {name:<48} {ours:>10.2} {unit}   {other} {theirs:>10.2}   ratio {ratio:.2}");
        append(self);
    }
}

/// What one unit costs at several sizes.
#[derive(Debug, Serialize)]
struct GrowthRow<'a> {
    table: &'a str,
    #[serde(flatten)]
    growth: &'a Growth,
}

impl Growth {
    /// Prints it, and appends it to the file if one is named.
    pub fn record(&self) {
        let Self { what, unit, points } = self;
        println!("  {what}, {unit}: {points:.1?}");
        append(&GrowthRow { table: "growth", growth: self });
    }
}

fn append(row: &impl Serialize) {
    let Some(path) = std::env::var_os(FILE) else { return };
    let appended = std::fs::OpenOptions::new().create(true).append(true).open(&path).and_then(|mut file| {
        let line = serde_json::to_string(row)?;
        writeln!(file, "{line}")
    });
    if let Err(error) = appended {
        println!("the row is not in {}: {error}", path.display());
    }
}
