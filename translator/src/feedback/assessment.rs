//! Assessments: feedback as MLflow stores and shows it (`mlflow/entities/assessment.py`, MLflow 3.17).
//!
//! | feedback | assessment |
//! |---|---|
//! | score | the value: MLflow charts and averages numbers; the label then goes into the metadata |
//! | label, where there is no score | the value |
//! | explanation | the rationale; the value where there is nothing else, for MLflow wants one |
//! | annotator `HUMAN`, `LLM`, `CODE` | source type `HUMAN`, `LLM_JUDGE`, `CODE`; any other word is kept in the metadata and is `CODE`, MLflow's default |
//! | identifier | the source's id, and in the metadata |
//! | metadata | metadata, which MLflow holds as text |
//! | session | metadata `mlflow.trace.session`, as MLflow's own assessments of sessions have it |
//!
//! The id is a digest of what identifies feedback: target, name, source and identifier, so that MLflow refuses a
//! repetition. Without an identifier the content takes its place, as OpenInference leaves it open what such feedback is
//! the same as: the same words are one assessment, and two opinions stay two.

use serde_json::{Map, Value, json};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::feedback::{Feedback, FeedbackSubject};
use crate::mlflow::{keys, tags, trace_info};

/// In the metadata: which [`AssessmentVersion`] of the assessment this is.
const VERSION: &str = "openinference_mlflow.version";

/// MLflow's name for feedback without one (`DEFAULT_FEEDBACK_NAME`).
const UNNAMED: &str = "feedback";
/// The greatest length of a name and of a source's id, in characters.
const MAX_NAME: usize = 250;

/// Which of two assessments of one id counts: the later, then the one with the greater digest of its content. An
/// assessment that this project did not make is older than any other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct AssessmentVersion {
    /// Nanoseconds since the Unix epoch.
    time: u64,
    digest: u64,
}

/// One assessment.
#[derive(Clone, Debug, PartialEq)]
pub struct Assessment {
    /// `a-` and 32 hexadecimal digits, as MLflow makes them, or whatever another writer has chosen.
    pub id: String,
    /// Which of several of this id counts.
    pub version: AssessmentVersion,
    body: Map<String, Value>,
}

impl Assessment {
    /// The assessment for a piece of feedback. `experiment` is any text that identifies the experiment: sessions of one name
    /// may be in several.
    pub fn of(feedback: &Feedback, experiment: &str) -> Self {
        let source_type = source_type(feedback.annotator.as_deref());
        let mut content = content(feedback, source_type);
        let digest = xxh3_64(Value::Object(content.clone()).to_string().as_bytes());
        let version = AssessmentVersion { time: feedback.time, digest };
        let id = id(feedback, experiment, source_type, digest);
        if let Some(Value::Object(metadata)) = content.get_mut("metadata") {
            metadata.insert(VERSION.into(), version.text().into());
        }
        let time = trace_info::rfc3339(feedback.time / 1_000_000);
        content.insert("assessment_id".into(), id.as_str().into());
        content.insert("trace_id".into(), trace_id(feedback.target.trace_id).into());
        content.insert("create_time".into(), time.as_str().into());
        content.insert("last_update_time".into(), time.into());
        content.insert("valid".into(), true.into());
        Self { id, version, body: content }
    }

    /// Reads an assessment's JSON, from any writer; `None` when it is no object.
    #[cfg(feature = "json")]
    pub fn from_json(value: Value) -> Option<Self> {
        let Value::Object(mut body) = value else { return None };
        let version = AssessmentVersion::read(&body);
        let id = match body.get("assessment_id").and_then(Value::as_str).filter(|id| !id.is_empty()) {
            Some(id) => id.to_owned(),
            None => {
                let mut hasher = Xxh3::new();
                hasher.update(Value::Object(body.clone()).to_string().as_bytes());
                format!("a-{:032x}", hasher.digest128())
            }
        };
        body.insert("assessment_id".into(), id.as_str().into());
        Some(Self { id, version, body })
    }

    /// The JSON that MLflow reads, on this trace.
    pub fn to_json(&self, trace: &str) -> Value {
        let mut body = self.body.clone();
        body.insert("trace_id".into(), trace.into());
        Value::Object(body)
    }

    /// Bytes held, roughly: what the JSON takes.
    pub fn size(&self) -> usize {
        self.id.len() + size(&self.body)
    }
}

impl AssessmentVersion {
    /// The version of an assessment's JSON: the least there is when it does not say.
    pub fn read(body: &Map<String, Value>) -> Self {
        let text = body.get("metadata").and_then(|metadata| metadata.get(VERSION)).and_then(Value::as_str);
        let parts = text.and_then(|text| text.split_once('-'));
        let version = parts.and_then(|(time, digest)| {
            Some(Self { time: time.parse().ok()?, digest: u64::from_str_radix(digest, 16).ok()? })
        });
        version.unwrap_or_default()
    }

    fn text(self) -> String {
        format!("{}-{:016x}", self.time, self.digest)
    }
}

fn trace_id(id: [u8; 16]) -> String {
    format!("tr-{:032x}", u128::from_be_bytes(id))
}

fn source_type(annotator: Option<&str>) -> &'static str {
    let word = annotator.unwrap_or_default();
    let is = |known: &str| word.eq_ignore_ascii_case(known);
    match word {
        _ if is("HUMAN") => "HUMAN",
        _ if is("LLM") || is("LLM_JUDGE") => "LLM_JUDGE",
        _ => "CODE",
    }
}

/// What the feedback says, without its id and its times.
fn content(feedback: &Feedback, source_type: &str) -> Map<String, Value> {
    let Feedback { target, name, score, label, explanation, annotator, identifier, metadata, .. } = feedback;
    let text = |text: &String| Value::from(text.replace('\0', "\u{fffd}"));
    let (label, explanation) = (label.as_ref().map(text), explanation.as_ref().map(text));
    let mut notes: Map<String, Value> = metadata.iter().map(|(key, value)| (key.clone(), text(value))).collect();
    let mut note = |key: &str, value: Option<Value>| notes.extend(value.map(|value| (key.to_owned(), value)));
    note("openinference.label", label.clone().filter(|_| score.is_some()));
    note("openinference.identifier", identifier.as_ref().map(text));
    let custom = annotator.as_ref().filter(|word| source_type == "CODE" && !word.eq_ignore_ascii_case("CODE"));
    note("openinference.annotator_kind", custom.map(text));
    if let FeedbackSubject::Session(session) = &target.subject {
        note(keys::TRACE_SESSION, Some(text(session)));
    }
    let rationale = explanation.clone().filter(|_| score.is_some() || label.is_some());
    let value = score.clone().or(label).or(explanation).unwrap_or_default();
    let mut content = Map::new();
    content.insert("assessment_name".into(), short(if name.is_empty() { UNNAMED } else { name }).into());
    let source_id = identifier.as_ref().map_or_else(|| "default".to_owned(), |identifier| short(identifier));
    content.insert("source".into(), json!({"source_type": source_type, "source_id": source_id}));
    content.insert("feedback".into(), json!({ "value": value }));
    content.extend(rationale.map(|rationale| ("rationale".into(), rationale)));
    if let FeedbackSubject::Span(span_id) = target.subject {
        content.insert("span_id".into(), format!("{:016x}", u64::from_be_bytes(span_id)).into());
    }
    content.insert("metadata".into(), notes.into());
    content
}

fn short(text: &str) -> String {
    tags::truncate(text, MAX_NAME).replace('\0', "\u{fffd}")
}

fn id(feedback: &Feedback, experiment: &str, source_type: &str, content: u64) -> String {
    let mut hasher = Xxh3::new();
    let mut put = |part: &[u8]| {
        // With their lengths, or two parts could pass for other two.
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    };
    match &feedback.target.subject {
        FeedbackSubject::Span(span_id) => [b"span".as_slice(), &feedback.target.trace_id, span_id].map(&mut put),
        FeedbackSubject::Trace => [b"trace".as_slice(), &feedback.target.trace_id, &[]].map(&mut put),
        FeedbackSubject::Session(session) => {
            [b"session".as_slice(), experiment.as_bytes(), session.as_bytes()].map(&mut put)
        }
    };
    put(feedback.name.as_bytes());
    put(source_type.as_bytes());
    match &feedback.identifier {
        Some(identifier) => put(identifier.as_bytes()),
        None => put(&content.to_le_bytes()),
    }
    format!("a-{:032x}", hasher.digest128())
}

fn size(object: &Map<String, Value>) -> usize {
    /// What a value costs beside its text.
    const ENTRY: usize = 64;
    fn of(value: &Value) -> usize {
        ENTRY
            + match value {
                Value::String(text) => text.len(),
                Value::Array(items) => items.iter().map(of).sum(),
                Value::Object(entries) => size(entries),
                Value::Null | Value::Bool(_) | Value::Number(_) => 0,
            }
    }
    object.iter().map(|(key, value)| key.len() + of(value)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feedback::FeedbackTarget;

    fn feedback() -> Feedback {
        Feedback {
            target: FeedbackTarget { trace_id: [1; 16], subject: FeedbackSubject::Span([2; 8]) },
            name: "correctness".into(),
            score: Some(0.5.into()),
            label: None,
            explanation: None,
            annotator: Some("HUMAN".into()),
            identifier: None,
            metadata: Vec::new(),
            time: 1_700_000_000_123_456_789,
        }
    }

    fn id(change: impl Fn(&mut Feedback)) -> String {
        let mut feedback = feedback();
        change(&mut feedback);
        Assessment::of(&feedback, "0").id
    }

    #[test]
    fn an_id_fits_mlflows_column_and_tells_apart_what_is_not_the_same() {
        type Change = fn(&mut Feedback);
        let changes: [Change; 8] = [
            |_| {},
            |feedback| feedback.name.push('s'),
            |feedback| feedback.annotator = None,
            |feedback| feedback.score = Some(1.into()),
            |feedback| feedback.identifier = Some("me".into()),
            |feedback| feedback.target.subject = FeedbackSubject::Trace,
            |feedback| feedback.target.subject = FeedbackSubject::Span([3; 8]),
            |feedback| feedback.target.trace_id = [9; 16],
        ];
        let ids: std::collections::BTreeSet<_> = changes.into_iter().map(id).collect();
        assert_eq!(ids.len(), changes.len());
        assert!(ids.iter().all(|id| id.len() <= 50));
    }

    #[test]
    fn with_an_identifier_the_content_has_no_part_in_the_id() {
        let identified = |feedback: &mut Feedback| feedback.identifier = Some("me".into());
        let changed = |feedback: &mut Feedback| {
            identified(feedback);
            feedback.score = None;
            feedback.label = Some("bad".into());
        };
        assert_eq!(id(identified), id(changed));
    }

    #[test]
    fn sessions_of_one_name_in_two_experiments_are_two() {
        let mut feedback = feedback();
        feedback.target.subject = FeedbackSubject::Session("s".into());
        let other_trace =
            Feedback { target: FeedbackTarget { trace_id: [9; 16], ..feedback.target.clone() }, ..feedback.clone() };
        assert_eq!(Assessment::of(&feedback, "1").id, Assessment::of(&other_trace, "1").id);
        assert_ne!(Assessment::of(&feedback, "1").id, Assessment::of(&feedback, "2").id);
    }

    #[test]
    fn an_assessment_that_was_read_back_has_the_version_it_was_sent_with() {
        let sent = Assessment::of(&feedback(), "0");
        let read = Assessment::from_json(sent.to_json("tr-1")).unwrap();
        assert_eq!((read.id, read.version), (sent.id, sent.version));
        let foreign = Assessment::from_json(json!({"assessment_name": "x", "feedback": {"value": 1}})).unwrap();
        assert!(foreign.version < sent.version && foreign.id.starts_with("a-"));
    }

    #[test]
    fn the_later_version_counts() {
        let early = Assessment::of(&feedback(), "0").version;
        let late =
            Assessment::of(&Feedback { time: feedback().time + 1, score: Some(0.into()), ..feedback() }, "0").version;
        assert!(early < late);
    }
}
