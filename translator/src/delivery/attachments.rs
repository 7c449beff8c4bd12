//! Media of a trace, sent as attachments before the spans that refer to it.
//!
//! An attachment is a file below its trace's artifacts. Where MLflow hands artifacts on (the experiment's artifact location is
//! `mlflow-artifacts:`), it takes the file by `PUT`; where its clients would write to the store themselves, media stays in the
//! spans. It also stays there when MLflow refuses it, or fails on it again and again: nothing is lost by that, and nobody waits.

use super::answers::{Failure, Verdict};
use super::backoff;
use super::experiments::{self, Artifacts, ExperimentQuery};
use super::purpose::{Purpose, Upload};
use super::requests;
use super::server::{Outbox, ServerDelivery};
use super::state::BridgeState;
use crate::assembly::destination::TraceDestination;
use crate::assembly::ids::TraceId;
use crate::contract::{Answer, Instant, Level, Notice};
use crate::mapping::media::{AttachmentId, AttachmentLimits};
use crate::mlflow::server::ServerVersion;
use crate::otlp::base64;

/// How often sending an attachment may fail.
const FAILURES: u32 = 5;

impl ServerDelivery {
    /// Whether media of a trace is to be sent before its spans are; finds it, and asks for what it needs.
    pub(super) fn needs_attachments(
        &mut self,
        state: &mut BridgeState,
        out: &mut Outbox,
        trace: TraceId,
        (destination, version): (&TraceDestination, ServerVersion),
        now: Instant,
    ) -> bool {
        if !state.settings.attachments || version < ServerVersion::ATTACHMENTS {
            return false;
        }
        let limits = AttachmentLimits::of(&state.settings);
        let has_wanted = state.change(trace, |open| {
            open.find_media(trace, limits);
            open.media.wanted().next().is_some()
        });
        has_wanted == Some(true)
            && match self.experiments.artifacts(destination, now) {
                Artifacts::Proxied(_) => true,
                Artifacts::Elsewhere => false,
                Artifacts::Unknown => {
                    let key = experiments::key(destination);
                    let draft = self.experiments.ask(&key, ExperimentQuery::FindAgain);
                    self.send(state, out, draft, Purpose::Experiment(key, ExperimentQuery::FindAgain));
                    true
                }
            }
    }

    /// Sends media of a trace, at most so many pieces. Returns whether some is left.
    pub(super) fn send_attachments(
        &mut self,
        state: &mut BridgeState,
        out: &mut Outbox,
        trace: TraceId,
        (destination, most): (&TraceDestination, usize),
        now: Instant,
    ) -> bool {
        let Artifacts::Proxied(root) = self.experiments.artifacts(destination, now) else { return false };
        let Some(open) = state.assembly.get(trace) else { return false };
        let wanted: Vec<AttachmentId> = open.media.wanted().collect();
        let mut sent = 0;
        for id in &wanted {
            let Some(open) = state.assembly.get(trace).filter(|_| sent < most.min(out.slots)) else { return true };
            let Some(body) = open.media_text(*id).and_then(base64::decode) else {
                state.change(trace, |open| open.media.stays(*id));
                continue;
            };
            let draft = requests::attachment(&root, trace, *id, body).workspace(destination.workspace.as_deref());
            self.send(
                state,
                out,
                draft,
                Purpose::Attachment(Upload { trace, id: *id, destination: destination.clone() }),
            );
            sent += 1;
            state.change(trace, |open| {
                open.destination = Some(destination.clone());
                open.media.sent(*id);
                open.in_flight += 1;
            });
        }
        false
    }

    pub(super) fn attachment_answered(
        &mut self,
        state: &mut BridgeState,
        upload: &Upload,
        answer: &Answer,
        verdict: &Verdict<'_>,
        now: Instant,
    ) {
        state.change(upload.trace, |trace| trace.in_flight = trace.in_flight.saturating_sub(1));
        match (refusal(answer), verdict) {
            (None, Verdict::Accepted(_)) => {
                self.succeed(state);
                state.change(upload.trace, |trace| trace.media.attached(upload.id));
                let message = format!(
                    "media of {} bytes or more goes to MLflow as attachments, to which the spans refer",
                    state.settings.attachment_min_bytes
                );
                self.notify_attachments(state, Level::Info, message);
            }
            (Some(status @ 413), _) => {
                state.change(upload.trace, |trace| trace.media.stays(upload.id));
                self.notify_attachments(state, Level::Warn, stays(&format!("{status}: it is too large")));
            }
            (Some(status), _) => self.attachments_refused(state, upload, &format!("{status}")),
            (None, Verdict::Refused { status, .. }) => self.attachments_refused(state, upload, &format!("{status}")),
            (None, Verdict::Failed(failure)) => {
                let failures = self.attachment_failed(state, upload, failure);
                let until = now.saturating_add(backoff::delay(&state.settings, failures));
                state.stats.retries += 1;
                state.change(upload.trace, |trace| trace.hold_until = until);
            }
            (None, Verdict::Unavailable(failure)) => {
                let failures = self.attachment_failed(state, upload, failure);
                self.fail(state, failure, now);
                // Others go first: perhaps it is the size that does not come through, and they show that the server is there.
                let opens = self.route.gate.opens_at(now).unwrap_or(now);
                let until = opens.saturating_add(backoff::delay(&state.settings, failures));
                state.change(upload.trace, |trace| trace.hold_until = until);
                // Before it is sent again the server must have answered something that is small.
                self.version = None;
            }
        }
    }

    /// Counts a failure, and leaves the media in the spans after so many of them. Returns how many.
    fn attachment_failed(&mut self, state: &mut BridgeState, upload: &Upload, failure: &Failure) -> u32 {
        let failures = state.change(upload.trace, |trace| trace.media.failed(upload.id)).unwrap_or_default();
        if failures >= FAILURES {
            self.attachments_refused(state, upload, &format!("it failed {failures} times: {}", failure.topic));
        }
        failures
    }

    /// No media of the experiment is sent until it is looked up again.
    fn attachments_refused(&mut self, state: &mut BridgeState, upload: &Upload, why: &str) {
        state.change(upload.trace, |trace| trace.media.stays(upload.id));
        self.experiments.disable_artifacts(&experiments::key(&upload.destination));
        self.notify_attachments(state, Level::Warn, stays(why));
    }

    fn notify_attachments(&mut self, state: &mut BridgeState, level: Level, message: String) {
        if self.last_attachment_notice != message {
            self.last_attachment_notice.clone_from(&message);
            state.notice(Some(Notice { level, topic: "attachments", message }));
        }
    }
}

fn stays(why: &str) -> String {
    format!("MLflow does not take media as attachments ({why}); it stays in the spans")
}

/// The status of an answer that says no for good: of MLflow, which may also have no artifacts to serve (503), or of what is in
/// front of it.
fn refusal(answer: &Answer) -> Option<u16> {
    let Answer::Response(response) = answer else { return None };
    let is_disabled = || String::from_utf8_lossy(&response.body).contains("--serve-artifacts");
    match response.status {
        status @ (400 | 403..=405 | 413 | 501) => Some(status),
        503 if is_disabled() => Some(503),
        _ => None,
    }
}
