//! Delivery to Unity Catalog of a Databricks workspace: spans, into a table that a header names.
//!
//! The table takes spans and nothing else. It knows no experiments (one is linked to it), derives what MLflow shows of a
//! trace by itself, and has no place for media; feedback stays on the span that carries it.

use std::collections::BTreeMap;

use super::answers::{Failure, Peer, Verdict, judge};
use super::batch::{Address, Batch, Batcher, Item};
use super::route::{self, Route};
use super::state::BridgeState;
use super::{payload, requests};
use crate::assembly::compose::ComposeOptions;
use crate::assembly::ids::TraceId;
use crate::contract::{Answer, Instant, Level, Notice, Request};
use crate::mlflow::server::Reader;
use crate::settings::Settings;

/// How many traces with feedback one poll looks at.
const MOST_TO_ASSESS: usize = 4_096;

/// The state of the delivery.
#[derive(Debug)]
pub struct TableDelivery {
    table: String,
    last_id: u64,
    in_flight: BTreeMap<u64, Batch>,
    route: Route,
    /// Whether the operator knows that feedback becomes no assessments.
    feedback_noticed: bool,
}

impl TableDelivery {
    /// The delivery to the table of a trace location: `catalog.schema` or `catalog.schema.prefix`.
    pub fn new(location: &str) -> Self {
        Self {
            table: table(location),
            last_id: 0,
            in_flight: BTreeMap::new(),
            route: Route::default(),
            feedback_noticed: false,
        }
    }

    /// The requests to perform now, for the traces that are due.
    pub fn poll(&mut self, state: &mut BridgeState, now: Instant) -> Vec<Request> {
        self.leave_feedback(state, now);
        let slots = self.route.gate.limit(&state.settings, now).saturating_sub(self.in_flight.len());
        // Suspects have their turn under any load, and leave room for others.
        let first = if self.route.gate.is_well() { slots.div_ceil(2) } else { 0 };
        let mut batches = self.suspects(first, now);
        batches.extend(due(state, slots.saturating_sub(batches.len()), now));
        batches.extend(self.suspects(slots.saturating_sub(batches.len()), now));
        batches.into_iter().map(|batch| self.send(state, batch)).collect()
    }

    fn suspects(&mut self, most: usize, now: Instant) -> Vec<Batch> {
        std::iter::from_fn(|| self.route.take_suspect(now)).take(most).collect()
    }

    fn send(&mut self, state: &mut BridgeState, batch: Batch) -> Request {
        let openinference_only = state.settings.openinference_only;
        let options = ComposeOptions { openinference_only, previews: false, metadata: false };
        let body = payload::of(state, &batch, Reader::UnityCatalog, options);
        self.last_id += 1;
        self.in_flight.insert(self.last_id, batch);
        requests::table_spans(&self.table, body).finish(self.last_id, state.settings.timeout_ms)
    }

    /// When something that waits is to be tried.
    pub fn next_retry(&self, now: Instant) -> Option<Instant> {
        self.route.next_retry(now)
    }

    /// Try at once what waits for its time.
    pub fn retry_now(&mut self, now: Instant) {
        self.route.retry_now(now);
    }

    /// What became of a request.
    pub fn complete(&mut self, state: &mut BridgeState, request: u64, answer: &Answer, now: Instant) {
        let Some(batch) = self.in_flight.remove(&request) else { return };
        match judge(answer, Peer::Databricks, now) {
            Verdict::Accepted(_) => {
                self.route.succeed(state);
                for item in &batch.items {
                    state.delivered(item.trace, item.span, item.version, false);
                }
                route::release(state, &batch);
            }
            Verdict::Unavailable(failure) => self.fail(state, &batch, &failure, now),
            // What is wrong with the table is wrong for all spans, which wait until it is mended.
            Verdict::Refused { status: status @ (403 | 404), reason, .. } => {
                let message = format!(
                    "the table {} is missing, or this token may not write it ({status} {reason}); spans are held",
                    self.table
                );
                let failure = Failure { topic: "table", level: Level::Error, message, retry_after: None };
                self.fail(state, &batch, &failure, now);
            }
            Verdict::Refused { status, reason, .. } => {
                let reason = format!("the Databricks workspace refuses this span ({status} {reason})");
                self.route.bisect(state, batch, &reason);
            }
            Verdict::Failed(failure) => self.route.failed(state, batch, &failure, now),
        }
    }

    fn fail(&mut self, state: &mut BridgeState, batch: &Batch, failure: &Failure, now: Instant) {
        route::release(state, batch);
        self.route.fail(state, failure, now);
    }

    /// Feedback that a sent span carries is in the table; other feedback leaves with the reason.
    fn leave_feedback(&mut self, state: &mut BridgeState, now: Instant) {
        for trace in state.assembly.to_assess(now, MOST_TO_ASSESS) {
            for (id, version) in state.pending_assessments(trace) {
                let entry = state.assembly.get(trace).and_then(|open| open.pending.get(&id));
                let carrier = entry.and_then(|entry| entry.carrier.as_ref());
                if !carrier.is_some_and(|carrier| carrier.sent) {
                    state.quarantine_assessment(trace, &id, version, "a table of Unity Catalog takes spans alone");
                    continue;
                }
                state.assessment_delivered(trace, &id, version);
                if !std::mem::replace(&mut self.feedback_noticed, true) {
                    let message = "a table of Unity Catalog takes spans alone: feedback stays on the spans that carry \
                                   it and becomes no assessments";
                    state.notice(Some(Notice { level: Level::Warn, topic: "assessment", message: message.to_owned() }));
                }
            }
        }
    }
}

/// Packs the spans of traces that are due into batches, at most so many, which count as under way.
fn due(state: &mut BridgeState, most: usize, now: Instant) -> Vec<Batch> {
    if most == 0 {
        return Vec::new();
    }
    let Settings { batch_spans, batch_bytes, .. } = state.settings;
    let mut batcher = Batcher::new(most, batch_spans, batch_bytes);
    let address = Address::default();
    for id in state.due(now) {
        if batcher.is_full() {
            break;
        }
        let unsent = state.assembly.get(id).map(|trace| trace.unsent()).unwrap_or_default();
        if unsent.is_empty() {
            close(state, id);
        }
        for (span, version, bytes) in unsent {
            batcher.add(&address, Item { trace: id, span, version }, bytes);
        }
    }
    let batches: Vec<_> = batcher.finish().collect();
    batches.iter().for_each(|batch| route::hold(state, batch));
    batches
}

/// A trace whose spans are sent needs nothing more.
fn close(state: &mut BridgeState, id: TraceId) {
    if state.assembly.get(id).is_some_and(|trace| trace.must_look_up()) {
        state.notify_closed(id);
    }
    state.finish_trace_info(id);
}

/// The table with the spans of a trace location, as MLflow's own client (3.17, `mlflow/entities/trace_location.py`) and
/// the tables that a workspace makes for a prefix are named.
fn table(location: &str) -> String {
    match location.matches('.').count() {
        1 => format!("{location}.mlflow_experiment_trace_otel_spans"),
        _ => format!("{location}_otel_spans"),
    }
}
