//! Traces from spans: what arrived, what is still missing, and what is due when.
//!
//! Memory is bounded in bytes. Beyond half of the bound delivered traces are forgotten and the others sent early;
//! beyond it [`Assembly::is_full`], which the bridge turns into a refusal. Nothing is ever dropped.

pub mod compose;
pub mod ids;
pub mod info;
pub mod intake;
pub mod media;
pub mod outline;
pub mod pending;
pub mod receipts;
pub mod root;
pub mod route;
pub mod said;
pub mod trace;

use std::collections::{BTreeMap, BTreeSet};

use self::ids::{SpanId, TraceId};
use self::pending::Entry;
use self::receipts::Receipts;
use self::route::Wish;
use self::trace::{Arrival, Arrived, Due, Trace};
use crate::contract::Instant;
use crate::settings::Settings;

/// All traces that are open or remembered.
#[derive(Debug, Default)]
pub struct Assembly {
    traces: BTreeMap<TraceId, Trace>,
    to_send: BTreeSet<(Instant, TraceId)>,
    /// Apart from the others, so that many of them do not stand before spans.
    to_assess: BTreeSet<(Instant, TraceId)>,
    /// By the end of their patience.
    to_polish: BTreeSet<(Instant, TraceId)>,
    to_forget: BTreeSet<(Instant, TraceId)>,
    scheduled: BTreeMap<TraceId, Due>,
    bytes: usize,
    unsent: usize,
    open: usize,
    /// Memory is short: what arrives is sent at once.
    tight: bool,
}

impl Assembly {
    /// Takes a span in.
    pub fn insert(
        &mut self,
        (trace_id, span_id): (TraceId, SpanId),
        arrival: Arrival,
        wish: &Wish,
        receipts: &mut Receipts,
        (settings, now): (&Settings, Instant),
    ) -> Arrived {
        self.open(trace_id);
        let tight = self.tight;
        let arrived = self.change(trace_id, settings, |trace| {
            trace.wish.or(wish);
            trace.rush |= tight;
            trace.insert(span_id, arrival, receipts, now)
        });
        arrived.unwrap_or(Arrived::Known)
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
            Some(Due::Send(at)) => self.to_send.insert((at, id)),
            Some(Due::Assess(at)) => self.to_assess.insert((at, id)),
            Some(Due::Polish(until)) => self.to_polish.insert((until, id)),
            Some(Due::Forget(at)) => self.to_forget.insert((at, id)),
            None => false,
        };
        if let Some(due) = due {
            self.scheduled.insert(id, due);
        }
        Some(result)
    }

    fn unschedule(&mut self, id: TraceId) {
        match self.scheduled.remove(&id) {
            Some(Due::Send(at)) => self.to_send.remove(&(at, id)),
            Some(Due::Assess(at)) => self.to_assess.remove(&(at, id)),
            Some(Due::Polish(until)) => self.to_polish.remove(&(until, id)),
            Some(Due::Forget(at)) => self.to_forget.remove(&(at, id)),
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
    pub fn to_polish(&self, most: usize) -> Vec<TraceId> {
        self.to_polish.iter().take(most).map(|(_, id)| *id).collect()
    }

    /// Traces whose previews stay as they are: no quiet moment came in time, or memory is short.
    pub fn past_polish(&self, settings: &Settings, now: Instant) -> Vec<TraceId> {
        let until = if self.is_tight(settings) { Instant::MAX } else { now.saturating_add(1) };
        self.to_polish.range(..(until, TraceId::MIN)).map(|(_, id)| *id).collect()
    }

    /// When something is due next, after `now`: to be sent or to be forgotten.
    pub fn next_due(&self, now: Instant) -> Option<Instant> {
        let after = (now.saturating_add(1), TraceId::MIN);
        let send = self.to_send.range(after..).next();
        let assess = self.to_assess.range(after..).next();
        [send, assess, self.to_polish.first(), self.to_forget.first()].into_iter().flatten().map(|(at, _)| *at).min()
    }

    /// Forgets delivered traces whose time has come, and the oldest of them while memory is short.
    pub fn forget(&mut self, settings: &Settings, now: Instant) {
        while let Some((at, id)) = self.to_forget.first().copied() {
            if at > now && !self.is_tight(settings) {
                break;
            }
            self.unschedule(id);
            if let Some(trace) = self.traces.remove(&id) {
                self.bytes = self.bytes.saturating_sub(trace.size());
            }
        }
    }

    /// Marks every open trace to be sent at once, finished or not, and tries every assessment that waits.
    pub fn rush(&mut self, settings: &Settings) {
        let waits = |trace: &Trace| {
            trace.unsent_count() > 0 && (!trace.rush || trace.hold_until > 0) || !trace.pending.is_empty()
        };
        let open: Vec<_> = self.traces.iter().filter(|(_, trace)| waits(trace)).map(|(id, _)| *id).collect();
        for id in open {
            self.change(id, settings, |trace| {
                trace.rush = trace.unsent_count() > 0;
                trace.hold_until = 0;
                trace.pending.hurry();
            });
        }
    }

    /// Sends everything early while memory is short.
    pub fn relieve(&mut self, settings: &Settings) {
        let tight = self.is_tight(settings);
        if tight && !self.tight {
            self.rush(settings);
        }
        self.tight = tight;
    }

    /// Whether more than half of the memory bound is in use.
    fn is_tight(&self, settings: &Settings) -> bool {
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
