//! Delivery to a local folder, one file a trace, which the host plays the server of.
//!
//! A file is read before it is written: spans that are in it stay, so that parts, late spans and a restart end in one
//! whole trace. A trace stays in the experiment that its file names.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::answers::{Failure, Peer, Verdict, judge};
use super::assessments::folder;
use super::gate::Gate;
use super::requests;
use super::state::BridgeState;
use crate::assembly::compose::ComposeOptions;
use crate::assembly::destination::Experiment;
use crate::assembly::envelope::Envelope;
use crate::assembly::ids::{SpanId, TraceId};
use crate::assembly::receipts::Receipts;
use crate::assembly::root::Root;
use crate::assembly::span_summary::{SpanSummary, Version};
use crate::assembly::trace::{Arrival, HeldSpan, Trace};
use crate::assembly::{compose, info};
use crate::contract::{Answer, Instant, Level, Request};
use crate::feedback::assessment;
use crate::otlp::{Malformed, Payload, Span};
use crate::trace_json;

#[derive(Debug)]
enum Purpose {
    Read(TraceId),
    Write(TraceId, Written),
}

/// What a file that is being written holds of what is pending.
#[derive(Debug, Default)]
struct Written {
    spans: Vec<(SpanId, Version)>,
    assessments: Vec<(String, assessment::AssessmentVersion)>,
}

/// The state of the delivery.
#[derive(Debug, Default)]
pub struct LocalDelivery {
    last_id: u64,
    in_flight: BTreeMap<u64, Purpose>,
    /// Traces whose file was read, and what it held.
    read: Vec<(TraceId, Option<Vec<u8>>)>,
    gate: Gate,
}

impl LocalDelivery {
    /// The requests to perform now: files to write for traces whose file was read, files to read for traces due.
    pub fn poll(&mut self, state: &mut BridgeState, now: Instant) -> Vec<Request> {
        let mut requests = Vec::new();
        for (id, file) in std::mem::take(&mut self.read) {
            if file.is_none() && state.assembly.get(id).is_some_and(Trace::has_only_assessments_to_send) {
                state.change(id, |trace| trace.in_flight = trace.in_flight.saturating_sub(1));
                folder::no_file(state, id, now);
                continue;
            }
            match write(state, id, file.as_deref()) {
                Ok((draft, written)) => requests.push(self.send(state, draft, Purpose::Write(id, written))),
                Err(malformed) => quarantine_span(state, id, &malformed),
            }
        }
        let limit = self.gate.limit(&state.settings, now);
        if self.in_flight.len() >= limit {
            return requests;
        }
        let slots = limit - self.in_flight.len();
        let due = state.due(now).into_iter().chain(state.assembly.to_assess(now, slots)).take(slots);
        for id in due.collect::<Vec<_>>() {
            state.change(id, |trace| trace.in_flight += 1);
            requests.push(self.send(state, requests::read_trace(&name(id)), Purpose::Read(id)));
        }
        requests
    }

    fn send(&mut self, state: &BridgeState, draft: requests::Draft, purpose: Purpose) -> Request {
        self.last_id += 1;
        self.in_flight.insert(self.last_id, purpose);
        draft.finish(self.last_id, state.settings.timeout_ms)
    }

    /// When a folder that failed is tried again.
    pub fn next_retry(&self, now: Instant) -> Option<Instant> {
        if self.read.is_empty() { self.gate.opens_at(now) } else { Some(now) }
    }

    /// Try at once what waits for its time.
    pub fn retry_now(&mut self, now: Instant) {
        self.gate.retry_now(now);
    }

    /// What became of a request.
    pub fn complete(&mut self, state: &mut BridgeState, request: u64, answer: &Answer, now: Instant) {
        let Some(purpose) = self.in_flight.remove(&request) else { return };
        let (id, written) = match (purpose, answer) {
            (Purpose::Read(id), Answer::Response(response)) if matches!(response.status, 200 | 404) => {
                let file = (response.status == 200).then(|| response.body.clone());
                return self.read.push((id, file));
            }
            (Purpose::Read(id), _) => (id, None),
            (Purpose::Write(id, written), _) => (id, Some(written)),
        };
        state.change(id, |trace| trace.in_flight = trace.in_flight.saturating_sub(1));
        match (judge(answer, Peer::Mlflow, now), written) {
            (Verdict::Accepted(_), Some(Written { spans, assessments })) => {
                state.notice(self.gate.succeed());
                for (span, version) in spans {
                    state.delivered(id, span, version, false);
                }
                for (assessment, version) in assessments {
                    state.assessment_delivered(id, &assessment, version);
                }
                if state.assembly.get(id).is_some_and(Trace::must_look_up) {
                    state.notify_closed(id);
                }
                state.finish_trace_info(id);
            }
            _ => {
                let message = "the local folder cannot be read or written; spans are held and tried again".to_owned();
                let failure = Failure { topic: "local-folder", level: Level::Error, message, retry_after: None };
                state.stats.retries += 1;
                let notice = self.gate.fail(&failure, &state.settings, now);
                state.notice(notice);
            }
        }
    }
}

fn name(id: TraceId) -> String {
    format!("tr-{id}")
}

/// A file that cannot be read is not overwritten: what would have joined it leaves with the reason.
fn quarantine_span(state: &mut BridgeState, id: TraceId, malformed: &Malformed) {
    let reason = format!("the trace's file is damaged ({malformed}): move it away, then replay the quarantine");
    let unsent = state.assembly.get(id).map(Trace::unsent).unwrap_or_default();
    for (span, version, _) in unsent {
        state.quarantine_span(id, span, version, &reason);
    }
    for (assessment, version) in state.pending_assessments(id) {
        state.quarantine_assessment(id, &assessment, version, &reason);
    }
    state.change(id, |trace| trace.in_flight = trace.in_flight.saturating_sub(1));
    state.finish_trace_info(id);
}

type Write = (requests::Draft, Written);

/// The file of a trace: what it held, and what is held here.
fn write(state: &BridgeState, id: TraceId, file: Option<&[u8]>) -> Result<Write, Malformed> {
    let nothing = Trace::default();
    let open = state.assembly.get(id).unwrap_or(&nothing);
    let payload = file.map(trace_json::read).transpose()?.unwrap_or_default();
    let mut whole = Trace::default();
    whole.closed = open.closed;
    let mut receipts = Receipts::default();
    let mut take = |span: SpanId, held: HeldSpan| -> Result<(), Malformed> {
        let parsed = Span::parse(&held.span)?;
        let (version, summary) = (Version::of(&parsed), SpanSummary::of(&parsed));
        let root = Root::of(&parsed, &held.envelope);
        whole.insert(
            span,
            Arrival { version, summary, root, held: Some(held), receipt: 0, feedback: Vec::new() },
            &mut receipts,
            0,
        );
        Ok(())
    };
    for group in Payload::parse(&payload)?.groups {
        let envelope = Arc::new(Envelope::of(&group.resource, &group.scope, &group.resource_attributes));
        for span in group.spans {
            let Some(id) = SpanId::new(span.span_id) else { continue };
            // What is held here is newer than the file, or was sent again.
            if open.held(id).is_none() {
                take(id, HeldSpan { envelope: Arc::clone(&envelope), span: span.raw.into() })?;
            }
        }
    }
    let unsent: Vec<_> = open.unsent().into_iter().map(|(id, version, _)| (id, version)).collect();
    for (id, _) in &unsent {
        if let Some(held) = open.held(*id) {
            take(*id, held.clone())?;
        }
    }
    let ids = whole.unsent().into_iter().map(|(id, ..)| id);
    let options =
        ComposeOptions { openinference_only: state.settings.openinference_only, previews: true, metadata: false };
    let composed = compose::compose(&whole, compose::held_spans(&whole, ids), options);
    let bytes: Vec<_> = composed.spans.iter().map(compose::Mapped::bytes).collect();
    let added = composed.spans.into_iter().map(|mapped| mapped.added);
    let spans = bytes.iter().zip(added).map(|(bytes, added)| Ok((Span::parse(bytes)?, added)));
    let spans = spans.collect::<Result<Vec<_>, Malformed>>()?;
    let destination = open.requested.resolve(&state.settings, whole.project().as_deref());
    let (Experiment::Id(configured) | Experiment::Name(configured)) = destination.experiment;
    let experiment = file.and_then(trace_json::experiment).unwrap_or(configured);
    let assessments = folder::merged(file, open);
    let body = trace_json::write(&info::of(id, &whole, &composed.update, &experiment), &spans, &assessments);
    let written = Written { spans: unsent, assessments: state.pending_assessments(id) };
    Ok((requests::write_trace(&experiment, &name(id), body), written))
}
