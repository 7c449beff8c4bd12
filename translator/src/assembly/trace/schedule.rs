//! When something is due for a trace: to be sent, closed or forgotten.

use super::Trace;
use crate::contract::Instant;
use crate::settings::Settings;

/// What is due, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScheduledAction {
    /// Spans or the trace's info are to be sent.
    Send(Instant),
    /// An optional request is to be sent when spans leave room, or dropped at this time.
    SendOptional(Instant),
    /// Assessments are to be sent, and nothing else.
    SendAssessments(Instant),
    /// The trace's info may be sent, for better previews, when there is nothing else to do; until then.
    DeferredPreview(Instant),
    /// Everything is delivered: the trace may be removed from memory.
    Expire(Instant),
}

impl Trace {
    /// When something is due for this trace: to be sent, closed or forgotten. `None` while a request is under way.
    pub fn due(&self, settings: &Settings) -> Option<ScheduledAction> {
        if self.in_flight > 0 {
            return None;
        }
        let idle = self.last_arrival.saturating_add(settings.idle_ms);
        if self.unsent > 0 {
            let at = if self.flush_requested {
                0
            } else if self.is_whole() {
                self.last_arrival.saturating_add(settings.settle_ms)
            } else if settings.openinference_only || settings.omit_marked_spans {
                // Who is below whom is known when the trace is whole.
                idle
            } else {
                idle.min(self.waiting_since.saturating_add(settings.partial_ms))
            };
            return Some(ScheduledAction::Send(at.max(self.hold_until)));
        }
        if self.info.required || self.info.needed && self.closed {
            // In the order of arrival, as spans are: infos of many traces must not keep the spans of others waiting.
            return Some(ScheduledAction::Send(self.hold_until.max(self.last_arrival)));
        }
        if self.info.has_optional() {
            return Some(ScheduledAction::SendOptional(self.info.optional_deadline));
        }
        let close = (!self.closed && !self.spans.is_empty() && self.root().is_none()).then_some(idle);
        let assess = self.pending.due().map(|at| at.max(self.hold_until));
        match (close, assess) {
            (Some(close), Some(assess)) if assess < close => return Some(ScheduledAction::SendAssessments(assess)),
            (Some(close), _) => return Some(ScheduledAction::Send(close)),
            (None, Some(assess)) => return Some(ScheduledAction::SendAssessments(assess)),
            (None, None) => {}
        }
        if let Some(until) = self.info.preview_deadline {
            return Some(ScheduledAction::DeferredPreview(until));
        }
        Some(ScheduledAction::Expire(self.last_arrival.saturating_add(settings.remember_ms)))
    }

    /// Whether nothing is to be sent but assessments.
    pub fn has_only_assessments_to_send(&self) -> bool {
        self.unsent == 0 && !self.info.needed && !self.info.links_wanted
    }

    /// Whether the trace has been without a root and without a new span for too long.
    pub fn must_close(&self, settings: &Settings, now: Instant) -> bool {
        let is_idle = self.last_arrival.saturating_add(settings.idle_ms) <= now;
        !self.closed && !self.spans.is_empty() && self.root().is_none() && is_idle
    }

    /// Whether MLflow must be asked how it has the trace, before a trace info closes it.
    pub fn must_look_up(&self) -> bool {
        self.closed && self.root().is_none() && !self.info.looked_up
    }
}
