//! One project: its traces page by page, each with its annotations, then the annotations of its sessions.

use std::collections::HashMap;

use anyhow::bail;
use indicatif::ProgressBar;
use serde_json::Value;

use super::api::{self, Annotation, Interval, Page, Project, Scope, Session, Trace, Wanted};
use super::batches::batches;
use super::carrier::{Judged, carrier};
use super::client::Phoenix;
use super::failure::Failure;
use super::sink::{Parcel, Sink};
use super::span;
use super::tally::Tally;
use crate::command::transfer::Fingerprint;

/// Traces of one page.
const TRACES: usize = 100;
/// The most spans of one payload, and of the payloads that are read together.
const SPANS: usize = 500;
/// The most spans, traces or sessions to ask for annotations of: where there are none, Phoenix takes as long for one.
const SUBJECTS: usize = 200;

/// An import at work.
pub(super) struct Import {
    pub(super) phoenix: Phoenix,
    pub(super) sink: Sink,
    pub(super) interval: Interval,
    /// How many spans to name in one request.
    pub(super) page: usize,
    pub(super) again: bool,
    pub(super) tally: Tally,
    pub(super) bar: ProgressBar,
}

/// Spans of one trace that are sent together: all of them, unless there are many.
struct Chunk<'a> {
    ids: &'a [&'a str],
    fingerprint: Fingerprint,
}

// === impl Import ===

impl Import {
    /// Imports one project.
    pub(super) async fn project(&mut self, project: &Project) -> anyhow::Result<()> {
        self.tally.projects.push(project.name.clone());
        let (mut cursor, mut limit): (Option<String>, _) = (None, TRACES);
        loop {
            let Page { data, next_cursor } =
                match api::traces(&mut self.phoenix, project, &self.interval, limit, cursor.as_deref()).await {
                    Err(Failure::Content(_)) if limit > 1 => {
                        limit /= 2;
                        continue;
                    }
                    Err(Failure::NotFound) => bail!("the project {} was deleted in Phoenix meanwhile", project.name),
                    Err(Failure::Content(reason)) => {
                        bail!("the traces of {} cannot be listed: Phoenix {reason}", project.name)
                    }
                    page => page?,
                };
            self.spans(project, &data).await?;
            self.annotations(project, &data).await?;
            self.bar.inc(data.len() as u64);
            if next_cursor.is_none() || next_cursor == cursor {
                break;
            }
            cursor = next_cursor;
        }
        self.sessions(project).await
    }

    async fn spans(&mut self, project: &Project, traces: &[Trace]) -> anyhow::Result<()> {
        let ids: Vec<(&str, Vec<&str>)> = traces.iter().map(|trace| (trace.trace_id.as_str(), trace.ids())).collect();
        let mut chunks = Vec::new();
        for (trace_id, ids) in &ids {
            let before = chunks.len();
            for ids in ids.chunks(SPANS) {
                let words: Vec<_> = ["spans", &project.name, trace_id].into_iter().chain(ids.iter().copied()).collect();
                let fingerprint = self.sink.fingerprint(&words);
                if self.again || !self.sink.knows(&fingerprint) {
                    chunks.push(Chunk { ids, fingerprint });
                }
            }
            if chunks.len() > before { self.tally.traces += 1 } else { self.tally.known_traces += 1 }
        }
        self.tally.spans += chunks.iter().map(|chunk| chunk.ids.len()).sum::<usize>();
        if self.sink.is_dry() {
            return Ok(());
        }
        let mut rest = chunks.as_slice();
        while !rest.is_empty() {
            let mut size = 0;
            let fits = |chunk: &&Chunk<'_>| {
                size += chunk.ids.len();
                size <= SPANS
            };
            let (now, later) = rest.split_at(rest.iter().take_while(fits).count().max(1));
            self.chunks(project, now).await?;
            rest = later;
        }
        Ok(())
    }

    /// Asks for the spans of these chunks, and sends each chunk.
    async fn chunks(&mut self, project: &Project, chunks: &[Chunk<'_>]) -> anyhow::Result<()> {
        let ids: Vec<_> = chunks.iter().flat_map(|chunk| chunk.ids).copied().collect();
        let mut found: HashMap<String, Value> = HashMap::with_capacity(ids.len());
        for item in self.items(project, Wanted::Spans, &ids).await? {
            match span::sent(item) {
                Some((id, span)) => drop(found.insert(id, span)),
                None => self.tally.unreadable(&format!("project {}: Phoenix gives a span without ids", project.name)),
            }
        }
        for Chunk { ids, fingerprint } in chunks {
            let spans: Vec<_> = ids.iter().filter_map(|id| found.remove(*id)).collect();
            let gone = ids.len() - spans.len();
            // What is not whole is asked for again by the next import.
            let remember = if gone == 0 { vec![*fingerprint] } else { Vec::new() };
            self.tally.gone += gone;
            if !spans.is_empty() {
                self.sink.send(&project.name, Parcel { spans, remember }).await?;
            }
        }
        Ok(())
    }

    /// The annotations of these traces and of their spans.
    async fn annotations(&mut self, project: &Project, traces: &[Trace]) -> anyhow::Result<()> {
        let of_trace = traces.iter().map(|trace| trace.trace_id.as_str());
        let of_span = traces.iter().flat_map(|trace| trace.ids().into_iter().map(|id| (id, trace.trace_id.as_str())));
        let owners: HashMap<&str, &str> = of_span.chain(of_trace.clone().map(|id| (id, id))).collect();
        let spans: Vec<_> = traces.iter().flat_map(Trace::ids).collect();
        for (scope, ids) in [(Scope::Span, spans), (Scope::Trace, of_trace.collect())] {
            self.judgements(project, scope, &ids, &owners).await?;
        }
        Ok(())
    }

    /// The annotations of sessions. Their traces have to be in MLflow.
    async fn sessions(&mut self, project: &Project) -> anyhow::Result<()> {
        let mut cursor: Option<String> = None;
        loop {
            let page = api::sessions(&mut self.phoenix, project, cursor.as_deref()).await?;
            let newest = |session: &Session| {
                let mut traces = session.traces.iter().rev();
                Some(traces.find(|trace| self.interval.has(&trace.start_time))?.trace_id.clone())
            };
            let newest: Vec<_> = page.data.iter().filter_map(|each| Some((&each.session_id, newest(each)?))).collect();
            let owners: HashMap<&str, &str> =
                newest.iter().map(|(session, trace)| (session.as_str(), trace.as_str())).collect();
            let ids: Vec<_> = newest.iter().map(|(session, _)| session.as_str()).collect();
            self.judgements(project, Scope::Session, &ids, &owners).await?;
            if page.next_cursor.is_none() || page.next_cursor == cursor {
                return Ok(());
            }
            cursor = page.next_cursor;
        }
    }

    /// The annotations of these subjects, each of which belongs to a trace.
    async fn judgements(
        &mut self,
        project: &Project,
        scope: Scope,
        ids: &[&str],
        owners: &HashMap<&str, &str>,
    ) -> anyhow::Result<()> {
        let mut parcel = Parcel { spans: Vec::new(), remember: Vec::new() };
        for item in self.items(project, Wanted::Annotations(scope), ids).await? {
            let annotation = serde_json::from_value::<Annotation>(item).ok();
            let Some(annotation) = annotation.filter(|annotation| api::time(&annotation.updated_at).is_some()) else {
                self.tally.unreadable(&format!("project {}: an annotation cannot be read", project.name));
                continue;
            };
            let Some(trace_id) = owners.get(annotation.subject.as_str()) else { continue };
            let Some(carrier) = carrier(&annotation, Judged { scope, trace_id }) else { continue };
            let fingerprint = self.sink.fingerprint(&["annotation", &project.name, &carrier.to_string()]);
            if !self.again && self.sink.knows(&fingerprint) {
                self.tally.known_annotations += 1;
                continue;
            }
            self.tally.annotations += 1;
            parcel.spans.push(carrier);
            parcel.remember.push(fingerprint);
        }
        if parcel.spans.is_empty() {
            return Ok(());
        }
        if scope == Scope::Session {
            self.sink.settle().await?;
        }
        self.sink.send(&project.name, parcel).await
    }

    /// What there is of these ids. What Phoenix fails on costs nothing else.
    async fn items(&mut self, project: &Project, wanted: Wanted, ids: &[&str]) -> anyhow::Result<Vec<Value>> {
        let mut found = Vec::new();
        let most = if wanted == Wanted::Spans { self.page } else { SUBJECTS };
        let mut parts = batches(ids, most);
        parts.reverse();
        while let Some(mut part) = parts.pop() {
            self.sink.collect()?;
            match api::items(&mut self.phoenix, project, wanted, &part).await {
                Ok(items) => found.extend(items),
                Err(Failure::Content(_)) if part.len() > 1 => {
                    let second = part.split_off(part.len() / 2);
                    parts.extend([second, part]);
                }
                Err(Failure::Content(reason)) => {
                    let what = if wanted == Wanted::Spans { "span" } else { "annotations of" };
                    self.tally.unreadable(&format!("{what} {}: Phoenix {reason}", part.concat()));
                }
                Err(Failure::NotFound) => bail!("the project {} was deleted in Phoenix meanwhile", project.name),
                Err(Failure::Other(error)) => return Err(error),
            }
        }
        Ok(found)
    }
}
