//! The offset up to which everything in a partition is settled.

use std::collections::BTreeSet;

/// The low-water mark of one partition, over messages that are settled in any order.
///
/// Offsets may have gaps: a compacted topic or a transaction leaves some out. So the mark counts messages that were read, not
/// offsets.
#[derive(Debug, Default)]
pub(super) struct LowWaterMark {
    /// The offsets that were read and are not settled.
    open: BTreeSet<i64>,
    /// The first offset that was read.
    first: Option<i64>,
    /// The offset after the last one that was read.
    next: Option<i64>,
}

// === impl LowWaterMark ===

impl LowWaterMark {
    /// A message was read. Brokers deliver the offsets of a partition in order.
    pub(super) fn read(&mut self, offset: i64) {
        self.open.insert(offset);
        self.first = self.first.or(Some(offset));
        self.next = self.next.max(Some(offset + 1));
    }

    /// A message is settled.
    pub(super) fn settle(&mut self, offset: i64) {
        self.open.remove(&offset);
    }

    /// The offset to commit: everything before it is settled. None: nothing is, of what was read.
    pub(super) fn offset(&self) -> Option<i64> {
        self.open.first().copied().or(self.next).filter(|offset| Some(*offset) != self.first)
    }

    /// The number of messages that were read and are not settled.
    pub(super) fn open(&self) -> usize {
        self.open.len()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Reads messages with gaps and settles them in a random order, with reads between. After each step, the mark is compared
    /// with its definition.
    fn given_any_order_of_reads_and_settlements(random: &mut fastrand::Rng) {
        let (mut mark, mut next) = (LowWaterMark::default(), random.i64(0..1_000));
        let (mut read, mut settled) = (Vec::new(), BTreeSet::new());
        for _ in 0..random.usize(1..200) {
            let open: Vec<i64> = read.iter().copied().filter(|offset| !settled.contains(offset)).collect();
            if open.is_empty() || random.bool() {
                next += if random.u8(..) < 32 { random.i64(1..50) } else { 1 };
                mark.read(next);
                read.push(next);
            } else {
                let offset = open[random.usize(..open.len())];
                mark.settle(offset);
                // A message may be settled twice.
                mark.settle(if random.u8(..) < 32 { *settled.first().unwrap_or(&offset) } else { offset });
                settled.insert(offset);
            }
            let offset = mark.offset().unwrap_or(read[0]);
            assert!(
                read.iter().filter(|read| **read < offset).all(|read| settled.contains(read)),
                "{offset}: {mark:?}"
            );
            let first_open = read.iter().find(|read| !settled.contains(read));
            assert_eq!(offset, first_open.copied().unwrap_or(next + 1));
            assert_eq!(mark.offset().is_some(), settled.contains(&read[0]));
            assert_eq!(mark.open(), read.len() - settled.len());
        }
    }

    #[test]
    fn given_any_order_then_everything_before_the_mark_is_settled_and_the_mark_is_as_far_as_it_can_be() {
        for seed in 0..500 {
            given_any_order_of_reads_and_settlements(&mut fastrand::Rng::with_seed(seed));
        }
    }

    #[test]
    fn given_nothing_is_settled_then_there_is_nothing_to_commit() {
        let mut mark = LowWaterMark::default();
        assert_eq!(mark.offset(), None);
        mark.read(5);
        assert_eq!(mark.offset(), None);
    }

    #[test]
    fn given_a_message_that_stays_open_then_the_mark_stays_before_it() {
        let mut mark = LowWaterMark::default();
        (10..20).for_each(|offset| mark.read(offset));
        (11..20).for_each(|offset| mark.settle(offset));
        assert_eq!((mark.offset(), mark.open()), (None, 1));
        mark.settle(10);
        assert_eq!((mark.offset(), mark.open()), (Some(20), 0));
    }
}
