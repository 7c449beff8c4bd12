//! What becomes of a parcel after MLflow's answer: delivered, held, or split until the span at fault stands alone.

use super::answers::{Trouble, Verdict};
use super::backoff;
use super::desk::Desk;
use super::experiments;
use super::parcel::Parcel;
use super::server::ServerDelivery;
use crate::assembly::trace::Trace;
use crate::contract::Instant;
use crate::mlflow::server::ServerVersion;

/// How often MLflow may fail on a request before it is split.
pub(super) const FAILURES_BEFORE_SPLIT: u32 = 2;
/// How often a request may be split without evidence that the server works otherwise.
const BLIND_SPLITS: u32 = 3;

impl ServerDelivery {
    pub(super) fn spans_answered(&mut self, desk: &mut Desk, parcel: Parcel, verdict: &Verdict<'_>, now: Instant) {
        match verdict {
            Verdict::Accepted(_) => {
                self.succeed(desk);
                delivered(desk, &parcel, self.version.or(self.last_version), now);
            }
            Verdict::Trouble(trouble) => {
                release(desk, &parcel);
                self.fail(desk, trouble, now);
            }
            Verdict::Refused { status, code, .. } if *status == 404 && code == "RESOURCE_DOES_NOT_EXIST" => {
                // The experiment went away after it was looked up; the next look says what to do.
                for id in parcel.traces() {
                    if let Some(route) = desk.assembly.get(id).and_then(|trace| trace.route.as_ref()) {
                        self.experiments.forget(&experiments::key(route));
                    }
                }
                desk.stats.retries += 1;
                release(desk, &parcel);
            }
            Verdict::Refused { status, reason, .. } => {
                let reason = format!("MLflow refuses this span ({status} {reason})");
                self.narrow(desk, parcel, &reason);
            }
            Verdict::Failed(trouble) => self.failed(desk, parcel, trouble, now),
        }
    }

    /// MLflow failed on the parcel: the parcel's fault if others succeed, the server's otherwise.
    fn failed(&mut self, desk: &mut Desk, mut parcel: Parcel, trouble: &Trouble, now: Instant) {
        parcel.failures += 1;
        let accepted_before = *parcel.accepted_before.get_or_insert(self.gate.successes);
        let others_succeed = self.gate.successes > accepted_before;
        let tried_enough = parcel.failures > FAILURES_BEFORE_SPLIT;
        if tried_enough && others_succeed {
            let reason = "MLflow fails on this span (500) while it takes others";
            return self.narrow(desk, parcel, reason);
        }
        if tried_enough && parcel.items.len() > 1 && parcel.blind_splits < BLIND_SPLITS {
            parcel.blind_splits += 1;
            self.fail(desk, trouble, now);
            return self.narrow(desk, parcel, "");
        }
        parcel.not_before = now.saturating_add(backoff::delay(&desk.settings, parcel.failures));
        if others_succeed {
            desk.stats.retries += 1;
        } else {
            self.fail(desk, trouble, now);
        }
        self.suspects.push(parcel);
    }

    /// Splits a parcel; a single span is given up for this reason.
    fn narrow(&mut self, desk: &mut Desk, parcel: Parcel, reason: &str) {
        let Some((left, right)) = parcel.split() else {
            for item in &parcel.items {
                desk.give_up(item.trace, item.span, item.version, reason);
            }
            return release(desk, &parcel);
        };
        desk.stats.retries += 1;
        for half in [left, right] {
            for id in half.traces() {
                desk.change(id, |trace| trace.under_way += 1);
            }
            self.suspects.push(half);
        }
        release(desk, &parcel);
    }
}

/// The parcel is no longer under way.
fn release(desk: &mut Desk, parcel: &Parcel) {
    for id in parcel.traces() {
        desk.change(id, |trace| trace.under_way = trace.under_way.saturating_sub(1));
    }
}

fn delivered(desk: &mut Desk, parcel: &Parcel, version: Option<ServerVersion>, now: Instant) {
    let version = version.unwrap_or(ServerVersion::CURRENT);
    let polish_until = now.saturating_add(desk.settings.partial_ms);
    for items in parcel.items.chunk_by(|a, b| a.trace == b.trace) {
        let Some(id) = items.first().map(|item| item.trace) else { continue };
        let info_follows = desk.change(id, |trace| {
            let root_came_before = trace.root_delivered;
            trace.root_delivered |=
                items.iter().any(|item| trace.outline(item.span).is_some_and(|outline| outline.parent.is_none()));
            trace.info.wanted |= wants_info(trace, root_came_before, version);
            let is_polished = trace.root_delivered && trace.has_previews_to_polish();
            if is_polished {
                trace.info.polish_until.get_or_insert(polish_until);
            }
            // An earlier one that waits stays, though another headline may need none: receipts wait for it.
            trace.info.polish_until.take_if(|_| trace.info.wanted);
            trace.info.links_wanted |= version >= ServerVersion::PROMPT_LINKS && trace.has_unlinked_prompts();
            !trace.info.is_settled()
        });
        for item in items {
            desk.delivered(id, item.span, item.version, info_follows.unwrap_or(false));
        }
    }
    release(desk, parcel);
}

/// Whether MLflow needs a complete trace info, because it cannot derive it from the spans.
///
/// A request more for each such trace: only where the OTLP path cannot carry the information.
fn wants_info(trace: &Trace, root_came_before: bool, version: ServerVersion) -> bool {
    if trace.info.sent || trace.closed {
        // MLflow derives nothing any more for a trace whose info it was given.
        return true;
    }
    let Some((_, root)) = trace.root().filter(|_| trace.root_delivered) else { return false };
    let nothing = Default::default();
    let has_headline = trace.headline(&nothing).is_some();
    let headline_came_after_the_root = root_came_before && has_headline && !root.openinference;
    let resources_came_after_the_root = root_came_before && trace.mixed_resources;
    let tags_cannot_travel_on_spans = version < ServerVersion::TRACE_TAGS && has_headline;
    headline_came_after_the_root
        || trace.lacks_previews()
        || trace.lacks_prompts()
        || trace.has_several_roots()
        || resources_came_after_the_root
        || tags_cannot_travel_on_spans
}
