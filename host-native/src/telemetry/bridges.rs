//! Wraps the translator's bridges and records the duration of calls, the translator's counters, and traps.
//!
//! The counters of a new instance start at 0; the metrics continue from their previous values.

use std::time::Instant;

use prometheus_client::metrics::histogram::Histogram;

use super::metrics::{ByCall, ByCause, Metrics, TranslatorMetrics};
use crate::payload::PayloadContext;
use crate::wasm::{Accepted, Answer, Bridge, Cause, Event, OpenBridge, OpenError, Rejection, Request};
use crate::wasm::{Stats, Trap};

/// Observed bridges.
#[derive(Debug, Clone)]
pub struct ObservedBridges<O> {
    bridges: O,
    metrics: TranslatorMetrics,
}

/// An observed bridge.
#[derive(Debug)]
pub struct ObservedBridge<B> {
    bridge: B,
    metrics: TranslatorMetrics,
    calls: Calls,
    /// The counters that the metrics include already.
    counted: Stats,
}

/// Durations of the calls that do work. The others only read a few numbers.
#[derive(Debug)]
struct Calls {
    ingest: Histogram,
    poll: Histogram,
    complete: Histogram,
    flush: Histogram,
}

// === impl ObservedBridges ===

impl<O> ObservedBridges<O> {
    /// Wraps bridges.
    pub fn new(bridges: O, metrics: &Metrics) -> Self {
        Self { bridges, metrics: metrics.translator.clone() }
    }
}

impl<O: OpenBridge> OpenBridge for ObservedBridges<O> {
    type Bridge = ObservedBridge<O::Bridge>;

    fn open(&self) -> Result<Self::Bridge, OpenError> {
        let bridge = self.bridges.open()?;
        let call = |call| self.metrics.calls.get_or_create_owned(&ByCall { call });
        let calls =
            Calls { ingest: call("ingest"), poll: call("poll"), complete: call("complete"), flush: call("flush") };
        Ok(ObservedBridge { bridge, metrics: self.metrics.clone(), calls, counted: NOTHING })
    }
}

// === impl ObservedBridge ===

impl<B: Bridge> ObservedBridge<B> {
    fn note<T>(&self, result: Result<T, Trap>) -> Result<T, Trap> {
        result.inspect_err(|trap| {
            let cause = match trap.cause {
                Cause::Runaway => "runaway",
                Cause::OutOfMemory => "out_of_memory",
                Cause::Other(_) => "other",
            };
            self.metrics.traps.get_or_create(&ByCause { cause }).inc();
        })
    }

    fn count(&mut self, stats: Stats) {
        let TranslatorMetrics { spans_received, spans_delivered, spans_duplicate, .. } = &self.metrics;
        let TranslatorMetrics { spans_quarantined, repairs, retries, open_traces, open_spans, held_bytes, .. } =
            &self.metrics;
        let counted = &self.counted;
        for (counter, now, before) in [
            (spans_received, stats.spans_received, counted.spans_received),
            (spans_delivered, stats.spans_delivered, counted.spans_delivered),
            (spans_duplicate, stats.spans_duplicate, counted.spans_duplicate),
            (spans_quarantined, stats.spans_quarantined, counted.spans_quarantined),
            (repairs, stats.repairs, counted.repairs),
            (retries, stats.retries, counted.retries),
        ] {
            counter.inc_by(now.saturating_sub(before));
        }
        for (gauge, now) in
            [(open_traces, stats.open_traces), (open_spans, stats.open_spans), (held_bytes, stats.held_bytes)]
        {
            gauge.set(i64::try_from(now).unwrap_or(i64::MAX));
        }
        self.counted = stats;
    }
}

/// Makes a call and records its duration and trap.
macro_rules! timed {
    ($self:ident.$name:ident($($argument:expr),*)) => {{
        let start = Instant::now();
        let result = $self.bridge.$name($($argument),*);
        $self.calls.$name.observe(start.elapsed().as_secs_f64());
        $self.note(result)
    }};
}

impl<B: Bridge> Bridge for ObservedBridge<B> {
    fn ingest(
        &mut self,
        payload: &[u8],
        context: &PayloadContext,
        now: u64,
    ) -> Result<Result<Accepted, Rejection>, Trap> {
        timed!(self.ingest(payload, context, now))
    }

    fn poll(&mut self, now: u64) -> Result<Vec<Request>, Trap> {
        timed!(self.poll(now))
    }

    fn complete(&mut self, request: u64, answer: &Answer, now: u64) -> Result<(), Trap> {
        timed!(self.complete(request, answer, now))
    }

    /// Called after everything that changes the counters, so it reads them.
    fn events(&mut self) -> Result<Vec<Event>, Trap> {
        let events = self.bridge.events();
        let events = self.note(events)?;
        self.stats()?;
        Ok(events)
    }

    fn next_wakeup(&mut self) -> Result<Option<u64>, Trap> {
        let wakeup = self.bridge.next_wakeup();
        self.note(wakeup)
    }

    fn flush(&mut self, now: u64) -> Result<(), Trap> {
        timed!(self.flush(now))
    }

    fn stats(&mut self) -> Result<Stats, Trap> {
        let stats = self.bridge.stats();
        let stats = self.note(stats)?;
        self.count(stats);
        Ok(stats)
    }
}

const NOTHING: Stats = Stats {
    payloads: 0,
    spans_received: 0,
    spans_delivered: 0,
    spans_duplicate: 0,
    spans_quarantined: 0,
    repairs: 0,
    requests: 0,
    retries: 0,
    open_traces: 0,
    open_spans: 0,
    held_bytes: 0,
    open_receipts: 0,
};
