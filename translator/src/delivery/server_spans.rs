//! What the answer of an MLflow server means for a batch: it is delivered, retried, or split until the faulty span is alone.

use super::answers::Verdict;
use super::batch::Batch;
use super::experiments;
use super::route::release;
use super::server::ServerDelivery;
use super::state::BridgeState;
use crate::assembly::trace::Trace;
use crate::contract::Instant;
use crate::mlflow::server::ServerVersion;

/// How long the bridge keeps optional requests that find no room, in milliseconds.
const OPTIONAL_AGE: u64 = 60_000;

impl ServerDelivery {
    pub(super) fn spans_answered(
        &mut self,
        state: &mut BridgeState,
        batch: Batch,
        verdict: &Verdict<'_>,
        now: Instant,
    ) {
        match verdict {
            Verdict::Accepted(_) => {
                self.succeed(state);
                delivered(state, &batch, self.version.or(self.last_version), now);
            }
            Verdict::Unavailable(failure) => {
                release(state, &batch);
                self.fail(state, failure, now);
            }
            Verdict::Refused { status, code, .. } if *status == 404 && code == "RESOURCE_DOES_NOT_EXIST" => {
                // The experiment went away after it was looked up; the next look says what to do.
                for id in batch.traces() {
                    if let Some(destination) = state.assembly.get(id).and_then(|trace| trace.destination.as_ref()) {
                        self.experiments.forget(&experiments::key(destination));
                    }
                }
                state.stats.retries += 1;
                release(state, &batch);
            }
            Verdict::Refused { status, reason, .. } => {
                let reason = format!("MLflow refuses this span ({status} {reason})");
                self.route.bisect(state, batch, &reason);
            }
            Verdict::Failed(failure) => self.route.failed(state, batch, failure, now),
        }
    }
}

fn delivered(state: &mut BridgeState, batch: &Batch, version: Option<ServerVersion>, now: Instant) {
    let version = version.unwrap_or(ServerVersion::CURRENT);
    let settings = state.settings.clone();
    let preview_deadline = now.saturating_add(settings.partial_ms);
    for items in batch.items.chunk_by(|a, b| a.trace == b.trace) {
        let Some(id) = items.first().map(|item| item.trace) else { continue };
        let info_follows = state.change(id, |trace| {
            let root_came_before = trace.root_delivered;
            trace.root_delivered |=
                items.iter().any(|item| trace.span_summary(item.span).is_some_and(|summary| summary.parent.is_none()));
            // The store may have derived other metadata from these spans.
            trace.info.stored = None;
            let required = requires_info(trace, root_came_before, version);
            let improves = trace.root_delivered && trace.lacks_previews();
            if !trace.info.has_optional() {
                trace.info.optional_deadline = now.saturating_add(OPTIONAL_AGE);
            }
            trace.info.needed |= required || improves;
            trace.info.required |= required;
            let can_improve = trace.root_delivered && trace.has_deferred_preview();
            if can_improve {
                trace.info.preview_deadline.get_or_insert(preview_deadline);
            }
            // An earlier deferred preview stays, even if the preview that replaced it needs no request.
            trace.info.preview_deadline.take_if(|_| trace.info.needed);
            trace.info.links_wanted |= version >= ServerVersion::PROMPT_LINKS && trace.has_unlinked_prompts();
            trace.info.holds_receipts(&settings)
        });
        for item in items {
            state.delivered(id, item.span, item.version, info_follows.unwrap_or(false));
        }
    }
    release(state, batch);
}

/// Whether MLflow would show something wrong without a complete trace info, because it cannot derive it from the spans.
fn requires_info(trace: &Trace, root_came_before: bool, version: ServerVersion) -> bool {
    if trace.info.sent || trace.closed {
        // MLflow derives nothing any more for a trace whose info it was given.
        return true;
    }
    let Some((_, root)) = trace.root().filter(|_| trace.root_delivered) else { return false };
    let nothing = Default::default();
    let has_preview = trace.trace_preview(&nothing).is_some();
    let preview_came_after_the_root = root_came_before && has_preview && !root.openinference;
    let resources_came_after_the_root = root_came_before && trace.resource_tags.are_mixed();
    let tags_cannot_travel_on_spans = version < ServerVersion::TRACE_TAGS && has_preview;
    preview_came_after_the_root
        || trace.lacks_prompts()
        || trace.has_several_roots()
        || resources_came_after_the_root
        || tags_cannot_travel_on_spans
        || trace.metadata.differs(version, trace.span_summaries())
}
