//! Assessments of one trace that are not in MLflow yet.
//!
//! An assessment is known by its id: of two versions the greater counts, in any order of arrival, and the receipts of both
//! wait for it. An assessment whose trace is not in MLflow waits, and is tried again when spans of the trace went.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::contract::{Instant, Receipt};
use crate::feedback::assessment::{Assessment, AssessmentVersion};

/// The span that brought feedback, kept until its feedback is in MLflow.
#[derive(Debug, PartialEq, Eq)]
pub struct Carrier {
    /// Lower-case hexadecimal.
    pub trace_id: String,
    /// Lower-case hexadecimal.
    pub span_id: String,
    /// A payload of this span alone, without added attributes.
    pub payload: Vec<u8>,
    /// How many assessments share it.
    pub shares: usize,
    /// Whether it is sent, as a span of its own trace.
    pub sent: bool,
}

/// What is to be done next for an assessment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Find the trace of its session.
    FindTrace,
    /// Create it.
    Create,
    /// MLflow has one of this id, perhaps: look.
    Look,
    /// MLflow has an older version, which has to go first: an update would keep what only the older one has.
    Remove,
}

/// One assessment.
#[derive(Debug)]
pub struct Entry {
    /// What MLflow shall have.
    pub assessment: Assessment,
    /// The session that it is about.
    pub session: Option<String>,
    /// The workspace, where the server has them.
    pub workspace: Option<String>,
    /// The span that brought it; none when it came in a trace's JSON.
    pub carrier: Option<Arc<Carrier>>,
    /// What is next.
    pub step: Step,
    /// Not to be tried before then.
    pub not_before: Instant,
    /// Since when MLflow has said that its trace is not there.
    pub missing_since: Option<Instant>,
    /// How often it was tried in vain.
    pub failures: u32,
    /// How often MLflow failed on it, a repetition aside.
    pub crashes: u32,
    /// How many requests MLflow had accepted before it first failed on it.
    pub accepted_before: Option<u64>,
    /// Shares of receipts that wait for it.
    pub receipts: Vec<Receipt>,
}

/// The assessments of one trace, by id.
#[derive(Debug, Default)]
pub struct PendingAssessments {
    entries: BTreeMap<String, Entry>,
    bytes: usize,
}

/// Bytes that an assessment costs beside its own.
const ENTRY_COST: usize = 256;

impl PendingAssessments {
    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether one of this id waits.
    pub fn contains(&self, id: &str) -> bool {
        self.entries.contains_key(id)
    }

    /// Takes an assessment in; of two with one id the greater version stays, with the receipts of both.
    pub fn insert(&mut self, mut entry: Entry) {
        if let Some(before) = self.take(&entry.assessment.id) {
            let (mut stays, goes) =
                if before.assessment.version < entry.assessment.version { (entry, before) } else { (before, entry) };
            stays.receipts.extend(goes.receipts);
            entry = stays;
        }
        self.bytes += entry.size();
        self.entries.insert(entry.assessment.id.clone(), entry);
    }

    /// Takes an assessment out.
    pub fn take(&mut self, id: &str) -> Option<Entry> {
        let entry = self.entries.remove(id)?;
        self.bytes = self.bytes.saturating_sub(entry.size());
        Some(entry)
    }

    /// Takes an assessment out if it still is this version.
    pub fn mark_delivered(&mut self, id: &str, version: AssessmentVersion) -> Option<Entry> {
        let is_this = self.entries.get(id).is_some_and(|entry| entry.assessment.version == version);
        if is_this { self.take(id) } else { None }
    }

    /// An assessment.
    pub fn get(&self, id: &str) -> Option<&Entry> {
        self.entries.get(id)
    }

    /// Changes an assessment's progress.
    pub fn progress(&mut self, id: &str, change: impl FnOnce(&mut Entry)) {
        if let Some(mut entry) = self.take(id) {
            change(&mut entry);
            self.insert(entry);
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// Those to be tried by now.
    pub fn ready(&self, now: Instant) -> impl Iterator<Item = &Entry> {
        self.entries.values().filter(move |entry| entry.not_before <= now)
    }

    /// When the first of them is to be tried.
    pub fn due(&self) -> Option<Instant> {
        self.entries.values().map(|entry| entry.not_before).min()
    }

    /// Try all of them at once.
    pub fn retry_now(&mut self) {
        self.entries.values_mut().for_each(|entry| entry.not_before = 0);
    }

    /// Bytes held.
    pub fn size(&self) -> usize {
        self.bytes
    }
}

impl Entry {
    /// An assessment that was not tried yet. What is about a session has to find its trace first.
    pub fn new(
        assessment: Assessment,
        session: Option<String>,
        workspace: Option<String>,
        carrier: Option<Arc<Carrier>>,
    ) -> Self {
        let step = if session.is_some() { Step::FindTrace } else { Step::Create };
        Self {
            assessment,
            session,
            workspace,
            carrier,
            step,
            not_before: 0,
            missing_since: None,
            failures: 0,
            crashes: 0,
            accepted_before: None,
            receipts: Vec::new(),
        }
    }

    fn size(&self) -> usize {
        let carrier = self.carrier.as_ref().map_or(0, |carrier| carrier.payload.len() / carrier.shares.max(1));
        ENTRY_COST + self.assessment.size() + carrier + self.receipts.len() * size_of::<Receipt>()
    }
}
