//! The way to a destination: whether it is open, and the batches that the destination refused or failed on.
//!
//! A failure that concerns every request shuts the [`Gate`]; what was under way is due again. A refusal splits the request
//! until the span that is refused is alone; that span is quarantined. A request that the destination *fails* on (500) is
//! split only when other requests succeed meanwhile, or, a few times, to find out: an outage must not cut everything into
//! single spans.

use super::answers::Failure;
use super::backoff;
use super::batch::Batch;
use super::gate::Gate;
use super::state::BridgeState;
use crate::contract::Instant;

/// How often the destination may fail on a request before it is split.
pub const FAILURES_BEFORE_SPLIT: u32 = 2;
/// How often a request may be split without evidence that the destination works otherwise.
const BLIND_SPLITS: u32 = 3;

/// The state of the way to a destination.
#[derive(Debug, Default)]
pub struct Route {
    /// Whether the destination is worth talking to.
    pub gate: Gate,
    /// Batches that the destination refused or failed on, whole or in halves. Their traces count as under way.
    suspects: Vec<Batch>,
}

impl Route {
    /// Whether no batch waits for another attempt.
    pub fn has_no_suspects(&self) -> bool {
        self.suspects.is_empty()
    }

    /// The next batch whose time for another attempt has come.
    pub fn take_suspect(&mut self, now: Instant) -> Option<Batch> {
        let index = self.suspects.iter().position(|batch| batch.not_before <= now)?;
        Some(self.suspects.remove(index))
    }

    /// When something that waits is to be tried.
    pub fn next_retry(&self, now: Instant) -> Option<Instant> {
        let suspects = self.suspects.iter().map(|batch| batch.not_before);
        self.gate.opens_at(now).or_else(|| suspects.filter(|at| *at > now).min())
    }

    /// Try at once what waits for its time.
    pub fn retry_now(&mut self, now: Instant) {
        self.gate.retry_now(now);
        for batch in &mut self.suspects {
            batch.not_before = batch.not_before.min(now);
        }
    }

    /// The destination accepted a request.
    pub fn succeed(&mut self, state: &mut BridgeState) {
        state.notice(self.gate.succeed());
    }

    /// Nothing can be delivered now.
    pub fn fail(&mut self, state: &mut BridgeState, failure: &Failure, now: Instant) {
        state.stats.retries += 1;
        let notice = self.gate.fail(failure, &state.settings, now);
        state.notice(notice);
    }

    /// The destination failed on the batch: the batch's fault if others succeed, the destination's otherwise.
    pub fn failed(&mut self, state: &mut BridgeState, mut batch: Batch, failure: &Failure, now: Instant) {
        batch.failures += 1;
        let accepted_before = *batch.accepted_before.get_or_insert(self.gate.successes);
        let others_succeed = self.gate.successes > accepted_before;
        let tried_enough = batch.failures > FAILURES_BEFORE_SPLIT;
        if tried_enough && others_succeed {
            let reason = "MLflow fails on this span (500) while it takes others";
            return self.bisect(state, batch, reason);
        }
        if tried_enough && batch.items.len() > 1 && batch.blind_splits < BLIND_SPLITS {
            batch.blind_splits += 1;
            self.fail(state, failure, now);
            return self.bisect(state, batch, "");
        }
        batch.not_before = now.saturating_add(backoff::delay(&state.settings, batch.failures));
        if others_succeed {
            state.stats.retries += 1;
        } else {
            self.fail(state, failure, now);
        }
        self.suspects.push(batch);
    }

    /// Splits a batch; quarantines a single span for this reason.
    pub fn bisect(&mut self, state: &mut BridgeState, batch: Batch, reason: &str) {
        let Some((left, right)) = batch.split() else {
            for item in &batch.items {
                state.quarantine_span(item.trace, item.span, item.version, reason);
            }
            return release(state, &batch);
        };
        state.stats.retries += 1;
        for half in [left, right] {
            hold(state, &half);
            self.suspects.push(half);
        }
        release(state, &batch);
    }
}

/// The batch is under way, or waits for another attempt.
pub fn hold(state: &mut BridgeState, batch: &Batch) {
    for id in batch.traces() {
        state.change(id, |trace| trace.in_flight += 1);
    }
}

/// The batch is no longer under way.
pub fn release(state: &mut BridgeState, batch: &Batch) {
    for id in batch.traces() {
        state.change(id, |trace| trace.in_flight = trace.in_flight.saturating_sub(1));
    }
}
