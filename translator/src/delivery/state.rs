//! The state that all deliveries work on: settings, traces, receipts, counters and events.

use std::sync::Arc;

use crate::assembly::destination::{Experiment, RequestedDestination, TraceDestination};
use crate::assembly::ids::{SpanId, TraceId};
use crate::assembly::pending_assessments::{Carrier, Entry};
use crate::assembly::receipts::Receipts;
use crate::assembly::span_summary::Version;
use crate::assembly::trace::info_state::InfoState;
use crate::assembly::trace::{Arrival, Trace};
use crate::assembly::{Assembly, compose};
use crate::contract::{Event, Instant, Level, Notice, Quarantined, Receipt, Repair, Stats};
use crate::feedback::FeedbackSubject;
use crate::feedback::assessment::{self, Assessment};
use crate::settings::Settings;

/// The state of a bridge, except for its delivery.
#[derive(Debug, Default)]
pub struct BridgeState {
    /// Settings.
    pub settings: Settings,
    /// Traces.
    pub assembly: Assembly,
    /// Payloads that are not wholly in MLflow.
    pub receipts: Receipts,
    /// Counters.
    pub stats: Stats,
    events: Vec<Event>,
}

impl BridgeState {
    /// A bridge's state before anything came.
    pub fn new(settings: Settings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// Records a notice, if any.
    pub fn notice(&mut self, notice: Option<Notice>) {
        self.events.extend(notice.map(Event::Notice));
    }

    /// Records a repaired value.
    pub fn repaired(&mut self, repair: Repair) {
        self.stats.repairs += 1;
        self.events.push(Event::Repaired(repair));
    }

    /// Records a quarantined span.
    pub fn quarantine(&mut self, quarantined: Quarantined) {
        self.stats.spans_quarantined += 1;
        self.events.push(Event::Quarantined(quarantined));
    }

    /// What happened since the last call: receipts come last, after what explains them.
    pub fn take_events(&mut self) -> Vec<Event> {
        let mut events = std::mem::take(&mut self.events);
        events.extend(self.receipts.take_done().into_iter().map(Event::Done));
        events
    }

    /// Changes a trace.
    pub fn change<T>(&mut self, trace: TraceId, change: impl FnOnce(&mut Trace) -> T) -> Option<T> {
        self.assembly.change(trace, &self.settings, change)
    }

    /// A span is in MLflow; its receipts are released, or wait for the trace's other requests.
    pub fn delivered(&mut self, trace: TraceId, span: SpanId, version: Version, info_follows: bool) {
        let receipts = self.change(trace, |trace| {
            let (_, receipts) = trace.mark_delivered(span, version)?;
            if info_follows {
                trace.info.receipts.extend(receipts);
                return Some(Vec::new());
            }
            Some(receipts)
        });
        if let Some(receipts) = receipts.flatten() {
            self.stats.spans_delivered += 1;
            receipts.into_iter().for_each(|receipt| self.receipts.release(receipt));
        }
    }

    /// Quarantines a span that MLflow refuses, with the reason.
    pub fn quarantine_span(&mut self, trace: TraceId, span: SpanId, version: Version, reason: &str) {
        let Some((held, receipts)) = self.change(trace, |trace| trace.mark_delivered(span, version)).flatten() else {
            return;
        };
        self.quarantine(Quarantined {
            trace_id: trace.to_string(),
            span_id: span.to_string(),
            reason: reason.to_owned(),
            payload: compose::single_span_payload(&held.envelope, &held.span),
            receipt: receipts.last().copied(),
        });
        receipts.into_iter().for_each(|receipt| self.receipts.release(receipt));
    }

    /// Ends the trace info: MLflow has it, or it is given up.
    pub fn finish_trace_info(&mut self, trace: TraceId) {
        self.finish_request(trace, |info| {
            info.needed = false;
            info.required = false;
            info.preview_deadline = None;
        });
    }

    /// Ends the prompt links: MLflow has them, or they are given up.
    pub fn finish_prompt_links(&mut self, trace: TraceId) {
        self.finish_request(trace, |info| info.links_wanted = false);
    }

    /// Gives up the optional requests of a trace.
    pub fn drop_optional(&mut self, trace: TraceId) {
        self.finish_request(trace, |info| {
            info.needed &= info.required;
            info.preview_deadline = None;
            info.links_wanted = false;
        });
    }

    fn finish_request(&mut self, trace: TraceId, finish: impl FnOnce(&mut InfoState)) {
        let settings = &self.settings;
        let receipts = self.assembly.change(trace, settings, |trace| {
            finish(&mut trace.info);
            trace.info.failures = 0;
            let holds = trace.info.holds_receipts(settings);
            if holds { Vec::new() } else { std::mem::take(&mut trace.info.receipts) }
        });
        receipts.unwrap_or_default().into_iter().for_each(|receipt| self.receipts.release(receipt));
    }

    /// Takes the feedback in that a span carries. A span that came before in this very version brings nothing new, except
    /// that its receipt waits too.
    pub fn take_feedback(
        &mut self,
        (trace, span): (TraceId, SpanId),
        arrival: &mut Arrival,
        requested: &RequestedDestination,
        now: Instant,
    ) {
        let feedback = std::mem::take(&mut arrival.feedback);
        let Some(held) = arrival.held.as_ref().filter(|_| !feedback.is_empty()) else { return };
        let seen = self.assembly.get(trace).is_some_and(|trace| trace.has_seen(span, arrival.version));
        let carrier = Arc::new(Carrier {
            trace_id: trace.to_string(),
            span_id: span.to_string(),
            payload: compose::single_span_payload(&held.envelope, &held.span),
            shares: feedback.len(),
            sent: !arrival.summary.is_left_out(&self.settings),
        });
        let TraceDestination { workspace, experiment, .. } =
            requested.resolve(&self.settings, held.envelope.project.as_deref());
        let (Experiment::Id(experiment) | Experiment::Name(experiment)) = experiment;
        for feedback in &feedback {
            let Some(target) = TraceId::new(&feedback.target.trace_id) else { continue };
            let session = match &feedback.target.subject {
                FeedbackSubject::Session(session) => Some(session.clone()),
                FeedbackSubject::Span(_) | FeedbackSubject::Trace => None,
            };
            let entry = Entry::new(
                Assessment::of(feedback, &experiment),
                session,
                workspace.clone(),
                Some(Arc::clone(&carrier)),
            );
            self.assess(target, entry, arrival.receipt, seen, now);
        }
    }

    /// Takes the assessments of a trace's JSON in.
    #[cfg(feature = "json")]
    pub fn take_assessments(
        &mut self,
        found: Vec<([u8; 16], Assessment)>,
        receipt: Receipt,
        requested: &RequestedDestination,
        now: Instant,
    ) {
        let workspace = requested.resolve(&self.settings, None).workspace;
        for (trace, assessment) in found {
            let Some(trace) = TraceId::new(&trace) else { continue };
            let entry = Entry::new(assessment, None, workspace.clone(), None);
            self.assess(trace, entry, receipt, false, now);
        }
    }

    fn assess(&mut self, target: TraceId, mut entry: Entry, receipt: Receipt, seen: bool, now: Instant) {
        let waits = self.assembly.get(target).is_some_and(|trace| trace.pending.contains(&entry.assessment.id));
        if seen && !waits {
            return;
        }
        self.receipts.retain(receipt);
        entry.receipts.push(receipt);
        self.assembly.assess(target, entry, &self.settings, now);
    }

    /// All assessments of a trace that are held here.
    pub fn pending_assessments(&self, trace: TraceId) -> Vec<(String, assessment::AssessmentVersion)> {
        let entries = self.assembly.get(trace).into_iter().flat_map(|trace| trace.pending.iter());
        entries.map(|entry| (entry.assessment.id.clone(), entry.assessment.version)).collect()
    }

    /// An assessment is in MLflow, in this version or a greater one.
    pub fn assessment_delivered(&mut self, trace: TraceId, id: &str, version: assessment::AssessmentVersion) {
        let entry = self.change(trace, |trace| trace.pending.mark_delivered(id, version)).flatten();
        entry.into_iter().flat_map(|entry| entry.receipts).for_each(|receipt| self.receipts.release(receipt));
    }

    /// An assessment will never be in MLflow: the span that brought it leaves with the reason.
    pub fn quarantine_assessment(
        &mut self,
        trace: TraceId,
        id: &str,
        version: assessment::AssessmentVersion,
        reason: &str,
    ) {
        let Some(entry) = self.change(trace, |trace| trace.pending.mark_delivered(id, version)).flatten() else {
            return;
        };
        let receipt = entry.receipts.last().copied();
        match entry.carrier {
            Some(carrier) => self.quarantine(Quarantined {
                trace_id: carrier.trace_id.clone(),
                span_id: carrier.span_id.clone(),
                reason: format!("its feedback on trace tr-{trace} is not in MLflow: {reason}"),
                payload: carrier.payload.clone(),
                receipt,
            }),
            None => {
                let message = format!("an assessment of trace tr-{trace} is not in MLflow: {reason}");
                self.notice(Some(Notice { level: Level::Warn, topic: "assessment", message }));
            }
        }
        entry.receipts.into_iter().for_each(|receipt| self.receipts.release(receipt));
    }

    /// Traces for which something is to be sent by now. Those that waited too long for a root are closed on the way.
    pub fn due(&mut self, now: Instant) -> Vec<TraceId> {
        let due = self.assembly.due(now, MOST_DUE);
        for id in &due {
            if self.assembly.get(*id).is_some_and(|trace| trace.must_close(&self.settings, now)) {
                self.close(*id);
            }
        }
        due
    }

    fn close(&mut self, id: TraceId) {
        self.change(id, |trace| {
            trace.closed = true;
            trace.info.needed = true;
        });
    }

    /// A trace is being closed for want of a root.
    pub fn notify_closed(&mut self, id: TraceId) {
        let message = format!(
            "trace tr-{id} is closed: no root span came within {} s of its last span",
            self.settings.idle_ms / 1000
        );
        self.notice(Some(Notice { level: Level::Warn, topic: "closed-without-root", message }));
        self.change(id, |trace| trace.info.looked_up = true);
    }
}

/// How many traces one poll looks at: more than it can send, and few enough that looking costs nothing.
const MOST_DUE: usize = 4_096;
