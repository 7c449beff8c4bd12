//! The contract's types as JSON. Names are those of `wit/translator.wit`, with `_` for `-`.

use openinference_mlflow_translator::contract::{
    Accepted, Context, Encoding, Event, Level, Notice, Quarantined, Rejection, Repair, Request, Stats,
};
use openinference_mlflow_translator::otlp::Malformed;
use serde::{Deserialize, Serialize};

use crate::frame::{Bytes, Place};

/// Why a call has no result.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Failure {
    /// The call itself is wrong: its frame, its JSON, or a word in it.
    Call { reason: String },
    /// The handle names no open bridge.
    UnknownBridge { reason: String },
    /// The settings of `open` are wrong.
    Settings { reason: String },
    /// The contract's `malformed`.
    Malformed { reason: String },
    /// The contract's `full`, in milliseconds.
    Full { reason: String, retry_after: u32 },
}

impl From<Malformed> for Failure {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed { reason: malformed.to_string() }
    }
}

impl From<Rejection> for Failure {
    fn from(rejection: Rejection) -> Self {
        let reason = rejection.to_string();
        match rejection {
            Rejection::Malformed(malformed) => malformed.into(),
            Rejection::Full(retry_after) => Self::Full { reason, retry_after },
        }
    }
}

/// An encoding, by the contract's word.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum EncodingName {
    #[default]
    Protobuf,
    Json,
    TraceJson,
}

impl From<EncodingName> for Encoding {
    fn from(encoding: EncodingName) -> Self {
        match encoding {
            EncodingName::Protobuf => Self::Protobuf,
            EncodingName::Json => Self::Json,
            EncodingName::TraceJson => Self::TraceJson,
        }
    }
}

/// The JSON of `ingest`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ContextInput {
    encoding: EncodingName,
    experiment_id: Option<String>,
    experiment_name: Option<String>,
    run_id: Option<String>,
    workspace: Option<String>,
}

impl From<ContextInput> for Context {
    fn from(context: ContextInput) -> Self {
        let ContextInput { encoding, experiment_id, experiment_name, run_id, workspace } = context;
        Self { encoding: encoding.into(), experiment_id, experiment_name, run_id, workspace }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct AcceptedOutput {
    receipt: u64,
    spans: u32,
    rejected_spans: u32,
    message: String,
}

impl From<Accepted> for AcceptedOutput {
    fn from(accepted: Accepted) -> Self {
        let Accepted { receipt, spans, rejected_spans, message } = accepted;
        Self { receipt, spans, rejected_spans, message }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct RepairOutput {
    trace_id: String,
    span_id: String,
    rule: &'static str,
    place: String,
}

impl From<Repair> for RepairOutput {
    fn from(repair: Repair) -> Self {
        let Repair { trace_id, span_id, rule, place } = repair;
        Self { trace_id, span_id, rule, place }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct QuarantinedOutput {
    trace_id: String,
    span_id: String,
    reason: String,
    payload: Place,
    receipt: Option<u64>,
}

impl QuarantinedOutput {
    pub(crate) fn new(span: Quarantined, bytes: &mut Bytes) -> Self {
        let Quarantined { trace_id, span_id, reason, payload, receipt } = span;
        Self { trace_id, span_id, reason, payload: bytes.put(&payload), receipt }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct RequestOutput {
    id: u64,
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Place,
    timeout: u32,
}

impl RequestOutput {
    pub(crate) fn new(request: Request, bytes: &mut Bytes) -> Self {
        let Request { id, method, path, headers, body, timeout } = request;
        Self { id, method, path, headers, body: bytes.put(&body), timeout }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum EventOutput {
    Done(u64),
    Repaired(RepairOutput),
    Quarantined(QuarantinedOutput),
    Notice(NoticeOutput),
}

impl EventOutput {
    pub(crate) fn new(event: Event, bytes: &mut Bytes) -> Self {
        match event {
            Event::Done(receipt) => Self::Done(receipt),
            Event::Repaired(repair) => Self::Repaired(repair.into()),
            Event::Quarantined(span) => Self::Quarantined(QuarantinedOutput::new(span, bytes)),
            Event::Notice(notice) => Self::Notice(notice.into()),
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct NoticeOutput {
    level: &'static str,
    topic: &'static str,
    message: String,
}

impl From<Notice> for NoticeOutput {
    fn from(notice: Notice) -> Self {
        let level = match notice.level {
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
        };
        Self { level, topic: notice.topic, message: notice.message }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct StatsOutput {
    payloads: u64,
    spans_received: u64,
    spans_delivered: u64,
    spans_duplicate: u64,
    spans_quarantined: u64,
    repairs: u64,
    requests: u64,
    retries: u64,
    open_traces: u64,
    open_spans: u64,
    held_bytes: u64,
    open_receipts: u64,
}

impl From<Stats> for StatsOutput {
    fn from(stats: Stats) -> Self {
        Self {
            payloads: stats.payloads,
            spans_received: stats.spans_received,
            spans_delivered: stats.spans_delivered,
            spans_duplicate: stats.spans_duplicate,
            spans_quarantined: stats.spans_quarantined,
            repairs: stats.repairs,
            requests: stats.requests,
            retries: stats.retries,
            open_traces: stats.open_traces,
            open_spans: stats.open_spans,
            held_bytes: stats.held_bytes,
            open_receipts: stats.open_receipts,
        }
    }
}
