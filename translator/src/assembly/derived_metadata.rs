//! The trace metadata that MLflow derives from spans, for servers that derive it wrongly or not at all.

use std::collections::BTreeMap;

use super::ids::SpanId;
use super::span_summary::SpanSummary;
use crate::mapping::tags;
use crate::mlflow::AddedAttributes;
use crate::mlflow::keys;
use crate::mlflow::server::ServerVersion;
use crate::mlflow::totals::{self, Node, SpanTotals};
use crate::otlp::Span;

/// What the spans of a trace say about its session, its user, its token counts and its cost.
#[derive(Clone, Debug, Default)]
pub struct DerivedMetadata {
    session: Option<String>,
    user: Option<String>,
    /// Of the spans that carry any.
    totals: BTreeMap<SpanId, SpanTotals>,
}

impl DerivedMetadata {
    /// Reads a span that is about to be sent. The first span with a session or a user names it for the trace.
    pub fn observe(&mut self, id: SpanId, span: &Span<'_>, added: &AddedAttributes<'_>) {
        self.session = self.session.take().or_else(|| tags::session(span));
        self.user = self.user.take().or_else(|| tags::user(span));
        let totals = SpanTotals::derived(span, added);
        if !totals.is_empty() {
            self.totals.insert(id, totals);
        }
    }

    /// Adds what spans that are sent later say.
    pub fn merge(&mut self, later: Self) {
        self.session = self.session.take().or(later.session);
        self.user = self.user.take().or(later.user);
        self.totals.extend(later.totals);
    }

    /// Whether a server of this version shows something else than the spans say.
    pub fn differs(&self, version: ServerVersion, spans: impl Iterator<Item = (SpanId, SpanSummary)>) -> bool {
        let names_someone = self.session.is_some() || self.user.is_some();
        version < ServerVersion::SESSIONS && names_someone
            || version < ServerVersion::TREE_TOTALS && totals::has_repetitions(&self.nodes(spans))
    }

    /// Keys and values of the trace metadata.
    pub fn entries(&self, spans: impl Iterator<Item = (SpanId, SpanSummary)>) -> Vec<(String, String)> {
        let session = self.session.iter().map(|session| (keys::TRACE_SESSION.to_owned(), session.clone()));
        let user = self.user.iter().map(|user| (keys::TRACE_USER.to_owned(), user.clone()));
        session.chain(user).chain(totals::metadata(&self.nodes(spans))).collect()
    }

    /// Bytes held.
    pub fn size(&self) -> usize {
        let texts = [self.session.as_ref(), self.user.as_ref()].into_iter().flatten().map(String::len);
        texts.sum::<usize>() + self.totals.len() * size_of::<(SpanId, SpanTotals)>()
    }

    fn nodes(&self, spans: impl Iterator<Item = (SpanId, SpanSummary)>) -> Vec<Node<SpanId>> {
        spans.map(|(id, summary)| (id, summary.parent, self.totals.get(&id).copied().unwrap_or_default())).collect()
    }
}
