//! What the bridge has to say, passed on: to the log, and to whoever waits for a payload.

use std::path::Path;

use tracing::{debug, error, info, warn};

use super::open_payloads::OpenPayloads;
use crate::deliver::set_aside::SetAsideFolder;
use crate::guest::{Event, Level, Notice, SetAside};

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
            Event::SetAside(span) => set_aside(&span, payloads, folder),
            Event::Notice(notice) => log(&notice),
        }
    }
}

fn set_aside(span: &SetAside, payloads: &mut OpenPayloads, folder: &SetAsideFolder) {
    let SetAside { trace_id, span_id, reason, receipt, .. } = span;
    match folder.keep_span(span, receipt.and_then(|receipt| payloads.context_of(receipt))) {
        Ok(path) => say_kept(span, &path),
        Err(error) if payloads.put_off(span) => {
            error!(trace = trace_id, span = span_id, "a span stays in the journal: {reason}; and {error}");
        }
        Err(lost) => error!(trace = trace_id, span = span_id, "a span is lost: {reason}; and {lost}"),
    }
}

/// Tries again what could not be set aside, until something still cannot be. Returns whether that is so.
pub(super) fn set_aside_again(payloads: &mut OpenPayloads, folder: &SetAsideFolder) -> bool {
    while let Some((span, context)) = payloads.put_off_first() {
        let Ok(path) = folder.keep_span(span, context) else { return true };
        say_kept(span, &path);
        payloads.kept_first();
    }
    false
}

fn say_kept(span: &SetAside, path: &Path) {
    let SetAside { trace_id, span_id, reason, .. } = span;
    warn!(trace = trace_id, span = span_id, "a span was set aside in {}: {reason}", path.display());
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
