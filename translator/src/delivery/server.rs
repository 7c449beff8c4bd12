//! Delivery to an MLflow server.
//!
//! - Nothing is sent before the server's version is known, nor to an experiment that was not looked up.
//! - As many requests as the settings allow, none of which mixes experiments; one trace is in one request at a time.
//! - What only makes previews [nicer](ScheduledAction::DeferredPreview) is sent only while nothing else is in flight or due.
//! - What MLflow refuses or fails on takes its [`Route`].

use std::collections::BTreeMap;

use super::answers::{Failure, Peer, Verdict, judge};
use super::batch::{Address, Batch, Batcher, Item};
use super::experiments::{self, ExperimentQuery, Experiments, Key, Resolution};
use super::payload;
use super::purpose::Purpose;
use super::requests::{self, Draft};
use super::route::{self, Route};
use super::runs::Runs;
use super::state::BridgeState;
use crate::assembly::compose::ComposeOptions;
use crate::assembly::destination::TraceDestination;
use crate::assembly::ids::TraceId;
use crate::assembly::trace::Trace;
use crate::contract::{Answer, Instant, Level, Notice, Request};
use crate::mlflow::server::{Reader, ServerVersion};
use crate::settings::Settings;

/// The state of the delivery.
#[derive(Debug, Default)]
pub struct ServerDelivery {
    last_id: u64,
    in_flight: BTreeMap<u64, Purpose>,
    pub(super) route: Route,
    pub(super) version: Option<ServerVersion>,
    /// What the server was when it last said so, which may be another now.
    pub(super) last_version: Option<ServerVersion>,
    pub(super) experiments: Experiments,
    runs: Runs,
    /// The last that was said of attachments, so that it is said once.
    pub(super) last_attachment_notice: String,
}

impl ServerDelivery {
    /// The requests to perform now, for the traces that are due.
    pub fn poll(&mut self, state: &mut BridgeState, now: Instant) -> Vec<Request> {
        let mut requests = self.requests(state, now);
        let past = state.assembly.expired_optional(&state.settings, now);
        if !past.is_empty() {
            past.into_iter().for_each(|id| state.drop_optional(id));
            // What stood behind them in their traces is due now.
            requests.extend(self.requests(state, now));
        }
        requests
    }

    fn requests(&mut self, state: &mut BridgeState, now: Instant) -> Vec<Request> {
        let slots = self.route.gate.limit(&state.settings, now).saturating_sub(self.in_flight.len());
        let mut out = Outbox { slots, requests: Vec::new() };
        if out.slots == 0 {
            return out.requests;
        }
        let due = state.due(now);
        let to_assess = state.assembly.to_assess(now, out.slots);
        let deferred_previews = state.assembly.deferred_previews(out.slots.div_ceil(2));
        let optional = !state.assembly.optional(1).is_empty();
        if due.is_empty()
            && !optional
            && to_assess.is_empty()
            && deferred_previews.is_empty()
            && self.route.has_no_suspects()
        {
            return out.requests;
        }
        let Some(version) = self.version else {
            if !self.in_flight.values().any(|purpose| matches!(purpose, Purpose::Version)) {
                self.send(state, &mut out, requests::version(), Purpose::Version);
            }
            return out.requests;
        };
        if self.route.gate.is_well() {
            // Suspects have their turn under any load, and leave room for others.
            let half = out.slots.div_ceil(2);
            self.send_suspects(state, &mut out, half, version, now);
            // So do assessments: each is a request of its own, and spans find room beside any number of them.
            let half = out.slots / 2;
            self.send_assessments(state, &mut out, &to_assess, half, now);
        }
        self.send_due(state, &mut out, &due, version, now);
        let rest = out.slots;
        self.send_suspects(state, &mut out, rest, version, now);
        // Those of traces whose spans were given up on the way among them.
        let to_assess = state.assembly.to_assess(now, out.slots);
        let rest = out.slots;
        self.send_assessments(state, &mut out, &to_assess, rest, now);
        let rest = out.slots;
        self.send_optional(state, &mut out, rest, now);
        if self.in_flight.is_empty() && self.route.has_no_suspects() {
            self.send_deferred_previews(state, &mut out, &deferred_previews, now);
        }
        out.requests
    }

    /// When something that waits is to be tried.
    pub fn next_retry(&self, now: Instant) -> Option<Instant> {
        self.route.next_retry(now)
    }

    /// Try at once what waits for its time.
    pub fn retry_now(&mut self, now: Instant) {
        self.route.retry_now(now);
    }

    pub(super) fn send(&mut self, state: &BridgeState, out: &mut Outbox, draft: Draft, purpose: Purpose) {
        self.last_id += 1;
        self.in_flight.insert(self.last_id, purpose);
        out.slots = out.slots.saturating_sub(1);
        out.requests.push(draft.finish(self.last_id, state.settings.timeout_ms));
    }

    /// Packs the spans of traces that are due, and asks for what they need first.
    fn send_due(
        &mut self,
        state: &mut BridgeState,
        out: &mut Outbox,
        due: &[TraceId],
        version: ServerVersion,
        now: Instant,
    ) {
        let Settings { batch_spans, batch_bytes, .. } = state.settings;
        // What concerns one trace alone leaves room for what carries the spans of many.
        let mut trace_requests = out.slots.div_ceil(2);
        let mut put_off = Vec::new();
        let mut batcher = Batcher::new(out.slots, batch_spans, batch_bytes);
        for id in due {
            if out.slots == 0 || batcher.is_full() {
                break;
            }
            let Some(trace) = state.assembly.get(*id) else { continue };
            let destination = match &trace.destination {
                Some(destination) => destination.clone(),
                None => trace.requested.resolve(&state.settings, trace.project().as_deref()),
            };
            let Some(experiment_id) = self.experiment_id(state, out, *id, &destination, now) else { continue };
            let has_spans = state.assembly.get(*id).is_some_and(|trace| trace.unsent_count() > 0);
            if !has_spans || self.needs_attachments(state, out, *id, (&destination, version), now) {
                let slots = out.slots;
                if self.send_trace_request(state, out, (*id, &experiment_id, &destination), trace_requests, now) {
                    put_off.push((*id, experiment_id, destination));
                }
                trace_requests = trace_requests.saturating_sub(slots - out.slots);
                continue;
            }
            let Some(trace) = state.assembly.get(*id) else { continue };
            let address =
                Address { workspace: destination.workspace.clone(), experiment_id, run_id: destination.run_id.clone() };
            for (span, version, bytes) in trace.unsent() {
                batcher.add(&address, Item { trace: *id, span, version }, bytes);
            }
            state.change(*id, |trace| trace.destination = Some(destination));
        }
        let mut addresses = Vec::new();
        for batch in batcher.finish().take(out.slots) {
            route::hold(state, &batch);
            addresses.push(batch.address.clone());
            self.send_batch(state, out, batch, version);
        }
        self.look_up_runs(state, out, &addresses);
        for (id, experiment_id, destination) in put_off {
            let rest = out.slots;
            self.send_trace_request(state, out, (id, &experiment_id, &destination), rest, now);
        }
    }

    /// Asks for runs that nobody has asked for yet, as far as there is room; later batches ask for the rest.
    fn look_up_runs(&mut self, state: &BridgeState, out: &mut Outbox, addresses: &[Address]) {
        for address in addresses {
            if out.slots == 0 {
                return;
            }
            if let Some(run) = self.runs.ask(address) {
                let draft = requests::find_run(&run.1).workspace(run.0.as_deref());
                self.send(state, out, draft, Purpose::Run(run));
            }
        }
    }

    /// The id of the experiment that a due trace goes to; asks for it, or gives the trace's spans up, where need be.
    pub(super) fn experiment_id(
        &mut self,
        state: &mut BridgeState,
        out: &mut Outbox,
        trace: TraceId,
        destination: &TraceDestination,
        now: Instant,
    ) -> Option<String> {
        match self.experiments.resolve(destination, now) {
            Resolution::Id(id) => return Some(id),
            Resolution::Wait => {}
            Resolution::Later(at) => {
                state.change(trace, |trace| trace.hold_until = at);
            }
            Resolution::Ask(question) => {
                let key = experiments::key(destination);
                let draft = self.experiments.ask(&key, question);
                self.send(state, out, draft, Purpose::Experiment(key, question));
            }
            Resolution::Refused(reason) => {
                let unsent = state.assembly.get(trace).map(Trace::unsent).unwrap_or_default();
                for (span, version, _) in unsent {
                    state.quarantine_span(trace, span, version, &reason);
                }
                state.finish_trace_info(trace);
                state.finish_prompt_links(trace);
            }
        }
        None
    }

    /// Sends batches that MLflow refused or failed on, when their time has come.
    fn send_suspects(
        &mut self,
        state: &mut BridgeState,
        out: &mut Outbox,
        most: usize,
        version: ServerVersion,
        now: Instant,
    ) {
        for _ in 0..most.min(out.slots) {
            let Some(batch) = self.route.take_suspect(now) else { return };
            self.send_batch(state, out, batch, version);
        }
    }

    /// Sends a batch whose traces count as under way.
    fn send_batch(&mut self, state: &mut BridgeState, out: &mut Outbox, batch: Batch, version: ServerVersion) {
        let options = ComposeOptions {
            openinference_only: state.settings.openinference_only,
            previews: true,
            metadata: version < ServerVersion::SESSIONS.max(ServerVersion::TREE_TOTALS),
        };
        let payload = payload::of(state, &batch, Reader::Server(version), options);
        let Address { workspace, experiment_id, run_id } = &batch.address;
        let draft = requests::spans(experiment_id, run_id.as_deref(), payload).workspace(workspace.as_deref());
        self.send(state, out, draft, Purpose::Spans(batch));
    }

    /// What became of a request.
    pub fn complete(&mut self, state: &mut BridgeState, request: u64, answer: &Answer, now: Instant) {
        let Some(purpose) = self.in_flight.remove(&request) else { return };
        let verdict = judge(answer, Peer::Mlflow, now);
        match purpose {
            Purpose::Version => self.version_answered(state, answer, &verdict, now),
            Purpose::Experiment(key, question) => self.experiment_answered(state, key, question, &verdict, now),
            Purpose::Run(run) => state.notice(self.runs.answered(&run, &verdict)),
            Purpose::Spans(batch) => self.spans_answered(state, batch, &verdict, now),
            Purpose::Look(trace) => self.look_answered(state, trace, &verdict, now),
            Purpose::Info(trace) => self.info_answered(state, trace, &verdict, now),
            Purpose::Links(trace) => self.links_answered(state, trace, &verdict, now),
            Purpose::Attachment(upload) => self.attachment_answered(state, &upload, answer, &verdict, now),
            Purpose::Assessment(sent) => self.assessment_answered(state, &sent, answer, &verdict, now),
        }
    }

    pub(super) fn succeed(&mut self, state: &mut BridgeState) {
        self.route.succeed(state);
    }

    pub(super) fn fail(&mut self, state: &mut BridgeState, failure: &Failure, now: Instant) {
        self.route.fail(state, failure, now);
        if failure.topic == "unreachable" {
            // Another version may be there when it answers again.
            self.version = None;
        }
    }

    fn version_answered(&mut self, state: &mut BridgeState, answer: &Answer, verdict: &Verdict<'_>, now: Instant) {
        let version = match (answer, verdict) {
            // MLflow (3.17) calls this one text a web page.
            (Answer::Response(response), _) if response.status == 200 => {
                ServerVersion::parse(&String::from_utf8_lossy(&response.body))
            }
            // Servers that speak MLflow's API without this endpoint.
            (_, Verdict::Accepted(_) | Verdict::Refused { .. }) => None,
            (_, Verdict::Unavailable(failure)) if failure.topic == "not-mlflow" => None,
            (_, Verdict::Failed(failure) | Verdict::Unavailable(failure)) => return self.fail(state, failure, now),
        };
        if let Some(version) = version.filter(|version| *version < ServerVersion::OLDEST) {
            let message = format!(
                "the MLflow server is {version}; spans are held until it is {} or later, which translates OpenTelemetry \
                 spans",
                ServerVersion::OLDEST
            );
            let failure = Failure { topic: "too-old", level: Level::Error, message, retry_after: None };
            return self.fail(state, &failure, now);
        }
        let message = match version {
            Some(version) => format!("delivering to MLflow {version}"),
            None => "the server does not report its MLflow version; delivering as to a current one".to_owned(),
        };
        self.version = Some(version.unwrap_or(ServerVersion::CURRENT));
        if self.last_version != self.version {
            self.last_version = self.version;
            state.notice(Some(Notice { level: Level::Info, topic: "server", message }));
        }
    }

    fn experiment_answered(
        &mut self,
        state: &mut BridgeState,
        key: Key,
        question: ExperimentQuery,
        verdict: &Verdict<'_>,
        now: Instant,
    ) {
        match verdict {
            Verdict::Unavailable(failure) => {
                self.experiments.unanswered(key, question);
                self.fail(state, failure, now);
            }
            _ => {
                if matches!(verdict, Verdict::Accepted(_)) {
                    self.succeed(state);
                }
                let notice = self.experiments.answered(key, question, verdict, now);
                state.notice(notice);
            }
        }
    }
}

/// What one poll hands out.
pub(super) struct Outbox {
    pub(super) slots: usize,
    requests: Vec<Request>,
}
