//! Requests that concern one trace alone, after its spans: how MLflow has it, its info, its links to prompts.
//!
//! They come one after the other. What MLflow refuses of them costs no span: it is said, and the trace stays as it is.

use super::answers::Verdict;
use super::desk::Desk;
use super::isolate::FAILURES_BEFORE_SPLIT;
use super::requests;
use super::server::{Outbox, Purpose, ServerDelivery};
use crate::assembly::compose::News;
use crate::assembly::ids::TraceId;
use crate::assembly::info;
use crate::assembly::route::Route;
use crate::contract::{Instant, Level, Notice};

impl ServerDelivery {
    /// Media of a trace whose spans wait for it; or the next of them for a trace whose spans were all sent. At most so many
    /// requests. Returns whether some are left.
    pub(super) fn send_lone(
        &mut self,
        desk: &mut Desk,
        out: &mut Outbox,
        (id, experiment_id, route): (TraceId, &str, &Route),
        most: usize,
        now: Instant,
    ) -> bool {
        let Some(trace) = desk.assembly.get(id) else { return false };
        if most.min(out.slots) == 0 {
            return true;
        }
        if trace.unsent_count() > 0 {
            return self.attach(desk, out, id, (route, most), now);
        }
        let (draft, purpose) = if trace.must_look() {
            (requests::find_trace(id), Purpose::Look(id))
        } else if trace.info.wanted || trace.info.polish_until.is_some() {
            let experiment_id = trace.info.found_in.as_deref().unwrap_or(experiment_id);
            let info = info::of(id, trace, &News::default(), experiment_id);
            (requests::trace_info(&info), Purpose::Info(id))
        } else {
            (requests::link_prompts(id, &trace.prompts), Purpose::Links(id))
        };
        self.send(desk, out, draft.workspace(route.workspace.as_deref()), purpose);
        desk.change(id, |trace| trace.under_way += 1);
        false
    }

    /// Tells MLflow infos that are worth no more than a quiet moment.
    pub(super) fn send_polish(&mut self, desk: &mut Desk, out: &mut Outbox, to_polish: &[TraceId], now: Instant) {
        for id in to_polish {
            let Some(route) = desk.assembly.get(*id).and_then(|trace| trace.route.clone()) else { continue };
            if let Some(experiment_id) = self.experiment_id(desk, out, *id, &route, now) {
                self.send_lone(desk, out, (*id, &experiment_id, &route), 1, now);
            }
        }
    }

    pub(super) fn info_answered(&mut self, desk: &mut Desk, id: TraceId, verdict: &Verdict<'_>, now: Instant) {
        match self.told(desk, id, verdict, now) {
            Some(Told::Accepted) => {
                desk.change(id, |trace| trace.info.sent = true);
            }
            Some(Told::Refused(reason)) => refused(desk, id, "its name, tags and previews", reason),
            None => return,
        }
        desk.info_settled(id);
    }

    pub(super) fn links_answered(&mut self, desk: &mut Desk, id: TraceId, verdict: &Verdict<'_>, now: Instant) {
        // Servers that speak MLflow's API without this endpoint answer with their own page: nothing else waits for that.
        let verdict = match verdict {
            Verdict::Trouble(trouble) if trouble.topic == "not-mlflow" => {
                &Verdict::Refused { status: 404, code: String::new(), reason: "nothing of MLflow answers there".into() }
            }
            verdict => verdict,
        };
        match self.told(desk, id, verdict, now) {
            Some(Told::Accepted) => {}
            Some(Told::Refused(reason)) => refused(desk, id, "its links to prompts", reason),
            None => return,
        }
        // Refused ones are not asked for again.
        desk.change(id, |trace| trace.info.linked = trace.prompts.len());
        desk.links_settled(id);
    }

    /// What MLflow made of such a request; `None` when it is to be made again.
    fn told<'v>(&mut self, desk: &mut Desk, id: TraceId, verdict: &'v Verdict<'_>, now: Instant) -> Option<Told<'v>> {
        desk.change(id, |trace| trace.under_way = trace.under_way.saturating_sub(1));
        match verdict {
            Verdict::Accepted(_) => {
                self.succeed(desk);
                return Some(Told::Accepted);
            }
            Verdict::Refused { reason, .. } => return Some(Told::Refused(reason)),
            Verdict::Trouble(trouble) => self.fail(desk, trouble, now),
            Verdict::Failed(trouble) => {
                let failures = desk.change(id, |trace| {
                    trace.info.failures += 1;
                    trace.info.failures
                });
                if failures.is_some_and(|failures| failures > FAILURES_BEFORE_SPLIT) {
                    return Some(Told::Refused("the server fails on it"));
                }
                self.fail(desk, trouble, now);
            }
        }
        None
    }
}

enum Told<'v> {
    Accepted,
    Refused(&'v str),
}

fn refused(desk: &mut Desk, id: TraceId, what: &str, reason: &str) {
    let message = format!("MLflow has the spans of trace tr-{id} but refused {what}: {reason}");
    desk.notice(Some(Notice { level: Level::Warn, topic: "trace-info", message }));
}
