//! Delivery to an MLflow server.
//!
//! - Nothing is sent before the server's version is known, nor to an experiment that was not looked up.
//! - As many requests as the settings allow, none of which mixes experiments; one trace is in one request at a time.
//! - What only makes previews [nicer](Due::Polish) is sent while nothing else is under way or due, for a limited time.
//! - A failure that concerns every request shuts the [`Gate`]; what was under way is due again. A refusal splits the
//!   request until the span that MLflow refuses stands alone and is set aside.
//! - A request that MLflow *fails* on (500) is split only when other requests succeed meanwhile, or, a few times, to
//!   find out: an outage must not cut everything into single spans.

use std::collections::BTreeMap;

use super::answers::{Trouble, Verdict, judge};
use super::assessments::Errand;
use super::attachments::Upload;
use super::desk::Desk;
use super::experiments::{self, Experiments, Key, Question, Resolution};
use super::gate::Gate;
use super::parcel::{Address, Item, Packer, Parcel};
use super::requests::{self, Draft};
use crate::assembly::compose;
use crate::assembly::compose::Manner;
use crate::assembly::ids::{SpanId, TraceId};
use crate::assembly::route::Route;
use crate::assembly::trace::Trace;
use crate::contract::{Answer, Instant, Level, Notice, Request};
use crate::mapping::media::{AttachmentLimits, AttachmentReferences};
use crate::mlflow::server::ServerVersion;
use crate::settings::Settings;

/// What a request is for.
#[derive(Debug)]
pub(super) enum Purpose {
    Version,
    Experiment(Key, Question),
    Spans(Parcel),
    Look(TraceId),
    Info(TraceId),
    Links(TraceId),
    Assessment(Errand),
    Attachment(Upload),
}

/// The state of the delivery.
#[derive(Debug, Default)]
pub struct ServerDelivery {
    last_id: u64,
    under_way: BTreeMap<u64, Purpose>,
    pub(super) gate: Gate,
    pub(super) version: Option<ServerVersion>,
    /// What the server was when it last said so, which may be another now.
    pub(super) last_version: Option<ServerVersion>,
    pub(super) experiments: Experiments,
    /// Parcels that MLflow refused or failed on, whole or in halves. Their traces count as under way.
    pub(super) suspects: Vec<Parcel>,
    /// The last that was said of attachments, so that it is said once.
    pub(super) said_of_attachments: String,
}

impl ServerDelivery {
    /// The requests to perform now, for the traces that are due.
    pub fn poll(&mut self, desk: &mut Desk, now: Instant) -> Vec<Request> {
        let mut requests = self.requests(desk, now);
        let past = desk.assembly.past_polish(&desk.settings, now);
        if !past.is_empty() {
            past.into_iter().for_each(|id| desk.info_settled(id));
            // What stood behind them in their traces is due now.
            requests.extend(self.requests(desk, now));
        }
        requests
    }

    fn requests(&mut self, desk: &mut Desk, now: Instant) -> Vec<Request> {
        let slots = self.gate.limit(&desk.settings, now).saturating_sub(self.under_way.len());
        let mut out = Outbox { slots, requests: Vec::new() };
        if out.slots == 0 {
            return out.requests;
        }
        let due = desk.due(now);
        let to_assess = desk.assembly.to_assess(now, out.slots);
        let to_polish = desk.assembly.to_polish(out.slots.div_ceil(2));
        if due.is_empty() && to_assess.is_empty() && to_polish.is_empty() && self.suspects.is_empty() {
            return out.requests;
        }
        let Some(version) = self.version else {
            if !self.under_way.values().any(|purpose| matches!(purpose, Purpose::Version)) {
                self.send(desk, &mut out, requests::version(), Purpose::Version);
            }
            return out.requests;
        };
        if self.gate.is_well() {
            // Suspects have their turn under any load, and leave room for others.
            let half = out.slots.div_ceil(2);
            self.send_suspects(desk, &mut out, half, version, now);
            // So do assessments: each is a request of its own, and spans find room beside any number of them.
            let half = out.slots / 2;
            self.send_assessments(desk, &mut out, &to_assess, half, now);
        }
        self.send_due(desk, &mut out, &due, version, now);
        let rest = out.slots;
        self.send_suspects(desk, &mut out, rest, version, now);
        // Those of traces whose spans were given up on the way among them.
        let to_assess = desk.assembly.to_assess(now, out.slots);
        let rest = out.slots;
        self.send_assessments(desk, &mut out, &to_assess, rest, now);
        if self.under_way.is_empty() && self.suspects.is_empty() {
            self.send_polish(desk, &mut out, &to_polish, now);
        }
        out.requests
    }

    /// When something that waits is to be tried.
    pub fn next_retry(&self, now: Instant) -> Option<Instant> {
        let opens = self.gate.opens_at(now);
        if opens.is_some() {
            return opens;
        }
        self.suspects.iter().map(|parcel| parcel.not_before).filter(|at| *at > now).min()
    }

    /// Try at once what waits for its time.
    pub fn hurry(&mut self, now: Instant) {
        self.gate.hurry(now);
        for parcel in &mut self.suspects {
            parcel.not_before = parcel.not_before.min(now);
        }
    }

    pub(super) fn send(&mut self, desk: &Desk, out: &mut Outbox, draft: Draft, purpose: Purpose) {
        self.last_id += 1;
        self.under_way.insert(self.last_id, purpose);
        out.slots = out.slots.saturating_sub(1);
        out.requests.push(draft.finish(self.last_id, desk.settings.timeout_ms));
    }

    /// Packs the spans of traces that are due, and asks for what they need first.
    fn send_due(&mut self, desk: &mut Desk, out: &mut Outbox, due: &[TraceId], version: ServerVersion, now: Instant) {
        let Settings { batch_spans, batch_bytes, .. } = desk.settings;
        // What concerns one trace alone leaves room for what carries the spans of many.
        let mut lone = out.slots.div_ceil(2);
        let mut put_off = Vec::new();
        let mut packer = Packer::new(out.slots, batch_spans, batch_bytes);
        for id in due {
            if out.slots == 0 || packer.is_full() {
                break;
            }
            let Some(trace) = desk.assembly.get(*id) else { continue };
            let route = match &trace.route {
                Some(route) => route.clone(),
                None => trace.wish.route(&desk.settings, trace.project().as_deref()),
            };
            let Some(experiment_id) = self.experiment_id(desk, out, *id, &route, now) else { continue };
            let has_spans = desk.assembly.get(*id).is_some_and(|trace| trace.unsent_count() > 0);
            if !has_spans || self.must_attach(desk, out, *id, (&route, version), now) {
                let slots = out.slots;
                if self.send_lone(desk, out, (*id, &experiment_id, &route), lone, now) {
                    put_off.push((*id, experiment_id, route));
                }
                lone = lone.saturating_sub(slots - out.slots);
                continue;
            }
            let Some(trace) = desk.assembly.get(*id) else { continue };
            let address = Address { workspace: route.workspace.clone(), experiment_id, run_id: route.run_id.clone() };
            for (span, version, bytes) in trace.unsent() {
                packer.add(&address, Item { trace: *id, span, version }, bytes);
            }
            desk.change(*id, |trace| trace.route = Some(route));
        }
        for parcel in packer.finish().take(out.slots) {
            for trace in parcel.traces() {
                desk.change(trace, |trace| trace.under_way += 1);
            }
            self.send_parcel(desk, out, parcel, version);
        }
        for (id, experiment_id, route) in put_off {
            let rest = out.slots;
            self.send_lone(desk, out, (id, &experiment_id, &route), rest, now);
        }
    }

    /// The id of the experiment that a due trace goes to; asks for it, or gives the trace's spans up, where need be.
    pub(super) fn experiment_id(
        &mut self,
        desk: &mut Desk,
        out: &mut Outbox,
        trace: TraceId,
        route: &Route,
        now: Instant,
    ) -> Option<String> {
        match self.experiments.resolve(route, now) {
            Resolution::Id(id) => return Some(id),
            Resolution::Wait => {}
            Resolution::Later(at) => {
                desk.change(trace, |trace| trace.hold_until = at);
            }
            Resolution::Ask(question) => {
                let key = experiments::key(route);
                let draft = self.experiments.ask(&key, question);
                self.send(desk, out, draft, Purpose::Experiment(key, question));
            }
            Resolution::Refused(reason) => {
                let unsent = desk.assembly.get(trace).map(Trace::unsent).unwrap_or_default();
                for (span, version, _) in unsent {
                    desk.give_up(trace, span, version, &reason);
                }
                desk.info_settled(trace);
                desk.links_settled(trace);
            }
        }
        None
    }

    /// Sends parcels that MLflow refused or failed on, when their time has come.
    fn send_suspects(&mut self, desk: &mut Desk, out: &mut Outbox, most: usize, version: ServerVersion, now: Instant) {
        for _ in 0..most.min(out.slots) {
            let Some(index) = self.suspects.iter().position(|parcel| parcel.not_before <= now) else { return };
            let parcel = self.suspects.remove(index);
            self.send_parcel(desk, out, parcel, version);
        }
    }

    /// Sends a parcel whose traces count as under way.
    fn send_parcel(&mut self, desk: &mut Desk, out: &mut Outbox, parcel: Parcel, version: ServerVersion) {
        let mut spans = Vec::with_capacity(parcel.items.len());
        let mut news = Vec::new();
        let manner = Manner { openinference_only: desk.settings.openinference_only, previews: true };
        for items in parcel.items.chunk_by(|a, b| a.trace == b.trace) {
            let Some((id, trace)) = items.first().and_then(|item| Some((item.trace, desk.assembly.get(item.trace)?)))
            else {
                continue;
            };
            let ids: Vec<SpanId> = items.iter().map(|item| item.span).collect();
            let composition = compose::compose(trace, &ids, manner);
            let has = |id| trace.media.has(id);
            let attached =
                AttachmentReferences { trace: id.bytes(), limits: AttachmentLimits::of(&desk.settings), has: &has };
            let attached = Some(&attached).filter(|_| trace.media.has_some());
            spans.extend(composition.spans.into_iter().map(|mapped| {
                // Spans of other conventions pass as they are, for MLflow's translators of its own.
                let is_ours = trace.outline(mapped.id).is_some_and(|outline| outline.openinference);
                mapped.encode(version, attached.filter(|_| is_ours))
            }));
            news.push((id, composition.news));
        }
        let payload = compose::payload(&spans);
        drop(spans);
        for (id, news) in news {
            desk.change(id, |trace| trace.remember(news));
        }
        let Address { workspace, experiment_id, run_id } = &parcel.address;
        let draft = requests::spans(experiment_id, run_id.as_deref(), payload).workspace(workspace.as_deref());
        self.send(desk, out, draft, Purpose::Spans(parcel));
    }

    /// What became of a request.
    pub fn complete(&mut self, desk: &mut Desk, request: u64, answer: &Answer, now: Instant) {
        let Some(purpose) = self.under_way.remove(&request) else { return };
        let verdict = judge(answer, now);
        match purpose {
            Purpose::Version => self.version_answered(desk, answer, &verdict, now),
            Purpose::Experiment(key, question) => self.experiment_answered(desk, key, question, &verdict, now),
            Purpose::Spans(parcel) => self.spans_answered(desk, parcel, &verdict, now),
            Purpose::Look(trace) => self.look_answered(desk, trace, &verdict, now),
            Purpose::Info(trace) => self.info_answered(desk, trace, &verdict, now),
            Purpose::Links(trace) => self.links_answered(desk, trace, &verdict, now),
            Purpose::Attachment(upload) => self.attachment_answered(desk, &upload, answer, &verdict, now),
            Purpose::Assessment(errand) => self.assessment_answered(desk, &errand, answer, &verdict, now),
        }
    }

    pub(super) fn succeed(&mut self, desk: &mut Desk) {
        desk.notice(self.gate.succeed());
    }

    pub(super) fn fail(&mut self, desk: &mut Desk, trouble: &Trouble, now: Instant) {
        desk.stats.retries += 1;
        let notice = self.gate.fail(trouble, &desk.settings, now);
        desk.notice(notice);
        if trouble.topic == "unreachable" {
            // Another version may be there when it answers again.
            self.version = None;
        }
    }

    fn version_answered(&mut self, desk: &mut Desk, answer: &Answer, verdict: &Verdict<'_>, now: Instant) {
        let version = match (answer, verdict) {
            // MLflow (3.17) calls this one text a web page.
            (Answer::Response(response), _) if response.status == 200 => {
                ServerVersion::parse(&String::from_utf8_lossy(&response.body))
            }
            // Servers that speak MLflow's API without this endpoint.
            (_, Verdict::Accepted(_) | Verdict::Refused { .. }) => None,
            (_, Verdict::Trouble(trouble)) if trouble.topic == "not-mlflow" => None,
            (_, Verdict::Failed(trouble) | Verdict::Trouble(trouble)) => return self.fail(desk, trouble, now),
        };
        if let Some(version) = version.filter(|version| *version < ServerVersion::OLDEST) {
            let message = format!(
                "the MLflow server is {version}; spans are held until it is {} or later, which translates OpenTelemetry \
                 spans",
                ServerVersion::OLDEST
            );
            let trouble = Trouble { topic: "too-old", level: Level::Error, message, retry_after: None };
            return self.fail(desk, &trouble, now);
        }
        let message = match version {
            Some(version) => format!("delivering to MLflow {version}"),
            None => "the server does not tell its MLflow version; delivering as to a current one".to_owned(),
        };
        self.version = Some(version.unwrap_or(ServerVersion::CURRENT));
        if self.last_version != self.version {
            self.last_version = self.version;
            desk.notice(Some(Notice { level: Level::Info, topic: "server", message }));
        }
    }

    fn experiment_answered(
        &mut self,
        desk: &mut Desk,
        key: Key,
        question: Question,
        verdict: &Verdict<'_>,
        now: Instant,
    ) {
        match verdict {
            Verdict::Trouble(trouble) => {
                self.experiments.unanswered(key, question);
                self.fail(desk, trouble, now);
            }
            _ => {
                if matches!(verdict, Verdict::Accepted(_)) {
                    self.succeed(desk);
                }
                let notice = self.experiments.answered(key, question, verdict, now);
                desk.notice(notice);
            }
        }
    }
}

/// What one poll hands out.
pub(super) struct Outbox {
    pub(super) slots: usize,
    requests: Vec<Request>,
}
