//! Phoenix's REST API, as far as the import reads it (`phoenix/server/api/routers/v1`, Phoenix 20.26).
//!
//! | what | where | order, limits |
//! |---|---|---|
//! | projects | `projects` | newest first |
//! | traces, with the ids of their spans | `projects/{id}/traces?include_spans=true` | by start; half-open interval of starts |
//! | spans | `projects/{id}/spans/otlpv1?span_id=…` | at most 1,000 |
//! | annotations of spans and traces | `projects/{id}/span_annotations`, `…/trace_annotations` | at most 1,000 ids; 404 when Phoenix has none of them |
//! | sessions, with their traces | `projects/{id}/sessions` | by id |
//! | annotations of sessions | `projects/{id}/session_annotations` | as above |
//!
//! Spans are asked for by their ids, not page by page: so a trace comes whole, and a span on which Phoenix fails costs no
//! other. Pages follow each other by an opaque cursor. A project's id stands for its name, which may hold a slash.

use std::collections::HashSet;
use std::time::SystemTime;

use humantime::format_rfc3339_micros;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::client::Phoenix;
use super::failure::Failure;

/// Projects of one page.
const PROJECTS: &str = "1000";
/// Sessions of one page.
const SESSIONS: &str = "100";
/// Spans or annotations of one page.
const ITEMS: &str = "1000";

/// A part of a list.
#[derive(Debug, Deserialize)]
pub(super) struct Page<T> {
    pub(super) data: Vec<T>,
    /// Where the next part begins.
    #[serde(default)]
    pub(super) next_cursor: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Project {
    pub(super) id: String,
    pub(super) name: String,
}

/// A trace, without the content of its spans.
#[derive(Debug, Deserialize)]
pub(super) struct Trace {
    pub(super) trace_id: String,
    pub(super) spans: Vec<SpanId>,
}

#[derive(Debug, Deserialize)]
pub(super) struct SpanId {
    pub(super) span_id: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Session {
    pub(super) session_id: String,
    /// By start.
    pub(super) traces: Vec<SessionTrace>,
}

#[derive(Debug, Deserialize)]
pub(super) struct SessionTrace {
    pub(super) trace_id: String,
    pub(super) start_time: String,
}

/// A judgement of a span, a trace or a session.
#[derive(Debug, Deserialize)]
pub(super) struct Annotation {
    /// What is judged.
    #[serde(alias = "span_id", alias = "trace_id", alias = "session_id")]
    pub(super) subject: String,
    pub(super) name: String,
    pub(super) annotator_kind: String,
    #[serde(default)]
    pub(super) result: Option<AnnotationResult>,
    #[serde(default)]
    pub(super) metadata: Option<Map<String, Value>>,
    #[serde(default)]
    pub(super) identifier: String,
    /// RFC 3339.
    pub(super) updated_at: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AnnotationResult {
    pub(super) label: Option<String>,
    pub(super) score: Option<f64>,
    pub(super) explanation: Option<String>,
}

/// What annotations are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    Span,
    Trace,
    Session,
}

/// What to ask for, of given ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// These spans.
    Spans,
    /// The annotations of these.
    Annotations(Scope),
}

/// Which traces to import, by their start.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Interval {
    /// Then or later.
    pub(super) since: Option<SystemTime>,
    /// Before then.
    pub(super) until: Option<SystemTime>,
}

impl Trace {
    /// The ids of its spans.
    pub(super) fn ids(&self) -> Vec<&str> {
        self.spans.iter().map(|span| span.span_id.as_str()).collect()
    }
}

impl Interval {
    /// Whether a trace that began at this time, as the API writes it, is in it.
    pub(super) fn has(&self, start: &str) -> bool {
        let within =
            |start| self.since.is_none_or(|since| since <= start) && self.until.is_none_or(|until| start < until);
        time(start).is_some_and(within)
    }
}

/// A time as the API writes it, which is in UTC.
pub(super) fn time(text: &str) -> Option<SystemTime> {
    let utc = text.strip_suffix("+00:00").unwrap_or(text.trim_end_matches('Z'));
    humantime::parse_rfc3339(&format!("{utc}Z")).ok()
}

/// Every project, also those of Phoenix's own experiments if they are wanted.
pub(super) async fn projects(phoenix: &mut Phoenix, of_experiments: bool) -> Result<Vec<Project>, Failure> {
    let of_experiments = if of_experiments { "true" } else { "false" };
    let query = [
        ("limit", PROJECTS),
        ("include_experiment_projects", of_experiments),
        ("include_dataset_evaluator_projects", of_experiments),
    ];
    let mut projects = all(phoenix, &["projects"], &query).await?;
    // The oldest first, and each once, whatever was made between two pages.
    projects.reverse();
    let mut seen = HashSet::new();
    projects.retain(|project: &Project| seen.insert(project.id.clone()));
    Ok(projects)
}

/// Traces from this cursor on, the earliest first.
pub(super) async fn traces(
    phoenix: &mut Phoenix,
    project: &Project,
    interval: &Interval,
    limit: usize,
    cursor: Option<&str>,
) -> Result<Page<Trace>, Failure> {
    let limit = limit.to_string();
    let mut query = vec![("sort", "start_time"), ("order", "asc"), ("include_spans", "true"), ("limit", &limit)];
    let [since, until] = [interval.since, interval.until].map(|at| at.map(|at| format_rfc3339_micros(at).to_string()));
    query.extend(since.as_deref().map(|since| ("start_time", since)));
    query.extend(until.as_deref().map(|until| ("end_time", until)));
    query.extend(cursor.map(|cursor| ("cursor", cursor)));
    phoenix.get(&["projects", &project.id, "traces"], &query).await
}

/// What there is of these spans, traces or sessions, in any order. Each item is read by itself, so that an odd one costs no
/// other.
pub(super) async fn items(
    phoenix: &mut Phoenix,
    project: &Project,
    wanted: Wanted,
    ids: &[&str],
) -> Result<Vec<Value>, Failure> {
    let (path, key): (&[&str], _) = match wanted {
        Wanted::Spans => (&["spans", "otlpv1"], "span_id"),
        Wanted::Annotations(Scope::Span) => (&["span_annotations"], "span_ids"),
        Wanted::Annotations(Scope::Trace) => (&["trace_annotations"], "trace_ids"),
        Wanted::Annotations(Scope::Session) => (&["session_annotations"], "session_ids"),
    };
    let path: Vec<_> = ["projects", &project.id].iter().chain(path).copied().collect();
    let query: Vec<_> = [("limit", ITEMS)].into_iter().chain(ids.iter().map(|id| (key, *id))).collect();
    match all(phoenix, &path, &query).await {
        // Of the annotations of what is not there, or has none.
        Err(Failure::NotFound) if wanted != Wanted::Spans => Ok(Vec::new()),
        found => found,
    }
}

/// Sessions from this cursor on.
pub(super) async fn sessions(
    phoenix: &mut Phoenix,
    project: &Project,
    cursor: Option<&str>,
) -> Result<Page<Session>, Failure> {
    let mut query = vec![("limit", SESSIONS), ("order", "asc")];
    query.extend(cursor.map(|cursor| ("cursor", cursor)));
    phoenix.get(&["projects", &project.id, "sessions"], &query).await
}

async fn all<T: DeserializeOwned>(
    phoenix: &mut Phoenix,
    path: &[&str],
    query: &[(&str, &str)],
) -> Result<Vec<T>, Failure> {
    let mut found = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let here = cursor.as_deref().map(|cursor| ("cursor", cursor));
        let query: Vec<_> = query.iter().copied().chain(here).collect();
        let page: Page<T> = phoenix.get(path, &query).await?;
        found.extend(page.data);
        match page.next_cursor {
            // A cursor that does not move on would never end.
            Some(next) if cursor.as_ref() != Some(&next) => cursor = Some(next),
            _ => return Ok(found),
        }
    }
}
