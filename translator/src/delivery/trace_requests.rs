//! Requests for one trace after its spans: look it up, write its trace info, link it to prompts.
//!
//! They are sent one after the other. A refusal costs no span: the bridge reports it and leaves the trace as it is.

use super::answers::Verdict;
use super::purpose::Purpose;
use super::requests;
use super::route::FAILURES_BEFORE_SPLIT;
use super::server::{Outbox, ServerDelivery};
use super::state::BridgeState;
use crate::assembly::destination::TraceDestination;
use crate::assembly::ids::TraceId;
use crate::assembly::info;
use crate::assembly::trace::info_state::StoredInfo;
use crate::assembly::trace_update::TraceUpdate;
use crate::contract::{Instant, Level, Notice};
use crate::mlflow::server::ServerVersion;
use crate::mlflow::trace_info::TraceInfo;

impl ServerDelivery {
    /// Media of a trace whose spans wait for it; or the next of them for a trace whose spans were all sent. At most so many
    /// requests. Returns whether some are left.
    pub(super) fn send_trace_request(
        &mut self,
        state: &mut BridgeState,
        out: &mut Outbox,
        (id, experiment_id, destination): (TraceId, &str, &TraceDestination),
        most: usize,
        now: Instant,
    ) -> bool {
        let Some(trace) = state.assembly.get(id) else { return false };
        if most.min(out.slots) == 0 {
            return true;
        }
        if trace.unsent_count() > 0 {
            return self.send_attachments(state, out, id, (destination, most), now);
        }
        let repeats_metadata = self.version.is_some_and(|version| version < ServerVersion::KEEPS_METADATA);
        let needs_info = trace.info.needed || trace.info.preview_deadline.is_some();
        let must_read = needs_info && repeats_metadata && trace.info.stored.is_none();
        let (draft, purpose) = if trace.must_look_up() || must_read {
            (requests::find_trace(id), Purpose::Look(id))
        } else if needs_info {
            let experiment_id = trace.info.found_in.as_deref().unwrap_or(experiment_id);
            let mut info = info::of(id, trace, &TraceUpdate::default(), experiment_id);
            info.metadata = trace.metadata.entries(trace.span_summaries());
            if let Some(stored) = &trace.info.stored {
                repeat(stored, &mut info);
            }
            (requests::trace_info(&info), Purpose::Info(id))
        } else {
            (requests::link_prompts(id, &trace.prompts), Purpose::Links(id))
        };
        self.send(state, out, draft.workspace(destination.workspace.as_deref()), purpose);
        state.change(id, |trace| trace.in_flight += 1);
        false
    }

    /// Sends trace infos that only make previews nicer, while the server is idle.
    pub(super) fn send_deferred_previews(
        &mut self,
        state: &mut BridgeState,
        out: &mut Outbox,
        deferred_previews: &[TraceId],
        now: Instant,
    ) {
        for id in deferred_previews {
            let Some(destination) = state.assembly.get(*id).and_then(|trace| trace.destination.clone()) else {
                continue;
            };
            if let Some(experiment_id) = self.experiment_id(state, out, *id, &destination, now) {
                self.send_trace_request(state, out, (*id, &experiment_id, &destination), 1, now);
            }
        }
    }

    /// Sends optional requests of traces, `most` at most.
    pub(super) fn send_optional(&mut self, state: &mut BridgeState, out: &mut Outbox, most: usize, now: Instant) {
        for id in state.assembly.optional(most.min(out.slots)) {
            let Some(destination) = state.assembly.get(id).and_then(|trace| trace.destination.clone()) else {
                continue;
            };
            if let Some(experiment_id) = self.experiment_id(state, out, id, &destination, now) {
                self.send_trace_request(state, out, (id, &experiment_id, &destination), 1, now);
            }
        }
    }

    pub(super) fn info_answered(&mut self, state: &mut BridgeState, id: TraceId, verdict: &Verdict<'_>, now: Instant) {
        let optional = state.assembly.get(id).is_some_and(|trace| !trace.info.required && !trace.closed);
        state.change(id, |trace| trace.info.stored = None);
        match self.evaluate(state, id, verdict, optional, now) {
            Some(RequestOutcome::Accepted) => {
                state.change(id, |trace| trace.info.sent = true);
            }
            Some(RequestOutcome::Refused(reason)) => refused(state, id, "its name, tags and previews", reason),
            None => return,
        }
        state.finish_trace_info(id);
    }

    pub(super) fn links_answered(&mut self, state: &mut BridgeState, id: TraceId, verdict: &Verdict<'_>, now: Instant) {
        // Servers that speak MLflow's API without this endpoint answer with their own page: nothing else waits for that.
        let verdict = match verdict {
            Verdict::Unavailable(failure) if failure.topic == "not-mlflow" => {
                &Verdict::Refused { status: 404, code: String::new(), reason: "nothing of MLflow answers there".into() }
            }
            verdict => verdict,
        };
        match self.evaluate(state, id, verdict, true, now) {
            Some(RequestOutcome::Accepted) => {}
            Some(RequestOutcome::Refused(reason)) => refused(state, id, "its links to prompts", reason),
            None => return,
        }
        // Refused ones are not asked for again.
        state.change(id, |trace| trace.info.linked = trace.prompts.len());
        state.finish_prompt_links(id);
    }

    /// The outcome of such a request; `None` if it is sent again.
    fn evaluate<'v>(
        &mut self,
        state: &mut BridgeState,
        id: TraceId,
        verdict: &'v Verdict<'_>,
        optional: bool,
        now: Instant,
    ) -> Option<RequestOutcome<'v>> {
        state.change(id, |trace| trace.in_flight = trace.in_flight.saturating_sub(1));
        match verdict {
            Verdict::Accepted(_) => {
                self.succeed(state);
                return Some(RequestOutcome::Accepted);
            }
            Verdict::Refused { reason, .. } => return Some(RequestOutcome::Refused(reason)),
            Verdict::Unavailable(failure) => self.fail(state, failure, now),
            // Nothing is wrong without it, so that a second attempt is not worth its cost.
            Verdict::Failed(_) if optional => return Some(RequestOutcome::Refused("the server fails on it")),
            Verdict::Failed(failure) => {
                let failures = state.change(id, |trace| {
                    trace.info.failures += 1;
                    trace.info.failures
                });
                if failures.is_some_and(|failures| failures > FAILURES_BEFORE_SPLIT) {
                    return Some(RequestOutcome::Refused("the server fails on it"));
                }
                self.fail(state, failure, now);
            }
        }
        None
    }
}

enum RequestOutcome<'v> {
    Accepted,
    Refused(&'v str),
}

/// Adds what MLflow has of a trace and the info does not say.
fn repeat(stored: &StoredInfo, info: &mut TraceInfo) {
    for (key, value) in &stored.metadata {
        if !info.metadata.iter().any(|(known, _)| known == key) {
            info.metadata.push((key.clone(), value.clone()));
        }
    }
    info.request_preview = info.request_preview.take().or_else(|| stored.request_preview.clone());
    info.response_preview = info.response_preview.take().or_else(|| stored.response_preview.clone());
}

fn refused(state: &mut BridgeState, id: TraceId, what: &str, reason: &str) {
    let message = format!("MLflow has the spans of trace tr-{id} but refused {what}: {reason}");
    state.notice(Some(Notice { level: Level::Warn, topic: "trace-info", message }));
}
