//! The partitions that this member has, and how far each is settled.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::low_water_mark::LowWaterMark;

/// One partition from its assignment to its revocation.
#[derive(Debug)]
pub(super) struct Assignment {
    partition: i32,
    revoked: AtomicBool,
}

/// The assigned partitions.
#[derive(Debug, Default)]
pub(super) struct Partitions(BTreeMap<i32, Partition>);

#[derive(Debug)]
struct Partition {
    assignment: Arc<Assignment>,
    mark: LowWaterMark,
    /// The offset that was stored last.
    stored: Option<i64>,
}

// === impl Assignment ===

impl Assignment {
    pub(super) fn partition(&self) -> i32 {
        self.partition
    }

    /// Whether another member may have the partition.
    pub(super) fn is_revoked(&self) -> bool {
        self.revoked.load(Ordering::Relaxed)
    }
}

// === impl Partitions ===

impl Partitions {
    /// The group assigned a partition.
    pub(super) fn add(&mut self, partition: i32) {
        let assignment = Arc::new(Assignment { partition, revoked: AtomicBool::new(false) });
        self.0.insert(partition, Partition { assignment, mark: LowWaterMark::default(), stored: None });
    }

    /// The group revoked a partition. What is open of it is another member's.
    pub(super) fn remove(&mut self, partition: i32) {
        if let Some(partition) = self.0.remove(&partition) {
            partition.assignment.revoked.store(true, Ordering::Relaxed);
        }
    }

    /// A message was read. None: its partition is revoked.
    pub(super) fn read(&mut self, partition: i32, offset: i64) -> Option<Arc<Assignment>> {
        let partition = self.0.get_mut(&partition)?;
        partition.mark.read(offset);
        Some(Arc::clone(&partition.assignment))
    }

    /// A message is settled. It counts only for the assignment under which it was read.
    pub(super) fn settle(&mut self, assignment: &Arc<Assignment>, offset: i64) {
        if let Some(partition) = self.0.get_mut(&assignment.partition)
            && Arc::ptr_eq(&partition.assignment, assignment)
        {
            partition.mark.settle(offset);
        }
    }

    /// The partitions.
    pub(super) fn ids(&self) -> Vec<i32> {
        self.0.keys().copied().collect()
    }

    /// The number of open messages in these partitions.
    pub(super) fn open(&self, partitions: &[i32]) -> usize {
        partitions.iter().filter_map(|id| self.0.get(id)).map(|partition| partition.mark.open()).sum()
    }

    /// The offset of a partition up to which everything is settled, once something was read.
    pub(super) fn offset(&self, partition: i32) -> Option<i64> {
        self.0.get(&partition)?.mark.offset()
    }

    /// The offsets that have not been stored. They count as stored from now on.
    pub(super) fn take_unstored(&mut self) -> Vec<(i32, i64)> {
        let mut offsets = Vec::new();
        for (id, partition) in &mut self.0 {
            if let Some(offset) = partition.mark.offset().filter(|offset| partition.stored != Some(*offset)) {
                partition.stored = Some(offset);
                offsets.push((*id, offset));
            }
        }
        offsets
    }

    /// The offsets of these partitions could not be stored.
    pub(super) fn forget_stored(&mut self, partitions: impl Iterator<Item = i32>) {
        for id in partitions {
            if let Some(partition) = self.0.get_mut(&id) {
                partition.stored = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_settled_message_then_its_offset_is_stored_once_and_again_after_a_failure() {
        let mut partitions = Partitions::default();
        partitions.add(3);
        let assignment = partitions.read(3, 7).unwrap();
        partitions.read(3, 8).unwrap();
        assert_eq!(partitions.take_unstored(), []);
        partitions.settle(&assignment, 7);
        assert_eq!(partitions.take_unstored(), [(3, 8)]);
        assert_eq!(partitions.take_unstored(), []);
        partitions.forget_stored([3].into_iter());
        assert_eq!(partitions.take_unstored(), [(3, 8)]);
    }

    #[test]
    fn given_a_partition_that_comes_back_then_what_was_read_before_does_not_count() {
        let mut partitions = Partitions::default();
        partitions.add(0);
        let before = partitions.read(0, 5).unwrap();
        partitions.remove(0);
        assert!(before.is_revoked() && partitions.read(0, 6).is_none());
        partitions.add(0);
        let now = partitions.read(0, 5).unwrap();
        partitions.settle(&before, 5);
        assert_eq!((partitions.open(&[0]), now.is_revoked()), (1, false));
        partitions.settle(&now, 5);
        assert_eq!(partitions.take_unstored(), [(0, 6)]);
    }
}
