//! An assessment's next step: at once, after a while, or never.

use crate::assembly::pending_assessments::{Entry, Step};
use crate::contract::Instant;
use crate::delivery::backoff;
use crate::delivery::purpose::AssessmentRequest;
use crate::delivery::state::BridgeState;

/// What comes next, at once.
pub(super) fn go_on(state: &mut BridgeState, sent: &AssessmentRequest, step: Step) {
    progress(state, sent, |entry| entry.step = step);
}

/// The assessment's trace is not there yet. It is given up when it could not for as long as a trace may be idle.
pub(super) fn wait(state: &mut BridgeState, sent: &AssessmentRequest, reason: &str, now: Instant) {
    let mut waited = 0;
    again(state, sent, now, |entry| waited = now.saturating_sub(*entry.missing_since.get_or_insert(now)));
    if waited >= state.settings.idle_ms {
        let reason = format!("{reason} (waited {} s)", waited / 1_000);
        state.quarantine_assessment(sent.trace, &sent.id, sent.version, &reason);
    }
}

/// Tries an assessment again after a while.
pub(super) fn again(state: &mut BridgeState, sent: &AssessmentRequest, now: Instant, change: impl FnOnce(&mut Entry)) {
    state.stats.retries += 1;
    let failures = state.assembly.get(sent.trace).and_then(|trace| trace.pending.get(&sent.id));
    let failures = failures.map_or(0, |entry| entry.failures).saturating_add(1);
    let not_before = now.saturating_add(backoff::delay(&state.settings, failures));
    progress(state, sent, |entry| {
        entry.failures = failures;
        entry.not_before = not_before;
        change(entry);
    });
}

/// Changes the assessment that was sent; a newer version that came meanwhile begins anew.
fn progress(state: &mut BridgeState, sent: &AssessmentRequest, change: impl FnOnce(&mut Entry)) {
    state.change(sent.trace, |trace| {
        trace.pending.progress(&sent.id, |entry| {
            if entry.assessment.version == sent.version {
                change(entry);
            }
        });
    });
}
