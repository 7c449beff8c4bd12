//! The words of the contract, as `wit/translator.wit` defines and documents them.

use crate::otlp::Malformed;

/// Milliseconds since the Unix epoch; never runs backwards.
pub type Instant = u64;

/// Names one accepted payload, for as long as the bridge lives.
pub type Receipt = u64;

/// How a payload is encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// OTLP `ExportTraceServiceRequest`.
    #[default]
    Protobuf,
    /// OTLP/JSON, read leniently.
    Json,
    /// One trace in MLflow's own trace JSON.
    TraceJson,
}

/// Where a payload's traces go, as its sender said; empty fields leave it to the settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// How the payload is encoded.
    pub encoding: Encoding,
    /// `x-mlflow-experiment-id`. Wins over the name.
    pub experiment_id: Option<String>,
    /// `x-mlflow-experiment-name`.
    pub experiment_name: Option<String>,
    /// `x-mlflow-run-id`.
    pub run_id: Option<String>,
    /// `x-mlflow-workspace`.
    pub workspace: Option<String>,
}

/// What became of a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// For [`Event::Done`].
    pub receipt: Receipt,
    /// Spans accepted, without the quarantined ones.
    pub spans: u32,
    /// Spans quarantined: OTLP's `partial_success.rejected_spans`.
    pub rejected_spans: u32,
    /// Why; empty when none was rejected.
    pub message: String,
}

/// Why a payload was not taken. Nothing of it was kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The sender must not repeat it.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The sender keeps its data and tries again after so many milliseconds.
    #[error("the bridge holds as much as it may; try again in {0} ms")]
    Full(u32),
}

/// One value that was changed so that MLflow can store the span; the span itself went on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    /// Lower-case hexadecimal.
    pub trace_id: String,
    /// Lower-case hexadecimal.
    pub span_id: String,
    /// A stable word for the rule.
    pub rule: &'static str,
    /// Where in the span: an attribute key, an event name, or a field.
    pub place: String,
}

/// One span that MLflow will not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// Lower-case hexadecimal.
    pub trace_id: String,
    /// Lower-case hexadecimal.
    pub span_id: String,
    /// What is wrong, and what to do about it. Holds no span content.
    pub reason: String,
    /// An OTLP protobuf payload with this span alone.
    pub payload: Vec<u8>,
    /// The receipt of a payload that it came in; none when nothing is remembered of payloads.
    pub receipt: Option<Receipt>,
}

/// One HTTP request for the host to perform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// For [`Bridge::complete`](crate::Bridge::complete).
    pub id: u64,
    /// `GET`, `POST`, `PUT` or `DELETE`.
    pub method: &'static str,
    /// Relative to the tracking URI, without a leading slash.
    pub path: String,
    /// Lower-case names.
    pub headers: Vec<(&'static str, String)>,
    /// The body, empty for `GET`.
    pub body: Vec<u8>,
    /// Milliseconds.
    pub timeout: u32,
}

/// What a server answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Lower-case names.
    pub headers: Vec<(String, String)>,
    /// The body, possibly cut.
    pub body: Vec<u8>,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The server answered.
    Response(Response),
    /// It did not; the text says how.
    NoAnswer(String),
}

/// How much a notice matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Details.
    Debug,
    /// PreviewGain a line.
    Info,
    /// Something is wrong, and nothing is lost yet.
    Warn,
    /// Somebody must act.
    Error,
}

/// Something a person should know, said once for each new condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// How much it matters.
    pub level: Level,
    /// A stable word.
    pub topic: &'static str,
    /// One line: what happened, and what to do.
    pub message: String,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Everything that came from this payload is in MLflow, or was quarantined.
    Done(Receipt),
    /// A value was changed.
    Repaired(Repair),
    /// A span was quarantined.
    Quarantined(Quarantined),
    /// Something a person should know.
    Notice(Notice),
}

/// Counters since the bridge was made, and what it holds now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Payloads accepted.
    pub payloads: u64,
    /// Spans in them.
    pub spans_received: u64,
    /// Spans that MLflow has acknowledged.
    pub spans_delivered: u64,
    /// Spans that arrived again, or in an older version.
    pub spans_duplicate: u64,
    /// Spans quarantined.
    pub spans_quarantined: u64,
    /// Values changed.
    pub repairs: u64,
    /// Requests handed out.
    pub requests: u64,
    /// Those of them that failed and were tried again.
    pub retries: u64,
    /// Traces with undelivered spans.
    pub open_traces: u64,
    /// Undelivered spans.
    pub open_spans: u64,
    /// Bytes of everything held.
    pub held_bytes: u64,
    /// Payloads whose receipt is not done.
    pub open_receipts: u64,
}
