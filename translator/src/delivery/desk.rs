//! What every delivery works on: settings, traces, receipts, and the log of what happened.

use crate::assembly::Assembly;
use crate::assembly::ids::{SpanId, TraceId};
use crate::assembly::outline::Version;
use crate::assembly::receipts::Receipts;
use crate::assembly::{compose, trace::Trace};
use crate::contract::{Event, Instant, Level, Notice, Repair, SetAside, Stats};
use crate::settings::Settings;

/// The bridge's state, the delivery aside.
#[derive(Debug, Default)]
pub struct Desk {
    /// Settings.
    pub settings: Settings,
    /// Traces.
    pub assembly: Assembly,
    /// Payloads that are not wholly in MLflow.
    pub receipts: Receipts,
    /// Counters.
    pub stats: Stats,
    events: Vec<Event>,
}

impl Desk {
    /// A bridge's state before anything came.
    pub fn new(settings: Settings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// Notes what a person should know, if anything.
    pub fn notice(&mut self, notice: Option<Notice>) {
        self.events.extend(notice.map(Event::Notice));
    }

    /// Notes a changed value.
    pub fn repaired(&mut self, repair: Repair) {
        self.stats.repairs += 1;
        self.events.push(Event::Repaired(repair));
    }

    /// Notes a span that MLflow will not take.
    pub fn set_aside(&mut self, set_aside: SetAside) {
        self.stats.spans_set_aside += 1;
        self.events.push(Event::SetAside(set_aside));
    }

    /// What happened since the last call: receipts come last, after what explains them.
    pub fn take_events(&mut self) -> Vec<Event> {
        let mut events = std::mem::take(&mut self.events);
        events.extend(self.receipts.take_done().into_iter().map(Event::Done));
        events
    }

    /// Changes a trace.
    pub fn change<T>(&mut self, trace: TraceId, change: impl FnOnce(&mut Trace) -> T) -> Option<T> {
        self.assembly.change(trace, &self.settings, change)
    }

    /// A span is in MLflow; its receipts are released, or wait for the trace's info.
    pub fn delivered(&mut self, trace: TraceId, span: SpanId, version: Version, info_follows: bool) {
        let receipts = self.change(trace, |trace| {
            let (_, receipts) = trace.settle(span, version)?;
            if info_follows {
                trace.info.receipts.extend(receipts);
                return Some(Vec::new());
            }
            Some(receipts)
        });
        if let Some(receipts) = receipts.flatten() {
            self.stats.spans_delivered += 1;
            receipts.into_iter().for_each(|receipt| self.receipts.release(receipt));
        }
    }

    /// MLflow will not take a span: it leaves with its bytes and the reason.
    pub fn give_up(&mut self, trace: TraceId, span: SpanId, version: Version, reason: &str) {
        let Some((held, receipts)) = self.change(trace, |trace| trace.settle(span, version)).flatten() else { return };
        self.set_aside(SetAside {
            trace_id: trace.to_string(),
            span_id: span.to_string(),
            reason: reason.to_owned(),
            payload: compose::lone_payload(&held.envelope, &held.span),
        });
        receipts.into_iter().for_each(|receipt| self.receipts.release(receipt));
    }

    /// The trace's info is in MLflow, or will never be.
    pub fn info_settled(&mut self, trace: TraceId) {
        let receipts = self.change(trace, |trace| {
            trace.info.wanted = false;
            trace.info.failures = 0;
            std::mem::take(&mut trace.info.receipts)
        });
        receipts.unwrap_or_default().into_iter().for_each(|receipt| self.receipts.release(receipt));
    }

    /// Traces for which something is to be sent by now. Those that waited too long for a root are closed on the way.
    pub fn due(&mut self, now: Instant) -> Vec<TraceId> {
        let due = self.assembly.due(now, MOST_DUE);
        for id in &due {
            if self.assembly.get(*id).is_some_and(|trace| trace.must_close(&self.settings, now)) {
                self.close(*id);
            }
        }
        due
    }

    fn close(&mut self, id: TraceId) {
        self.change(id, |trace| {
            trace.closed = true;
            trace.info.wanted = true;
        });
    }

    /// A trace is being closed for want of a root.
    pub fn say_closed(&mut self, id: TraceId) {
        let message = format!(
            "trace tr-{id} is closed: no root span came within {} s of its last span",
            self.settings.idle_ms / 1000
        );
        self.notice(Some(Notice { level: Level::Warn, topic: "closed-without-root", message }));
        self.change(id, |trace| trace.info.looked = true);
    }
}

/// How many traces one poll looks at: more than it can send, and few enough that looking costs nothing.
const MOST_DUE: usize = 4_096;
