//! Looking a trace up before its trace info: to close it without a root, or to repeat its metadata to an old server.
//!
//! Of a distributed trace this bridge may see a part only. A complete trace info would overwrite what MLflow derived from
//! the rest, so MLflow is asked first.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::answers::Verdict;
use super::server::ServerDelivery;
use super::state::BridgeState;
use crate::assembly::ids::TraceId;
use crate::assembly::trace::info_state::StoredInfo;
use crate::contract::Instant;

/// What `GET api/3.0/mlflow/traces/{id}` answers, as far as it matters here.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Found {
    trace: FoundTrace,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct FoundTrace {
    trace_info: Described,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Described {
    state: String,
    trace_location: Location,
    trace_metadata: BTreeMap<String, String>,
    request_preview: Option<String>,
    response_preview: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Location {
    mlflow_experiment: LocatedExperiment,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct LocatedExperiment {
    experiment_id: String,
}

impl ServerDelivery {
    /// MLflow answered how it has a trace that the bridge wants to close. Another sender may have brought its root, and then it needs
    /// no closing; or its first spans, and then it stays in their experiment.
    pub(super) fn look_answered(&mut self, state: &mut BridgeState, id: TraceId, verdict: &Verdict<'_>, now: Instant) {
        state.change(id, |trace| trace.in_flight = trace.in_flight.saturating_sub(1));
        let found: Found = match verdict {
            Verdict::Accepted(response) => serde_json::from_slice(&response.body).unwrap_or_default(),
            Verdict::Refused { .. } => Found::default(),
            // The server cannot read the trace, and nothing is wrong without what is optional.
            Verdict::Failed(_) if state.assembly.get(id).is_some_and(|trace| !trace.info.required && !trace.closed) => {
                return state.drop_optional(id);
            }
            Verdict::Failed(failure) | Verdict::Unavailable(failure) => return self.fail(state, failure, now),
        };
        self.succeed(state);
        let Described { state: reported, trace_location, trace_metadata, request_preview, response_preview } =
            found.trace.trace_info;
        let must_close = state.change(id, |trace| {
            let metadata = trace_metadata.into_iter().collect();
            trace.info.stored = Some(StoredInfo { metadata, request_preview, response_preview });
            trace.must_look_up()
        });
        if must_close != Some(true) {
            return;
        }
        if !matches!(reported.as_str(), "" | "IN_PROGRESS" | "STATE_UNSPECIFIED") {
            return state.finish_trace_info(id);
        }
        state.notify_closed(id);
        let experiment_id = trace_location.mlflow_experiment.experiment_id;
        state.change(id, |trace| trace.info.found_in = Some(experiment_id).filter(|id| !id.is_empty()));
    }
}
