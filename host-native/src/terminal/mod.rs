//! Draws a finished trace in the terminal as a tree: type, name, duration, tokens, model, cost, error.
//!
//! [`draw`] is a pure function from MLflow trace JSON to text. Guarantees: the text has a heading, one line a span and one
//! more for its error, no more than [`MAX_SPANS`] spans; no line is wider than the width given, as a terminal counts it;
//! nothing that a span's author wrote can move the cursor or change colours.

mod output;
mod table;
mod text;
mod tree;
mod units;

use std::collections::BTreeMap;

use anstyle::{AnsiColor, Style};
use serde::Deserialize;
use serde_json::Value;

pub use output::print;
pub(crate) use text::printable;

use table::{Cell, Table};
use tree::Branch;

/// Spans beyond this many are counted, not drawn.
pub const MAX_SPANS: usize = 200;

/// A narrower terminal is taken to be this wide.
pub const MIN_WIDTH: usize = 40;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const PLAIN: Style = Style::new();
const FAILED: Style = AnsiColor::Red.on_default();

/// A trace that cannot be drawn.
#[derive(Debug, thiserror::Error)]
#[error("this is not an MLflow trace: {0}")]
pub struct NotATrace(#[from] serde_json::Error);

/// What is drawn of `mlflow.entities.Trace.to_json`.
#[derive(Deserialize)]
struct Trace {
    info: Info,
    data: Data,
}

#[derive(Deserialize)]
struct Info {
    trace_id: String,
    state: Option<String>,
    execution_duration_ms: Option<u64>,
    #[serde(default)]
    trace_metadata: BTreeMap<String, Value>,
    #[serde(default)]
    tags: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct Data {
    #[serde(default)]
    spans: Vec<Span>,
}

/// Times are nanoseconds since the Unix epoch; attributes are JSON texts.
#[derive(Deserialize)]
struct Span {
    span_id: String,
    parent_span_id: Option<String>,
    name: String,
    #[serde(default)]
    start_time_unix_nano: u64,
    end_time_unix_nano: Option<u64>,
    #[serde(default)]
    status: Status,
    #[serde(default)]
    attributes: BTreeMap<String, Value>,
    #[serde(default)]
    events: Vec<Event>,
}

#[derive(Default, Deserialize)]
struct Status {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: Option<String>,
}

#[derive(Deserialize)]
struct Event {
    name: String,
    #[serde(default)]
    attributes: BTreeMap<String, Value>,
}

/// The trace as text with colours, each line ended, or nothing while its root has not ended. `experiment` is for the
/// heading; `width` is in terminal columns, at least [`MIN_WIDTH`].
///
/// # Errors
/// The bytes are not MLflow trace JSON.
pub fn draw(trace: &[u8], experiment: &str, width: usize) -> Result<Option<String>, NotATrace> {
    let trace: Trace = serde_json::from_slice(trace)?;
    if trace.info.state.as_deref() == Some("IN_PROGRESS") {
        return Ok(None);
    }
    let width = width.max(MIN_WIDTH);
    let branches = tree::branches(&trace.data.spans, MAX_SPANS);
    let mut table = Table::new(width);
    for branch in &branches {
        table.row(cells(branch));
        if let Some(error) = error(branch.span) {
            table.note(&format!("{}✗ ", branch.below), &error, FAILED);
        }
    }
    let mut text = heading(&trace, &branches, experiment, width);
    text.push_str(&table.render());
    let more = trace.data.spans.len().saturating_sub(branches.len());
    if more > 0 {
        text.push_str(&format!("  {DIM}… and {more} more spans{DIM:#}\n"));
    }
    Ok(Some(text))
}

fn heading(trace: &Trace, branches: &[Branch<'_>], experiment: &str, width: usize) -> String {
    let Info { trace_id, state, execution_duration_ms, trace_metadata, tags } = &trace.info;
    let name = tags.get("mlflow.traceName").and_then(Value::as_str);
    let name = name.or_else(|| Some(branches.first()?.span.name.as_str())).unwrap_or("trace");
    let state = state.as_deref().unwrap_or("STATE_UNSPECIFIED");
    let state_style = match state {
        "OK" => AnsiColor::Green.on_default(),
        "ERROR" => FAILED,
        _ => PLAIN,
    };
    let facts = [
        Some((state.to_owned(), state_style)),
        execution_duration_ms.map(|time| (units::duration(time.saturating_mul(1_000_000)), PLAIN)),
        units::tokens_in_words(trace_metadata.get("mlflow.trace.tokenUsage")).map(|tokens| (tokens, PLAIN)),
        units::cost(trace_metadata.get("mlflow.trace.cost")).map(|cost| (cost, PLAIN)),
        Some((format!("experiment {experiment}"), DIM)),
        Some((trace_id.clone(), DIM)),
    ];
    table::facts(std::iter::once((name.to_owned(), BOLD)).chain(facts.into_iter().flatten()), width)
}

fn cells(branch: &Branch<'_>) -> Vec<Cell> {
    let span = branch.span;
    let attribute = |key| span.attributes.get(key);
    let kind = text_of(attribute("mlflow.spanType")).unwrap_or_else(|| "UNKNOWN".to_owned());
    let time = span.end_time_unix_nano.filter(|end| *end > 0).map(|end| end.saturating_sub(span.start_time_unix_nano));
    vec![
        Cell::left(&kind, kind_style(&kind)),
        Cell::tree(&branch.prefix, &span.name, if failed(span) { FAILED } else { PLAIN }),
        Cell::right(&time.map_or_else(|| "not ended".to_owned(), units::duration), PLAIN),
        Cell::right(&units::tokens(attribute("mlflow.chat.tokenUsage")).unwrap_or_default(), PLAIN),
        Cell::left(&text_of(attribute("mlflow.llm.model")).unwrap_or_default(), DIM),
        Cell::right(&units::cost(attribute("mlflow.llm.cost")).unwrap_or_default(), PLAIN),
    ]
}

fn kind_style(kind: &str) -> Style {
    let colour = match kind {
        "LLM" | "CHAT_MODEL" => AnsiColor::Magenta,
        "AGENT" => AnsiColor::Cyan,
        "TOOL" => AnsiColor::Yellow,
        "RETRIEVER" | "RERANKER" | "EMBEDDING" => AnsiColor::Green,
        "CHAIN" => AnsiColor::Blue,
        _ => return DIM,
    };
    colour.on_default()
}

fn failed(span: &Span) -> bool {
    span.status.code.ends_with("ERROR")
}

/// What went wrong: the exception, or else the status message.
fn error(span: &Span) -> Option<String> {
    if !failed(span) {
        return None;
    }
    let exception = span.events.iter().rev().find(|event| event.name == "exception");
    let part = |key| text_of(exception?.attributes.get(key));
    let words = [part("exception.type"), part("exception.message")];
    let said = words.into_iter().flatten().collect::<Vec<_>>().join(": ");
    Some(said).filter(|said| !said.is_empty()).or_else(|| Some(span.status.message.clone().unwrap_or_default()))
}

/// A value that is text, or JSON text of a text.
fn text_of(value: Option<&Value>) -> Option<String> {
    let text = value?.as_str()?;
    Some(serde_json::from_str(text).unwrap_or_else(|_| text.to_owned())).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests;
