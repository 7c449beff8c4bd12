//! Assessments in the local folder: in the file of the trace that they are about.

use super::waiting::wait;
use crate::assembly::ids::TraceId;
use crate::assembly::pending_assessments::Step;
use crate::assembly::trace::Trace;
use crate::contract::Instant;
use crate::delivery::purpose::AssessmentRequest;
use crate::delivery::state::BridgeState;
use crate::feedback::assessment::Assessment;
use crate::trace_json;

/// Feedback came before its trace has a file.
pub(in crate::delivery) fn no_file(state: &mut BridgeState, trace: TraceId, now: Instant) {
    for (id, version) in state.pending_assessments(trace) {
        let sent = AssessmentRequest { trace, id, version, step: Step::Create };
        wait(state, &sent, "the trace has no file", now);
    }
}

/// The assessments of a trace's file, and over them those that are held here: of one id the greater version.
pub(in crate::delivery) fn merged(file: Option<&[u8]>, open: &Trace) -> Vec<Assessment> {
    let stored = file.map(trace_json::assessments).unwrap_or_default();
    let mut all: Vec<_> = stored.into_iter().map(|(_, assessment)| assessment).collect();
    for held in open.pending.iter().map(|entry| &entry.assessment) {
        match all.iter_mut().find(|known| known.id == held.id) {
            Some(known) if known.version < held.version => known.clone_from(held),
            Some(_) => {}
            None => all.push(held.clone()),
        }
    }
    all
}
