//! Media of a trace, sent as attachments before the spans that refer to it.
//!
//! An attachment is a file below its trace's artifacts. Where MLflow hands artifacts on (the experiment's artifact location is
//! `mlflow-artifacts:`), it takes the file by `PUT`; where its clients would write to the store themselves, media stays in the
//! spans. It also stays there when MLflow refuses it, or fails on it again and again: nothing is lost by that, and nobody waits.

use super::answers::{Trouble, Verdict};
use super::backoff;
use super::desk::Desk;
use super::experiments::{self, Artifacts, Question};
use super::requests;
use super::server::{Outbox, Purpose, ServerDelivery};
use crate::assembly::ids::TraceId;
use crate::assembly::route::Route;
use crate::contract::{Answer, Instant, Level, Notice};
use crate::mapping::media::{AttachmentId, AttachmentLimits};
use crate::mlflow::server::ServerVersion;
use crate::otlp::base64;

/// How often sending an attachment may fail.
const FAILURES: u32 = 5;

/// A request that carries an attachment.
#[derive(Clone, Debug)]
pub(super) struct Upload {
    trace: TraceId,
    id: AttachmentId,
    route: Route,
}

impl ServerDelivery {
    /// Whether media of a trace is to be sent before its spans are; finds it, and asks for what it needs.
    pub(super) fn must_attach(
        &mut self,
        desk: &mut Desk,
        out: &mut Outbox,
        trace: TraceId,
        (route, version): (&Route, ServerVersion),
        now: Instant,
    ) -> bool {
        if !desk.settings.attachments || version < ServerVersion::ATTACHMENTS {
            return false;
        }
        let limits = AttachmentLimits::of(&desk.settings);
        let has_wanted = desk.change(trace, |open| {
            open.find_media(trace, limits);
            open.media.wanted().next().is_some()
        });
        has_wanted == Some(true)
            && match self.experiments.artifacts(route, now) {
                Artifacts::Proxied(_) => true,
                Artifacts::Elsewhere => false,
                Artifacts::Unknown => {
                    let key = experiments::key(route);
                    let draft = self.experiments.ask(&key, Question::FindAgain);
                    self.send(desk, out, draft, Purpose::Experiment(key, Question::FindAgain));
                    true
                }
            }
    }

    /// Sends media of a trace, at most so many pieces. Returns whether some is left.
    pub(super) fn attach(
        &mut self,
        desk: &mut Desk,
        out: &mut Outbox,
        trace: TraceId,
        (route, most): (&Route, usize),
        now: Instant,
    ) -> bool {
        let Artifacts::Proxied(root) = self.experiments.artifacts(route, now) else { return false };
        let Some(open) = desk.assembly.get(trace) else { return false };
        let wanted: Vec<AttachmentId> = open.media.wanted().collect();
        let mut sent = 0;
        for id in &wanted {
            let Some(open) = desk.assembly.get(trace).filter(|_| sent < most.min(out.slots)) else { return true };
            let Some(body) = open.media_text(*id).and_then(base64::decode) else {
                desk.change(trace, |open| open.media.stays(*id));
                continue;
            };
            let draft = requests::attachment(&root, trace, *id, body).workspace(route.workspace.as_deref());
            self.send(desk, out, draft, Purpose::Attachment(Upload { trace, id: *id, route: route.clone() }));
            sent += 1;
            desk.change(trace, |open| {
                open.route = Some(route.clone());
                open.media.sent(*id);
                open.under_way += 1;
            });
        }
        false
    }

    pub(super) fn attachment_answered(
        &mut self,
        desk: &mut Desk,
        upload: &Upload,
        answer: &Answer,
        verdict: &Verdict<'_>,
        now: Instant,
    ) {
        desk.change(upload.trace, |trace| trace.under_way = trace.under_way.saturating_sub(1));
        match (refusal(answer), verdict) {
            (None, Verdict::Accepted(_)) => {
                self.succeed(desk);
                desk.change(upload.trace, |trace| trace.media.attached(upload.id));
                let message = format!(
                    "media of {} bytes or more goes to MLflow as attachments, to which the spans refer",
                    desk.settings.attachment_min_bytes
                );
                self.say_of_attachments(desk, Level::Info, message);
            }
            (Some(status @ 413), _) => {
                desk.change(upload.trace, |trace| trace.media.stays(upload.id));
                self.say_of_attachments(desk, Level::Warn, stays(&format!("{status}: it is too large")));
            }
            (Some(status), _) => self.attachments_refused(desk, upload, &format!("{status}")),
            (None, Verdict::Refused { status, .. }) => self.attachments_refused(desk, upload, &format!("{status}")),
            (None, Verdict::Failed(trouble)) => {
                let failures = self.attachment_failed(desk, upload, trouble);
                let until = now.saturating_add(backoff::delay(&desk.settings, failures));
                desk.stats.retries += 1;
                desk.change(upload.trace, |trace| trace.hold_until = until);
            }
            (None, Verdict::Trouble(trouble)) => {
                let failures = self.attachment_failed(desk, upload, trouble);
                self.fail(desk, trouble, now);
                // Others go first: perhaps it is the size that does not come through, and they show that the server is there.
                let opens = self.gate.opens_at(now).unwrap_or(now);
                let until = opens.saturating_add(backoff::delay(&desk.settings, failures));
                desk.change(upload.trace, |trace| trace.hold_until = until);
                // Before it is sent again the server must have answered something that is small.
                self.version = None;
            }
        }
    }

    /// Counts a failure, and leaves the media in the spans after so many of them. Returns how many.
    fn attachment_failed(&mut self, desk: &mut Desk, upload: &Upload, trouble: &Trouble) -> u32 {
        let failures = desk.change(upload.trace, |trace| trace.media.failed(upload.id)).unwrap_or_default();
        if failures >= FAILURES {
            self.attachments_refused(desk, upload, &format!("it failed {failures} times: {}", trouble.topic));
        }
        failures
    }

    /// No media of the experiment is sent until it is looked up again.
    fn attachments_refused(&mut self, desk: &mut Desk, upload: &Upload, why: &str) {
        desk.change(upload.trace, |trace| trace.media.stays(upload.id));
        self.experiments.take_no_artifacts(&experiments::key(&upload.route));
        self.say_of_attachments(desk, Level::Warn, stays(why));
    }

    fn say_of_attachments(&mut self, desk: &mut Desk, level: Level, message: String) {
        if self.said_of_attachments != message {
            self.said_of_attachments.clone_from(&message);
            desk.notice(Some(Notice { level, topic: "attachments", message }));
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
