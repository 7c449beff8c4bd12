//! Which trace an assessment of a session goes to: the one that has it already, else the session's newest that MLflow
//! knows, else the carrier's own.

use serde::Deserialize;
use serde_json::Value;

use crate::assembly::ids::TraceId;
use crate::assembly::pending_assessments::Step;
use crate::contract::{Instant, Response};
use crate::delivery::experiments::Resolution;
use crate::delivery::purpose::AssessmentRequest;
use crate::delivery::requests::{self, Draft};
use crate::delivery::server::{Outbox, ServerDelivery};
use crate::delivery::state::BridgeState;

/// Where to look for a session.
#[derive(Debug)]
pub(super) enum Place {
    /// Its experiment is not known yet.
    Unknown,
    /// It cannot be searched for.
    Nowhere,
    /// By this request.
    Search(Draft),
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Found {
    traces: Vec<FoundTrace>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct FoundTrace {
    trace_id: String,
    assessments: Vec<Value>,
}

impl ServerDelivery {
    /// Where to look for the session of an assessment, if it is about one that was not looked for yet.
    pub(super) fn place_of_session(
        &mut self,
        state: &mut BridgeState,
        out: &mut Outbox,
        trace: TraceId,
        id: &str,
        now: Instant,
    ) -> Place {
        let Some(open) = state.assembly.get(trace) else { return Place::Unknown };
        let entry = open.pending.get(id).filter(|entry| entry.step == Step::FindTrace);
        let Some(session) = entry.and_then(|entry| entry.session.clone()) else { return Place::Nowhere };
        let destination = open
            .destination
            .clone()
            .unwrap_or_else(|| open.requested.resolve(&state.settings, open.project().as_deref()));
        if matches!(self.experiments.resolve(&destination, now), Resolution::Refused(_)) {
            return Place::Nowhere;
        }
        match self.experiment_id(state, out, trace, &destination, now) {
            Some(experiment_id) => {
                requests::find_session(&experiment_id, &session).map_or(Place::Nowhere, Place::Search)
            }
            None => Place::Unknown,
        }
    }
}

/// MLflow answered the search for the session's traces: the assessment moves to the one that it belongs to.
pub(super) fn found(state: &mut BridgeState, sent: &AssessmentRequest, response: &Response, now: Instant) {
    let Found { traces } = serde_json::from_slice(&response.body).unwrap_or_default();
    let has_it = |found: &&FoundTrace| {
        let ids = found.assessments.iter().filter_map(|assessment| assessment.get("assessment_id")?.as_str());
        ids.into_iter().any(|id| id == sent.id)
    };
    let chosen = traces.iter().find(has_it).or(traces.first());
    let target = chosen.and_then(|found| trace_id(&found.trace_id)).unwrap_or(sent.trace);
    let entry = state.change(sent.trace, |open| open.pending.mark_delivered(&sent.id, sent.version)).flatten();
    if let Some(mut entry) = entry {
        entry.step = Step::Create;
        state.assembly.assess(target, entry, &state.settings, now);
    }
}

fn trace_id(text: &str) -> Option<TraceId> {
    let digits = text.strip_prefix("tr-").filter(|digits| digits.len() == 32)?;
    TraceId::new(&u128::from_str_radix(digits, 16).ok()?.to_be_bytes())
}
