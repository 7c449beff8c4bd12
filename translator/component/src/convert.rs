//! Between the core's types and the same types as `wit-bindgen` generates them.

use openinference_mlflow_translator::contract as core;
use openinference_mlflow_translator::otlp;

use crate::bindings::exports::openinference_mlflow::translator::delivery as wit;
use crate::bindings::exports::openinference_mlflow::translator::types;

impl From<types::Encoding> for core::Encoding {
    fn from(encoding: types::Encoding) -> Self {
        match encoding {
            types::Encoding::Protobuf => Self::Protobuf,
            types::Encoding::Json => Self::Json,
            types::Encoding::TraceJson => Self::TraceJson,
        }
    }
}

impl From<otlp::Malformed> for types::Malformed {
    fn from(malformed: otlp::Malformed) -> Self {
        Self { reason: malformed.to_string() }
    }
}

impl From<core::Repair> for types::Repair {
    fn from(repair: core::Repair) -> Self {
        let core::Repair { trace_id, span_id, rule, place } = repair;
        Self { trace_id, span_id, rule: rule.into(), place }
    }
}

impl From<core::Quarantined> for types::Quarantined {
    fn from(quarantined: core::Quarantined) -> Self {
        let core::Quarantined { trace_id, span_id, reason, payload, receipt } = quarantined;
        Self { trace_id, span_id, reason, payload, receipt }
    }
}

impl From<wit::Context> for core::Context {
    fn from(context: wit::Context) -> Self {
        let wit::Context { encoding, experiment_id, experiment_name, run_id, workspace } = context;
        Self { encoding: encoding.into(), experiment_id, experiment_name, run_id, workspace }
    }
}

impl From<core::Accepted> for wit::Accepted {
    fn from(accepted: core::Accepted) -> Self {
        let core::Accepted { receipt, spans, rejected_spans, message } = accepted;
        Self { receipt, spans, rejected_spans, message }
    }
}

impl From<core::Rejection> for wit::Rejection {
    fn from(rejection: core::Rejection) -> Self {
        match rejection {
            core::Rejection::Malformed(malformed) => Self::Malformed(malformed.into()),
            core::Rejection::Full(millis) => Self::Full(millis),
        }
    }
}

impl From<core::Request> for wit::Request {
    fn from(request: core::Request) -> Self {
        let core::Request { id, method, path, headers, body, timeout } = request;
        let headers = headers.into_iter().map(|(name, value)| (name.into(), value)).collect();
        Self { id, method: method.into(), path, headers, body, timeout }
    }
}

impl From<wit::Answer> for core::Answer {
    fn from(answer: wit::Answer) -> Self {
        match answer {
            wit::Answer::Response(wit::Response { status, headers, body }) => {
                Self::Response(core::Response { status, headers, body })
            }
            wit::Answer::NoAnswer(reason) => Self::NoAnswer(reason),
        }
    }
}

impl From<core::Event> for wit::Event {
    fn from(event: core::Event) -> Self {
        match event {
            core::Event::Done(receipt) => Self::Done(receipt),
            core::Event::Repaired(repair) => Self::Repaired(repair.into()),
            core::Event::Quarantined(quarantined) => Self::Quarantined(quarantined.into()),
            core::Event::Notice(core::Notice { level, topic, message }) => {
                Self::Notice(wit::Notice { level: level.into(), topic: topic.into(), message })
            }
        }
    }
}

impl From<core::Level> for wit::Level {
    fn from(level: core::Level) -> Self {
        match level {
            core::Level::Debug => Self::Debug,
            core::Level::Info => Self::Info,
            core::Level::Warn => Self::Warn,
            core::Level::Error => Self::Error,
        }
    }
}

impl From<core::Stats> for wit::Stats {
    fn from(stats: core::Stats) -> Self {
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
