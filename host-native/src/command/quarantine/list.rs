//! `quarantine list`: a line for each payload, oldest first.

use std::process::ExitCode;

use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

use super::outline;
use crate::quarantine::{Quarantine, QuarantineEntry};

const HEADS: [&str; 7] = ["ID", "SINCE", "TRACE", "SPANS", "BYTES", "FOR", "REASON"];
/// A reason longer than this is shown whole by `show`.
const REASON_WIDTH: usize = 80;

pub(super) fn run(items: &[QuarantineEntry], folder: &Quarantine, json: bool) -> anyhow::Result<ExitCode> {
    if json {
        let items: Vec<_> = items.iter().map(object).collect();
        anstream::println!("{:#}", json!(items));
    } else if items.is_empty() {
        anstream::println!("Nothing is quarantined in {}.", folder.path().display());
    } else {
        anstream::print!("{}", table(items));
    }
    Ok(ExitCode::SUCCESS)
}

fn object(item: &QuarantineEntry) -> Value {
    let mut object = json!(item.record);
    object["id"] = json!(item.id);
    object["at"] = json!(since(item));
    object["file"] = json!(item.path);
    object["bytes"] = json!(item.bytes);
    object["spans"] = json!(spans(item).map(|spans| spans.len()));
    object["destination"] = json!(destination(item));
    object
}

fn table(items: &[QuarantineEntry]) -> String {
    let mut rows = vec![HEADS.map(ToOwned::to_owned)];
    rows.extend(items.iter().map(row));
    let width = |column: usize| rows.iter().map(|row| row[column].width()).max().unwrap_or_default();
    let widths: Vec<_> = (0..HEADS.len()).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width - cell.width() + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn row(item: &QuarantineEntry) -> [String; 7] {
    let spans = spans(item);
    let mut traces: Vec<_> = spans.iter().flatten().map(|span| span.trace_id.as_str()).collect();
    traces.dedup();
    let trace = match traces.as_slice() {
        [] => item.record.trace_id.clone().unwrap_or_else(|| "?".to_owned()),
        [trace] => (*trace).to_owned(),
        several => format!("{} traces", several.len()),
    };
    let count = spans.map_or_else(|| "?".to_owned(), |spans| spans.len().to_string());
    [item.id.clone(), since(item), trace, count, item.bytes.to_string(), destination(item), reason(item)]
}

fn spans(item: &QuarantineEntry) -> Option<Vec<outline::Span>> {
    outline::of(&item.path).ok().flatten()
}

fn since(item: &QuarantineEntry) -> String {
    humantime::format_rfc3339_seconds(item.since).to_string()
}

fn destination(item: &QuarantineEntry) -> String {
    item.record.destination.clone().unwrap_or_else(|| "mlflow".to_owned())
}

fn reason(item: &QuarantineEntry) -> String {
    let line = item.record.reason.lines().next().unwrap_or_default();
    match line.char_indices().nth(REASON_WIDTH) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}
