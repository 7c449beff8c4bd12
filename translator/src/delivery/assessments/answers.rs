//! What becomes of an assessment after MLflow's answer.

use serde_json::Value;

use super::session;
use super::waiting::{again, go_on, wait};
use crate::assembly::pending_assessments::Step;
use crate::contract::{Answer, Instant, Level, Response};
use crate::delivery::answers::{Failure, Verdict};
use crate::delivery::purpose::AssessmentRequest;
use crate::delivery::server::ServerDelivery;
use crate::delivery::state::BridgeState;
use crate::feedback::assessment::AssessmentVersion;

/// How often MLflow may fail on an assessment while it takes others.
const CRASHES: u32 = 4;

/// How often it may fail on one while nothing shows that it takes others: 50 minutes at the longest wait's default. It may
/// have one of that id on another trace, which no request of this trace finds.
const CRASHES_ALONE: u32 = 100;

impl ServerDelivery {
    pub(in crate::delivery) fn assessment_answered(
        &mut self,
        state: &mut BridgeState,
        sent: &AssessmentRequest,
        answer: &Answer,
        verdict: &Verdict<'_>,
        now: Instant,
    ) {
        state.change(sent.trace, |trace| trace.in_flight = trace.in_flight.saturating_sub(1));
        // Only what MLflow wrote is evidence that it works: reads succeed while its disk is full.
        match (sent.step, verdict) {
            (Step::FindTrace, Verdict::Accepted(response)) => session::found(state, sent, response, now),
            // Servers that cannot search so: the carrier's own trace will do.
            (Step::FindTrace, Verdict::Refused { .. } | Verdict::Failed(_)) => go_on(state, sent, Step::Create),
            (Step::FindTrace, _) if lacks_endpoint(answer) => go_on(state, sent, Step::Create),
            (Step::Create, Verdict::Accepted(_)) => {
                self.succeed(state);
                state.assessment_delivered(sent.trace, &sent.id, sent.version);
            }
            (Step::Look, Verdict::Accepted(response)) if stored(response) < sent.version => {
                go_on(state, sent, Step::Remove);
            }
            (Step::Look, Verdict::Accepted(_)) => state.assessment_delivered(sent.trace, &sent.id, sent.version),
            (Step::Remove, Verdict::Accepted(_)) => {
                self.succeed(state);
                go_on(state, sent, Step::Create);
            }
            // One of this id is there, or MLflow failed.
            (Step::Create, Verdict::Failed(_)) => go_on(state, sent, Step::Look),
            (Step::Create, Verdict::Refused { code, .. }) if code == "RESOURCE_ALREADY_EXISTS" => {
                go_on(state, sent, Step::Look);
            }
            (Step::Look, Verdict::Refused { status: 404, .. }) => self.failed_on(state, sent, &failing(), now),
            (_, Verdict::Refused { status: 404, .. }) => {
                wait(state, sent, "MLflow does not have that trace", now);
            }
            _ if lacks_endpoint(answer) => {
                let reason =
                    "the server knows no such request: MLflow has assessments since 3.2, or a proxy is in its way";
                wait(state, sent, reason, now);
            }
            (_, Verdict::Failed(failure)) => self.failed_on(state, sent, failure, now),
            (_, Verdict::Unavailable(failure)) => self.fail(state, failure, now),
            (_, Verdict::Refused { status, reason, .. }) => {
                let reason = format!("MLflow refuses it ({status} {reason})");
                state.quarantine_assessment(sent.trace, &sent.id, sent.version, &reason);
            }
        }
    }

    /// MLflow failed on the assessment: its fault when others succeed, the server's otherwise.
    fn failed_on(&mut self, state: &mut BridgeState, sent: &AssessmentRequest, failure: &Failure, now: Instant) {
        let successes = self.route.gate.successes;
        let (mut others_succeed, mut crashes) = (false, 0);
        again(state, sent, now, |entry| {
            entry.step = Step::Create;
            entry.crashes = entry.crashes.saturating_add(1);
            crashes = entry.crashes;
            others_succeed = successes > *entry.accepted_before.get_or_insert(successes);
        });
        if !others_succeed && crashes <= CRASHES_ALONE {
            return self.fail(state, failure, now);
        }
        if crashes > CRASHES {
            let reason = "MLflow fails on it (500), again and again";
            state.quarantine_assessment(sent.trace, &sent.id, sent.version, reason);
        }
    }
}

/// MLflow failed to create an assessment, and has none of its id.
fn failing() -> Failure {
    let message = "the MLflow server fails on an assessment (500); it is held and tried again".to_owned();
    Failure { topic: "failing", level: Level::Warn, message, retry_after: None }
}

/// The version of the assessment that MLflow has.
fn stored(response: &Response) -> AssessmentVersion {
    let found: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    found.get("assessment").and_then(Value::as_object).map(AssessmentVersion::read).unwrap_or_default()
}

/// Whether an answer says that nobody knows this path or method. Not MLflow's word: that says what it does not find.
fn lacks_endpoint(answer: &Answer) -> bool {
    let Answer::Response(response) = answer else { return false };
    matches!(response.status, 404 | 405 | 501)
}
