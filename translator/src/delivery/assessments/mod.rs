//! Assessments to an MLflow server: one request each, after the spans of their trace.
//!
//! MLflow keeps the id that it is given and refuses a second assessment of that id. So a repetition is refused, and the
//! refusal (500, as MLflow 3.17 has it, like a failure) is looked into: the one that is there is the same or newer, or it
//! is older and goes first. An assessment whose trace is not there waits: the trace may come from elsewhere.

mod answers;
#[cfg(feature = "json")]
pub(super) mod folder;
mod session;
mod waiting;

use super::purpose::{AssessmentRequest, Purpose};
use super::requests::{self, Draft};
use super::server::{Outbox, ServerDelivery};
use super::state::BridgeState;
use crate::assembly::ids::TraceId;
use crate::assembly::pending_assessments::{Entry, Step};
use crate::contract::Instant;

impl ServerDelivery {
    /// Sends what is due of the assessments of these traces, at most so many. The spans of the traces are in MLflow, as far
    /// as they came.
    pub(super) fn send_assessments(
        &mut self,
        state: &mut BridgeState,
        out: &mut Outbox,
        traces: &[TraceId],
        most: usize,
        now: Instant,
    ) {
        let least = out.slots.saturating_sub(most);
        for trace in traces {
            let Some(open) = state.assembly.get(*trace).filter(|open| open.in_flight == 0) else { continue };
            let ready: Vec<_> = open.pending.ready(now).map(|entry| entry.assessment.id.clone()).collect();
            for id in ready {
                if out.slots <= least {
                    return;
                }
                self.send_assessment(state, out, *trace, id, now);
            }
        }
    }

    fn send_assessment(&mut self, state: &mut BridgeState, out: &mut Outbox, trace: TraceId, id: String, now: Instant) {
        let place = self.place_of_session(state, out, trace, &id, now);
        let Some(entry) = state.assembly.get(trace).and_then(|open| open.pending.get(&id)) else { return };
        let Some((step, draft)) = draft(trace, entry, place) else { return };
        let draft = draft.workspace(entry.workspace.as_deref());
        let sent = AssessmentRequest { trace, id, version: entry.assessment.version, step };
        self.send(state, out, draft, Purpose::Assessment(sent));
        state.change(trace, |open| open.in_flight += 1);
    }
}

/// The next request for an assessment, `place` being where to look for its session.
fn draft(trace: TraceId, entry: &Entry, place: session::Place) -> Option<(Step, Draft)> {
    let id = &entry.assessment.id;
    Some(match entry.step {
        Step::FindTrace => match place {
            session::Place::Unknown => return None,
            session::Place::Nowhere => (Step::Create, requests::create_assessment(trace, &entry.assessment)),
            session::Place::Search(draft) => (Step::FindTrace, draft),
        },
        Step::Create => (Step::Create, requests::create_assessment(trace, &entry.assessment)),
        Step::Look => (Step::Look, requests::find_assessment(trace, id)),
        Step::Remove => (Step::Remove, requests::remove_assessment(trace, id)),
    })
}
