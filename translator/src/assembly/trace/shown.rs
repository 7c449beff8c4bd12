//! What MLflow shows of a trace as a whole, as far as it was told so by spans that were sent, and what it lacks.

use std::collections::{BTreeMap, BTreeSet};

use super::Trace;
use crate::assembly::compose::News;
use crate::assembly::ids::SpanId;
use crate::assembly::outline::Headline;
use crate::mapping::preview::PreviewGain;

impl Trace {
    /// Remembers what the spans that are sent tell of the trace.
    pub fn remember(&mut self, news: News) {
        for (id, headline) in news.headlines {
            self.bytes += headline.size();
            self.bytes -= self.headlines.insert(id, headline).map_or(0, |before| before.size());
        }
        if news.are_prompts_told {
            self.prompts_told = news.prompts.len();
        }
        let size = |prompts: &BTreeSet<String>| prompts.iter().map(String::len).sum::<usize>();
        self.bytes += size(&news.prompts);
        self.bytes -= size(&self.prompts);
        self.prompts = news.prompts;
        self.bytes += news.said.size();
        self.bytes -= self.said.size();
        self.said = news.said;
        if news.is_lent {
            self.bytes += self.said.size();
            self.bytes -= self.lent.size();
            self.lent = self.said.clone();
        }
    }

    /// The outermost OpenInference span that started first, among those that were sent and `fresh` ones.
    pub fn headline<'a>(&'a self, fresh: &'a BTreeMap<SpanId, Headline>) -> Option<(SpanId, &'a Headline)> {
        let all = self.headlines.iter().chain(fresh);
        let outermost = all.filter(|(id, _)| self.openinference_ancestor(**id).is_none());
        let first = outermost.min_by_key(|(id, _)| (self.outline(**id).map(|outline| outline.start), **id));
        first.map(|(id, headline)| (*id, headline))
    }

    /// Whether MLflow shows other previews than it should, or none: because the headline's read badly or are not the root's, or
    /// are borrowed from calls to models that its span does not show.
    pub fn lacks_previews(&self) -> bool {
        let nothing = BTreeMap::new();
        let Some((id, headline)) = self.headline(&nothing) else { return false };
        let is_root = self.root().is_some_and(|(root, _)| root == id);
        let has_previews = headline.request.is_some() || headline.response.is_some();
        headline.gain == PreviewGain::Required
            || has_previews && !is_root
            || headline.borrows() && !self.said.is_empty() && (!is_root || self.said != self.lent)
    }

    /// Whether MLflow shows previews that can be read, in the quotes and braces of JSON.
    pub fn has_previews_to_polish(&self) -> bool {
        let nothing = BTreeMap::new();
        self.headline(&nothing).is_some_and(|(_, headline)| headline.gain == PreviewGain::Deferred)
    }

    /// Whether spans that are linked to prompts came after the root that tells of such links.
    pub fn lacks_prompts(&self) -> bool {
        self.prompts.len() > self.prompts_told
    }

    /// Whether spans are linked to prompts by which MLflow's search does not find the trace.
    pub fn has_unlinked_prompts(&self) -> bool {
        self.prompts.len() > self.info.linked
    }
}
