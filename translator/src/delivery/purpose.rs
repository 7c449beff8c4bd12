//! What the requests under way are for.

use super::batch::Batch;
use super::experiments::{ExperimentQuery, Key};
use super::runs::RunKey;
use crate::assembly::destination::TraceDestination;
use crate::assembly::ids::TraceId;
use crate::assembly::pending_assessments::Step;
use crate::feedback::assessment::AssessmentVersion;
use crate::mapping::media::AttachmentId;

/// What a request is for.
#[derive(Debug)]
pub(super) enum Purpose {
    Version,
    Experiment(Key, ExperimentQuery),
    Run(RunKey),
    Spans(Batch),
    Look(TraceId),
    Info(TraceId),
    Links(TraceId),
    Assessment(AssessmentRequest),
    Attachment(Upload),
}

/// A request that carries an attachment.
#[derive(Clone, Debug)]
pub(super) struct Upload {
    pub(super) trace: TraceId,
    pub(super) id: AttachmentId,
    pub(super) destination: TraceDestination,
}

/// A request about an assessment.
#[derive(Clone, Debug)]
pub(super) struct AssessmentRequest {
    /// The trace.
    pub(super) trace: TraceId,
    /// The assessment's id.
    pub(super) id: String,
    /// The version that was sent, or is about to be.
    pub(super) version: AssessmentVersion,
    /// What was asked.
    pub(super) step: Step,
}
