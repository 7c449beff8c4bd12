//! Dispatches the events of the bridge: to the log, to the quarantine, and to the open payloads.

use tracing::{debug, error, info, warn};

use super::open_payloads::OpenPayloads;
use crate::quarantine::Quarantine;
use crate::wasm::{Event, Level, Notice, Quarantined};

pub(super) fn dispatch(events: Vec<Event>, payloads: &mut OpenPayloads, folder: &Quarantine) {
    for event in events {
        match event {
            Event::Done(receipt) => payloads.done(receipt),
            Event::Repaired(repair) => {
                debug!(
                    trace = repair.trace_id,
                    span = repair.span_id,
                    rule = repair.rule,
                    place = repair.place,
                    "repaired a value so that MLflow can store the span"
                );
            }
            Event::Quarantined(span) => {
                if let Some(span) = payloads.collect_refused(span) {
                    quarantine(&span, payloads, folder);
                }
            }
            Event::Notice(notice) => log(&notice),
        }
    }
}

fn quarantine(span: &Quarantined, payloads: &mut OpenPayloads, folder: &Quarantine) {
    let Quarantined { trace_id, span_id, reason, receipt, .. } = span;
    let pending_quarantine = |payloads: &mut OpenPayloads| {
        receipt.is_some_and(|receipt| payloads.mark_receipt_for_quarantine(receipt, reason))
    };
    // Entries that wait for space come first.
    if payloads.has_pending_quarantine() && pending_quarantine(payloads) {
        return;
    }
    match folder.keep_span(span, receipt.and_then(|receipt| payloads.context_of(receipt))) {
        Ok(path) => {
            warn!(
                trace = trace_id,
                span = span_id,
                "quarantined a span in {}: {reason}; `quarantine replay` sends it again",
                path.display()
            );
        }
        Err(_) if pending_quarantine(payloads) => {}
        Err(lost) => error!(trace = trace_id, span = span_id, "lost a span: {reason}; {lost}"),
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
