//! Experiments by name and id: looked up, created when missing, never written to when deleted.
//!
//! MLflow (3.17) answers 200 to spans for a deleted experiment and stores them where nobody sees them, so every
//! experiment is looked up before its first spans, and again when the answer is a minute old.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::answers::Verdict;
use super::requests::{self, Draft};
use crate::assembly::destination::{Experiment, TraceDestination};
use crate::contract::{Instant, Level, Notice};

/// How long an answer about an experiment holds, in milliseconds.
const HOLDS: Instant = 60_000;

/// An experiment in a workspace.
pub type Key = (Option<String>, Experiment);

#[derive(Clone, Debug)]
enum ExperimentState {
    /// A request is under way.
    Asked,
    /// Nothing is known for want of an answer; ask (again) with this question.
    Ask(ExperimentQuery),
    /// Usable under this id, and where its artifacts are.
    Id(String, Artifacts, Instant),
    /// Not usable, and why.
    Refused(String, Instant),
    /// Access was denied; ask again then.
    Denied(Instant),
}

impl ExperimentState {
    fn holds(&self, now: Instant) -> bool {
        match self {
            Self::Asked | Self::Ask(_) => true,
            Self::Id(_, _, until) | Self::Refused(_, until) | Self::Denied(until) => *until > now,
        }
    }
}

/// Where the artifacts of an experiment are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Artifacts {
    /// MLflow did not say.
    Unknown,
    /// MLflow hands them on, below this path of its artifacts.
    Proxied(String),
    /// Where clients of MLflow go themselves, or where MLflow takes none.
    Elsewhere,
}

/// What to ask the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExperimentQuery {
    /// Does it exist?
    Find,
    /// Create it.
    Create,
    /// Somebody else created it meanwhile: which is it?
    FindAgain,
}

/// Whether spans can go to an experiment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Under this id.
    Id(String),
    /// After this question is answered.
    Ask(ExperimentQuery),
    /// After an answer that is under way.
    Wait,
    /// Not before then.
    Later(Instant),
    /// No, and why.
    Refused(String),
}

/// What is known of experiments.
#[derive(Debug, Default)]
pub struct Experiments {
    known: BTreeMap<Key, ExperimentState>,
    /// What was said about each, so that it is said once.
    announced: BTreeMap<Key, String>,
}

/// Names come from senders: beyond so many, what is out of date is forgotten.
const MANY: usize = 1_000;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Found {
    experiment: Described,
    /// What `create` answers.
    experiment_id: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Described {
    experiment_id: String,
    lifecycle_stage: String,
    artifact_location: String,
}

impl Experiments {
    /// Whether spans can go to the destination's experiment.
    pub fn resolve(&self, destination: &TraceDestination, now: Instant) -> Resolution {
        match self.known.get(&key(destination)) {
            None => Resolution::Ask(ExperimentQuery::Find),
            Some(ExperimentState::Asked) => Resolution::Wait,
            Some(ExperimentState::Ask(question)) => Resolution::Ask(*question),
            Some(ExperimentState::Id(id, _, until)) if *until > now => Resolution::Id(id.clone()),
            Some(ExperimentState::Refused(reason, until)) if *until > now => Resolution::Refused(reason.clone()),
            Some(ExperimentState::Denied(until)) if *until > now => Resolution::Later(*until),
            Some(ExperimentState::Id(..) | ExperimentState::Refused(..) | ExperimentState::Denied(_)) => {
                Resolution::Ask(ExperimentQuery::Find)
            }
        }
    }

    /// Where the artifacts of the destination's experiment are.
    pub fn artifacts(&self, destination: &TraceDestination, now: Instant) -> Artifacts {
        match self.known.get(&key(destination)) {
            Some(ExperimentState::Id(_, artifacts, until)) if *until > now => artifacts.clone(),
            _ => Artifacts::Unknown,
        }
    }

    /// MLflow takes no artifacts of an experiment, until it is looked up again.
    pub fn disable_artifacts(&mut self, key: &Key) {
        if let Some(ExperimentState::Id(_, artifacts, _)) = self.known.get_mut(key) {
            *artifacts = Artifacts::Elsewhere;
        }
    }

    /// The request for a question, which counts as under way from now on.
    pub fn ask(&mut self, key: &Key, question: ExperimentQuery) -> Draft {
        self.known.insert(key.clone(), ExperimentState::Asked);
        let draft = match (question, &key.1) {
            (ExperimentQuery::Create, Experiment::Name(name)) => requests::create_experiment(name),
            (_, experiment) => requests::find_experiment(experiment),
        };
        draft.workspace(key.0.as_deref())
    }

    /// Spans came back because the experiment is gone: look it up again.
    pub fn forget(&mut self, key: &Key) {
        self.known.remove(key);
    }

    /// The server gave no answer to a question: ask it again when the server is back.
    pub fn unanswered(&mut self, key: Key, question: ExperimentQuery) {
        self.known.insert(key, ExperimentState::Ask(question));
    }

    /// What the server said to a question; returns what a person should know.
    pub fn answered(
        &mut self,
        key: Key,
        question: ExperimentQuery,
        verdict: &Verdict<'_>,
        now: Instant,
    ) -> Option<Notice> {
        let (known, notice) = match verdict {
            Verdict::Accepted(response) => match serde_json::from_slice::<Found>(&response.body) {
                Ok(found) => usable(&key.1, question, found, now),
                Err(_) => denied(&key.1, "answered something that is not an experiment", now),
            },
            Verdict::Refused { status, code, .. } => self::refused(&key.1, question, *status, code, now),
            Verdict::Failed(failure) | Verdict::Unavailable(failure) => {
                held(format!("no answer about {}: {}", describe(&key.1), failure.message), now)
            }
        };
        if self.known.len() > MANY {
            self.known.retain(|_, known| known.holds(now));
            self.announced.clear();
        }
        self.known.insert(key.clone(), known);
        let notice = notice?;
        let is_new = self.announced.get(&key) != Some(&notice.message);
        self.announced.insert(key, notice.message.clone());
        is_new.then_some(notice)
    }
}

/// The experiment of a destination.
pub fn key(destination: &TraceDestination) -> Key {
    (destination.workspace.clone(), destination.experiment.clone())
}

fn usable(
    experiment: &Experiment,
    question: ExperimentQuery,
    found: Found,
    now: Instant,
) -> (ExperimentState, Option<Notice>) {
    let until = now.saturating_add(HOLDS);
    if found.experiment.lifecycle_stage == "deleted" {
        let id = &found.experiment.experiment_id;
        let reason = format!(
            "{} is deleted: restore it (`mlflow experiments restore --experiment-id {id}`) or name another one",
            describe(experiment)
        );
        return (ExperimentState::Refused(reason.clone(), until), Some(notice(Level::Error, reason)));
    }
    // The answer to a creation does not say where artifacts go; every other answer about the experiment does.
    let created = question == ExperimentQuery::Create;
    let artifacts = if created { Artifacts::Unknown } else { artifacts(&found.experiment.artifact_location) };
    let Found { experiment: found, experiment_id: at_once } = found;
    let id = if at_once.is_empty() { found.experiment_id } else { at_once };
    if id.is_empty() {
        return denied(experiment, "answered without an experiment id", now);
    }
    let said = created.then(|| notice(Level::Info, format!("created {} (id {id})", describe(experiment))));
    (ExperimentState::Id(id, artifacts, until), said)
}

/// Where an artifact location says that artifacts are: only with `mlflow-artifacts:/` and no host is it the server asked.
fn artifacts(location: &str) -> Artifacts {
    match location.strip_prefix("mlflow-artifacts:/") {
        Some(path) if !path.starts_with('/') => Artifacts::Proxied(path.trim_end_matches('/').to_owned()),
        _ => Artifacts::Elsewhere,
    }
}

fn refused(
    experiment: &Experiment,
    question: ExperimentQuery,
    status: u16,
    code: &str,
    now: Instant,
) -> (ExperimentState, Option<Notice>) {
    let until = now.saturating_add(HOLDS);
    match (experiment, question) {
        (Experiment::Name(_), ExperimentQuery::Find) if code == "RESOURCE_DOES_NOT_EXIST" || status == 404 => {
            (ExperimentState::Ask(ExperimentQuery::Create), None)
        }
        // Somebody else created it meanwhile.
        (Experiment::Name(_), ExperimentQuery::Create) if code == "RESOURCE_ALREADY_EXISTS" => {
            (ExperimentState::Ask(ExperimentQuery::FindAgain), None)
        }
        (Experiment::Name(_), ExperimentQuery::FindAgain) => {
            denied(experiment, "says both that it exists and that it does not", now)
        }
        // Who may write spans need not be allowed to look experiments up.
        (Experiment::Id(id), _) if status == 403 => {
            (ExperimentState::Id(id.clone(), Artifacts::Elsewhere, until), None)
        }
        (_, _) if status == 403 => denied(experiment, "denied access (403)", now),
        (Experiment::Id(_), _) => {
            let reason =
                format!("{} does not exist on the MLflow server: create it or name another one", describe(experiment));
            (ExperimentState::Refused(reason.clone(), until), Some(notice(Level::Error, reason)))
        }
        (Experiment::Name(_), _) => {
            let reason =
                format!("{} cannot be used: MLflow answered {status} {code}; name another one", describe(experiment));
            (ExperimentState::Refused(reason.clone(), until), Some(notice(Level::Error, reason)))
        }
    }
}

fn denied(experiment: &Experiment, what: &str, now: Instant) -> (ExperimentState, Option<Notice>) {
    held(
        format!("asked for {}, the MLflow server {what}; its spans are held and tried again", describe(experiment)),
        now,
    )
}

fn held(message: String, now: Instant) -> (ExperimentState, Option<Notice>) {
    (ExperimentState::Denied(now.saturating_add(HOLDS / 2)), Some(notice(Level::Error, message)))
}

fn notice(level: Level, message: String) -> Notice {
    Notice { level, topic: "experiment", message }
}

fn describe(experiment: &Experiment) -> String {
    match experiment {
        Experiment::Id(id) => format!("experiment {id}"),
        Experiment::Name(name) => format!("experiment \"{name}\""),
    }
}
