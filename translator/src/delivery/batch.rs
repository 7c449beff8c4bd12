//! The spans of one request, and how to find the one that makes MLflow refuse them.

use std::collections::BTreeMap;

use crate::assembly::ids::{SpanId, TraceId};
use crate::assembly::span_summary::Version;
use crate::contract::Instant;

/// Where a request goes. A destination that is a single place has an empty one.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// The workspace, where the server has them.
    pub workspace: Option<String>,
    /// The experiment's id.
    pub experiment_id: String,
    /// The run that traces are linked to.
    pub run_id: Option<String>,
}

/// One span of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// The span's trace.
    pub trace: TraceId,
    /// The span.
    pub span: SpanId,
    /// The version that is sent.
    pub version: Version,
}

/// The spans of one request; those of one trace are together.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Where it goes.
    pub address: Address,
    /// What it carries, never empty.
    pub items: Vec<Item>,
    /// How often MLflow failed on it.
    pub failures: u32,
    /// How many requests MLflow had accepted before it first failed on these spans.
    pub accepted_before: Option<u64>,
    /// How often it was split although nothing showed that the rest of the server works.
    pub blind_splits: u32,
    /// Not to be sent before then.
    pub not_before: Instant,
}

impl Batch {
    /// A batch that was never sent.
    pub fn new(address: Address, items: Vec<Item>) -> Self {
        Self { address, items, failures: 0, accepted_before: None, blind_splits: 0, not_before: 0 }
    }

    /// The traces it carries spans of, each once.
    pub fn traces(&self) -> impl Iterator<Item = TraceId> {
        self.items.chunk_by(|a, b| a.trace == b.trace).filter_map(|items| items.first()).map(|item| item.trace)
    }

    /// Two batches with half of the spans each, cut between traces where there are several. `None` for a single span.
    pub fn split(&self) -> Option<(Self, Self)> {
        if self.items.len() < 2 {
            return None;
        }
        let middle = self.items.len() / 2;
        let trace_starts = self.items.windows(2).enumerate().filter_map(|(index, pair)| match pair {
            [a, b] if a.trace != b.trace => Some(index + 1),
            _ => None,
        });
        let at = trace_starts.min_by_key(|at| at.abs_diff(middle)).unwrap_or(middle);
        let (left, right) = self.items.split_at_checked(at)?;
        let half = |items: &[Item]| Self { failures: 0, items: items.to_vec(), ..self.clone() };
        Some((half(left), half(right)))
    }
}

/// Packs spans into as few batches as the limits allow: one address a batch, traces together where they fit.
#[derive(Debug)]
pub struct Batcher {
    most_spans: usize,
    most_bytes: usize,
    most_batches: usize,
    full: Vec<Batch>,
    open: BTreeMap<Address, (Vec<Item>, usize)>,
}

impl Batcher {
    /// A batcher for so many batches with so many spans and bytes each; a span larger than that goes alone.
    pub fn new(most_batches: usize, most_spans: usize, most_bytes: usize) -> Self {
        Self { most_spans, most_bytes, most_batches, full: Vec::new(), open: BTreeMap::new() }
    }

    /// Whether no further batch may be filled.
    pub fn is_full(&self) -> bool {
        self.full.len() >= self.most_batches
    }

    /// Adds a span of so many bytes.
    pub fn add(&mut self, address: &Address, item: Item, bytes: usize) {
        let (mut items, mut total) = self.open.remove(address).unwrap_or_default();
        if !items.is_empty() && (items.len() >= self.most_spans || total.saturating_add(bytes) > self.most_bytes) {
            self.full.push(Batch::new(address.clone(), std::mem::take(&mut items)));
            total = 0;
        }
        items.push(item);
        self.open.insert(address.clone(), (items, total.saturating_add(bytes)));
    }

    /// The batches, full ones first; what is beyond their number is left out.
    pub fn finish(self) -> impl Iterator<Item = Batch> {
        let open = self.open.into_iter().map(|(address, (items, _))| Batch::new(address, items));
        self.full.into_iter().chain(open).take(self.most_batches)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otlp::Span;

    fn items(traces: &[(u8, u8)]) -> Vec<Item> {
        let version = Version::of(&Span::parse(&[]).unwrap());
        let spans = traces.iter().flat_map(|(trace, spans)| (1..=*spans).map(move |span| (*trace, span)));
        spans
            .map(|(trace, span)| Item {
                trace: TraceId::new(&[trace; 16]).unwrap(),
                span: SpanId::new(&[span; 8]).unwrap(),
                version,
            })
            .collect()
    }

    fn batch(traces: &[(u8, u8)]) -> Batch {
        let address = Address { workspace: None, experiment_id: "0".into(), run_id: None };
        Batch::new(address, items(traces))
    }

    #[test]
    fn several_traces_are_cut_between_traces() {
        let (left, right) = batch(&[(1, 2), (2, 5), (3, 2)]).split().unwrap();
        assert_eq!((left.traces().count(), right.traces().count()), (1, 2));
        assert_eq!(left.items.len() + right.items.len(), 9);
    }

    #[test]
    fn splitting_again_and_again_ends_with_single_spans() {
        let mut open = vec![batch(&[(1, 7), (2, 1), (3, 4)])];
        let mut single = 0;
        while let Some(batch) = open.pop() {
            match batch.split() {
                Some((left, right)) => open.extend([left, right]),
                None => single += 1,
            }
        }
        assert_eq!(single, 12);
    }

    #[test]
    fn parcels_hold_one_address_and_no_more_than_the_limits() {
        let address = |id: &str| Address { workspace: None, experiment_id: id.into(), run_id: None };
        let mut batcher = Batcher::new(3, 4, 100);
        for item in items(&[(1, 6), (2, 3)]) {
            batcher.add(&address("1"), item, 10);
        }
        batcher.add(&address("2"), items(&[(3, 1)]).remove(0), 5_000);
        let batches: Vec<_> = batcher.finish().map(|batch| (batch.address.experiment_id, batch.items.len())).collect();
        assert_eq!(batches, [("1".to_owned(), 4), ("1".to_owned(), 4), ("1".to_owned(), 1)]);
    }
}
