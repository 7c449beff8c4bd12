//! Traces from spans: what arrived, what is still missing, and what is due when.
//!
//! Memory is bounded in bytes. Beyond half of the bound delivered traces are forgotten and the others sent early;
//! beyond it [`Assembly::is_full`], which the bridge turns into a refusal. Nothing is ever dropped.

pub mod compose;
pub mod conversation;
pub mod derived_metadata;
pub mod destination;
pub mod envelope;
pub mod ids;
pub mod info;
pub mod intake;
pub mod media;
pub mod pending_assessments;
pub mod receipts;
pub mod root;
pub mod span_summary;
pub mod trace;
pub mod trace_update;

use std::collections::{BTreeMap, BTreeSet};

use self::destination::RequestedDestination;
use self::ids::{SpanId, TraceId};
use self::pending_assessments::Entry;
use self::receipts::Receipts;
use self::trace::schedule::ScheduledAction;
use self::trace::{Arrival, InsertOutcome, Trace};
use crate::contract::Instant;
use crate::settings::Settings;

/// How many traces may wait with optional requests; the bridge drops those beyond it.
const MOST_OPTIONAL: usize = 1_000;

/// All traces that are open or remembered.
#[derive(Debug, Default)]
pub struct Assembly {
    traces: BTreeMap<TraceId, Trace>,
    to_send: BTreeSet<(Instant, TraceId)>,
    /// Apart from the others, so that many of them do not delay spans.
    to_assess: BTreeSet<(Instant, TraceId)>,
    /// By the time at which their optional requests are dropped.
    optional: BTreeSet<(Instant, TraceId)>,
    /// By the time at which the deferred preview is dropped.
    deferred_previews: BTreeSet<(Instant, TraceId)>,
    to_expire: BTreeSet<(Instant, TraceId)>,
    scheduled: BTreeMap<TraceId, ScheduledAction>,
    bytes: usize,
    unsent: usize,
    open: usize,
    /// Memory is short: what arrives is sent at once.
    memory_low: bool,
}

impl Assembly {
    /// Takes a span in.
    pub fn insert(
        &mut self,
        (trace_id, span_id): (TraceId, SpanId),
        arrival: Arrival,
        requested: &RequestedDestination,
        receipts: &mut Receipts,
        (settings, now): (&Settings, Instant),
    ) -> InsertOutcome {
        self.open(trace_id);
        let memory_low = self.memory_low;
        let outcome = self.change(trace_id, settings, |trace| {
            trace.requested.or(requested);
            trace.flush_requested |= memory_low;
            trace.insert(span_id, arrival, receipts, now)
        });
        outcome.unwrap_or(InsertOutcome::AlreadyKnown)
    }

    /// Takes an assessment of a trace in, whether or not any span of the trace came yet.
    pub fn assess(&mut self, trace_id: TraceId, entry: Entry, settings: &Settings, now: Instant) {
        self.open(trace_id);
        self.change(trace_id, settings, |trace| trace.assess(entry, now));
    }

    fn open(&mut self, trace_id: TraceId) {
        self.traces.entry(trace_id).or_insert_with(|| {
            let trace = Trace::default();
            self.bytes += trace.size();
            trace
        });
    }

    /// A trace.
    pub fn get(&self, id: TraceId) -> Option<&Trace> {
        self.traces.get(&id)
    }

    /// Changes a trace, then counts its bytes and finds out anew when something is due for it.
    pub fn change<T>(&mut self, id: TraceId, settings: &Settings, change: impl FnOnce(&mut Trace) -> T) -> Option<T> {
        let trace = self.traces.get_mut(&id)?;
        let (bytes, unsent) = (trace.size(), trace.unsent_count());
        let result = change(trace);
        self.bytes = self.bytes.saturating_sub(bytes) + trace.size();
        self.unsent = self.unsent.saturating_sub(unsent) + trace.unsent_count();
        self.open = self.open.saturating_sub(usize::from(unsent > 0)) + usize::from(trace.unsent_count() > 0);
        let due = trace.due(settings);
        self.unschedule(id);
        match due {
            Some(ScheduledAction::Send(at)) => self.to_send.insert((at, id)),
            Some(ScheduledAction::SendOptional(until)) => self.optional.insert((until, id)),
            Some(ScheduledAction::SendAssessments(at)) => self.to_assess.insert((at, id)),
            Some(ScheduledAction::DeferredPreview(until)) => self.deferred_previews.insert((until, id)),
            Some(ScheduledAction::Expire(at)) => self.to_expire.insert((at, id)),
            None => false,
        };
        if let Some(due) = due {
            self.scheduled.insert(id, due);
        }
        Some(result)
    }

    fn unschedule(&mut self, id: TraceId) {
        match self.scheduled.remove(&id) {
            Some(ScheduledAction::Send(at)) => self.to_send.remove(&(at, id)),
            Some(ScheduledAction::SendOptional(until)) => self.optional.remove(&(until, id)),
            Some(ScheduledAction::SendAssessments(at)) => self.to_assess.remove(&(at, id)),
            Some(ScheduledAction::DeferredPreview(until)) => self.deferred_previews.remove(&(until, id)),
            Some(ScheduledAction::Expire(at)) => self.to_expire.remove(&(at, id)),
            None => false,
        };
    }

    /// Traces for which something is to be sent by now, the longest due first, at most so many.
    pub fn due(&self, now: Instant, most: usize) -> Vec<TraceId> {
        self.to_send.range(..(now.saturating_add(1), TraceId::MIN)).take(most).map(|(_, id)| *id).collect()
    }

    /// Traces of which assessments alone are to be sent by now, the longest due first, at most so many.
    pub fn to_assess(&self, now: Instant, most: usize) -> Vec<TraceId> {
        self.to_assess.range(..(now.saturating_add(1), TraceId::MIN)).take(most).map(|(_, id)| *id).collect()
    }

    /// Traces whose previews can be made better, the least patient first, at most so many.
    pub fn deferred_previews(&self, most: usize) -> Vec<TraceId> {
        self.deferred_previews.iter().take(most).map(|(_, id)| *id).collect()
    }

    /// Traces with optional requests, those that are dropped first in front, at most `most`.
    pub fn optional(&self, most: usize) -> Vec<TraceId> {
        self.optional.iter().take(most).map(|(_, id)| *id).collect()
    }

    /// Traces whose optional requests are dropped: their time is over, there are too many, or memory is low.
    pub fn expired_optional(&self, settings: &Settings, now: Instant) -> Vec<TraceId> {
        let until = if self.is_memory_low(settings) { Instant::MAX } else { now.saturating_add(1) };
        let expired = |set: &BTreeSet<(Instant, TraceId)>| {
            let beyond = set.len().saturating_sub(MOST_OPTIONAL);
            let late = set.range(..(until, TraceId::MIN)).count();
            set.iter().take(late.max(beyond)).map(|(_, id)| *id).collect::<Vec<_>>()
        };
        let mut traces = expired(&self.optional);
        traces.extend(expired(&self.deferred_previews));
        traces
    }

    /// When something is due next, after `now`: to be sent or to be forgotten.
    pub fn next_due(&self, now: Instant) -> Option<Instant> {
        let after = (now.saturating_add(1), TraceId::MIN);
        let send = self.to_send.range(after..).next();
        let assess = self.to_assess.range(after..).next();
        [send, assess, self.optional.first(), self.deferred_previews.first(), self.to_expire.first()]
            .into_iter()
            .flatten()
            .map(|(at, _)| *at)
            .min()
    }

    /// Forgets delivered traces whose time has come, and the oldest of them while memory is short.
    pub fn expire(&mut self, settings: &Settings, now: Instant) {
        while let Some((at, id)) = self.to_expire.first().copied() {
            if at > now && !self.is_memory_low(settings) {
                break;
            }
            self.unschedule(id);
            if let Some(trace) = self.traces.remove(&id) {
                self.bytes = self.bytes.saturating_sub(trace.size());
            }
        }
    }

    /// Marks every open trace to be sent at once, finished or not, and tries every assessment that waits.
    pub fn flush_all(&mut self, settings: &Settings) {
        let waits = |trace: &Trace| {
            trace.unsent_count() > 0 && (!trace.flush_requested || trace.hold_until > 0) || !trace.pending.is_empty()
        };
        let open: Vec<_> = self.traces.iter().filter(|(_, trace)| waits(trace)).map(|(id, _)| *id).collect();
        for id in open {
            self.change(id, settings, |trace| {
                trace.flush_requested = trace.unsent_count() > 0;
                trace.hold_until = 0;
                trace.pending.retry_now();
                if !trace.pending.is_empty() && !settings.wait_for_optional {
                    // Feedback must not wait for what is optional.
                    trace.info.optional_deadline = 0;
                }
            });
        }
    }

    /// Sends everything early while memory is short.
    pub fn evict(&mut self, settings: &Settings) {
        let memory_low = self.is_memory_low(settings);
        if memory_low && !self.memory_low {
            self.flush_all(settings);
        }
        self.memory_low = memory_low;
    }

    /// Whether more than half of the memory bound is in use.
    fn is_memory_low(&self, settings: &Settings) -> bool {
        self.bytes as u64 > settings.max_bytes / 2
    }

    /// Whether `more` bytes would go beyond the memory bound.
    pub fn is_full(&self, settings: &Settings, more: usize) -> bool {
        self.bytes.saturating_add(more) as u64 > settings.max_bytes
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Spans that are not in MLflow.
    pub fn unsent(&self) -> usize {
        self.unsent
    }

    /// Traces with spans that are not in MLflow.
    pub fn open_traces(&self) -> usize {
        self.open
    }
}
