//! The contract's records as JavaScript objects.

use js_sys::{Array, Object, Reflect, Uint8Array};
use openinference_mlflow_translator::contract::{Accepted, Event, Level, Rejection, Request, Stats};
use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** What became of a chunk. `full`: try again after `retryAfter` milliseconds; nothing of it was kept. */
export type Ingested =
  | { outcome: "accepted"; receipt: number; spans: number; rejectedSpans: number; message: string }
  | { outcome: "full"; retryAfter: number }
  | { outcome: "malformed"; message: string };

/** One HTTP request to perform; the path is relative to the tracking URI, the timeout in milliseconds. */
export interface Request {
  id: number;
  method: string;
  path: string;
  headers: [string, string][];
  body: Uint8Array;
  timeout: number;
}

export type BridgeEvent =
  | { type: "done"; receipt: number }
  | { type: "repaired"; traceId: string; spanId: string; rule: string; place: string }
  | { type: "quarantined"; traceId: string; spanId: string; reason: string }
  | { type: "notice"; level: "debug" | "info" | "warn" | "error"; topic: string; message: string };

/** Counters since the bridge was made, and what it holds now (`open…`, `heldBytes`). */
export interface Stats {
  payloads: number;
  spansReceived: number;
  spansDelivered: number;
  spansDuplicate: number;
  spansQuarantined: number;
  repairs: number;
  requests: number;
  retries: number;
  openTraces: number;
  openSpans: number;
  heldBytes: number;
  openReceipts: number;
}
"#;

/// The object literal `{key: value, …}`.
fn object<const N: usize>(entries: [(&str, JsValue); N]) -> Object {
    let object = Object::new();
    for (key, value) in entries {
        // Setting a property of a plain object cannot fail.
        let _ = Reflect::set(&object, &key.into(), &value);
    }
    object
}

fn number(value: u64) -> JsValue {
    JsValue::from_f64(value as f64)
}

pub(crate) fn ingested(result: &Result<Accepted, Rejection>) -> Object {
    match result {
        Ok(accepted) => object([
            ("outcome", "accepted".into()),
            ("receipt", number(accepted.receipt)),
            ("spans", accepted.spans.into()),
            ("rejectedSpans", accepted.rejected_spans.into()),
            ("message", accepted.message.as_str().into()),
        ]),
        Err(Rejection::Full(retry_after)) => {
            object([("outcome", "full".into()), ("retryAfter", (*retry_after).into())])
        }
        Err(malformed) => object([("outcome", "malformed".into()), ("message", malformed.to_string().into())]),
    }
}

pub(crate) fn request(request: &Request) -> JsValue {
    let headers: Array =
        request.headers.iter().map(|(name, value)| Array::of2(&(*name).into(), &value.as_str().into())).collect();
    object([
        ("id", number(request.id)),
        ("method", request.method.into()),
        ("path", request.path.as_str().into()),
        ("headers", headers.into()),
        ("body", Uint8Array::from(request.body.as_slice()).into()),
        ("timeout", request.timeout.into()),
    ])
    .into()
}

pub(crate) fn event(event: &Event) -> JsValue {
    let object = match event {
        Event::Done(receipt) => object([("type", "done".into()), ("receipt", number(*receipt))]),
        Event::Repaired(repair) => object([
            ("type", "repaired".into()),
            ("traceId", repair.trace_id.as_str().into()),
            ("spanId", repair.span_id.as_str().into()),
            ("rule", repair.rule.into()),
            ("place", repair.place.as_str().into()),
        ]),
        Event::Quarantined(span) => object([
            ("type", "quarantined".into()),
            ("traceId", span.trace_id.as_str().into()),
            ("spanId", span.span_id.as_str().into()),
            ("reason", span.reason.as_str().into()),
        ]),
        Event::Notice(notice) => object([
            ("type", "notice".into()),
            ("level", level(notice.level).into()),
            ("topic", notice.topic.into()),
            ("message", notice.message.as_str().into()),
        ]),
    };
    object.into()
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
    }
}

pub(crate) fn stats(stats: &Stats) -> Object {
    object([
        ("payloads", number(stats.payloads)),
        ("spansReceived", number(stats.spans_received)),
        ("spansDelivered", number(stats.spans_delivered)),
        ("spansDuplicate", number(stats.spans_duplicate)),
        ("spansQuarantined", number(stats.spans_quarantined)),
        ("repairs", number(stats.repairs)),
        ("requests", number(stats.requests)),
        ("retries", number(stats.retries)),
        ("openTraces", number(stats.open_traces)),
        ("openSpans", number(stats.open_spans)),
        ("heldBytes", number(stats.held_bytes)),
        ("openReceipts", number(stats.open_receipts)),
    ])
}
