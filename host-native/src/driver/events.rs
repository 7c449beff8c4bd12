//! What the bridge has to say, passed on: to the log, and to whoever waits for a payload.

use tracing::{debug, error, info, warn};

use super::open_payloads::OpenPayloads;
use crate::quarantine::SetAsideFolder;
use crate::wasm::{Event, Level, Notice, Quarantined};

pub(super) fn pass_on(events: Vec<Event>, payloads: &mut OpenPayloads, folder: &SetAsideFolder) {
    for event in events {
        match event {
            Event::Done(receipt) => payloads.done(receipt),
            Event::Repaired(repair) => {
                debug!(
                    trace = repair.trace_id,
                    span = repair.span_id,
                    rule = repair.rule,
                    place = repair.place,
                    "a value was changed so that MLflow can store the span"
                );
            }
            Event::Quarantined(span) => set_aside(&span, payloads, folder),
            Event::Notice(notice) => log(&notice),
        }
    }
}

fn set_aside(span: &Quarantined, payloads: &mut OpenPayloads, folder: &SetAsideFolder) {
    let Quarantined { trace_id, span_id, reason, receipt, .. } = span;
    let held_back =
        |payloads: &mut OpenPayloads| receipt.is_some_and(|receipt| payloads.keep_for_later(receipt, reason));
    // What waits for room came before.
    if payloads.holds_back() && held_back(payloads) {
        return;
    }
    match folder.keep_span(span, receipt.and_then(|receipt| payloads.context_of(receipt))) {
        Ok(path) => {
            warn!(trace = trace_id, span = span_id, "a span was set aside in {}: {reason}", path.display());
        }
        Err(_) if held_back(payloads) => {}
        Err(lost) => error!(trace = trace_id, span = span_id, "a span is lost: {reason}; and {lost}"),
    }
}

fn log(notice: &Notice) {
    let Notice { level, topic, message } = notice;
    match level {
        Level::Debug => debug!(topic, "{message}"),
        Level::Info => info!(topic, "{message}"),
        Level::Warn => warn!(topic, "{message}"),
        Level::Error => error!(topic, "{message}"),
    }
}
