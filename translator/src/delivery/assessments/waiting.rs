//! An assessment's next step: at once, after a while, or never.

use super::Errand;
use crate::assembly::pending::{Entry, Step};
use crate::contract::Instant;
use crate::delivery::backoff;
use crate::delivery::desk::Desk;

/// What comes next, at once.
pub(super) fn go_on(desk: &mut Desk, errand: &Errand, step: Step) {
    progress(desk, errand, |entry| entry.step = step);
}

/// The assessment's trace is not there yet. It is given up when it could not for as long as a trace may be idle.
pub(super) fn wait(desk: &mut Desk, errand: &Errand, reason: &str, now: Instant) {
    let mut waited = 0;
    again(desk, errand, now, |entry| waited = now.saturating_sub(*entry.missing_since.get_or_insert(now)));
    if waited >= desk.settings.idle_ms {
        let reason = format!("{reason} (waited {} s)", waited / 1_000);
        desk.give_assessment_up(errand.trace, &errand.id, errand.version, &reason);
    }
}

/// Tries an assessment again after a while.
pub(super) fn again(desk: &mut Desk, errand: &Errand, now: Instant, change: impl FnOnce(&mut Entry)) {
    desk.stats.retries += 1;
    let failures = desk.assembly.get(errand.trace).and_then(|trace| trace.pending.get(&errand.id));
    let failures = failures.map_or(0, |entry| entry.failures).saturating_add(1);
    let not_before = now.saturating_add(backoff::delay(&desk.settings, failures));
    progress(desk, errand, |entry| {
        entry.failures = failures;
        entry.not_before = not_before;
        change(entry);
    });
}

/// Changes the assessment that was sent; a newer version that came meanwhile begins anew.
fn progress(desk: &mut Desk, errand: &Errand, change: impl FnOnce(&mut Entry)) {
    desk.change(errand.trace, |trace| {
        trace.pending.progress(&errand.id, |entry| {
            if entry.assessment.version == errand.version {
                change(entry);
            }
        });
    });
}
