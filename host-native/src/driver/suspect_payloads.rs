//! Finds the payload that makes the instance trap, so that no other payload is quarantined for it.
//!
//! A trap during `ingest` is attributed to the payload. Any other trap may be caused by any ingested payload: all of them become
//! suspects, and no other payload is ingested until they are resolved. Suspects are retried in groups. A retry passes one group
//! to an empty instance and makes it do all of its work. It ends
//! - with a trap: a single payload caused it; a larger group is split in halves, which are retried one after the other;
//! - when the whole group is delivered;
//! - after [`RETRY_LIMIT`]: the group did not trap, and rejoins the other payloads.
//!
//! So each payload that traps is found after a logarithmic number of traps, and recovery ends.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::open_payloads::{OpenPayloads, PayloadId};

/// The longest that a retry of one group lasts.
const RETRY_LIMIT: Duration = Duration::from_secs(5);

/// Groups of suspects, in the order of their retries.
#[derive(Debug, Default)]
pub(super) struct SuspectPayloads {
    groups: VecDeque<Vec<PayloadId>>,
    /// When the retry of the first group ends. None: it has not started.
    until: Option<Instant>,
}

// === impl SuspectPayloads ===

impl SuspectPayloads {
    /// Drops groups without open payloads. Returns whether none is left.
    pub(super) fn is_empty_after_prune(&mut self, payloads: &OpenPayloads) -> bool {
        while self.until.is_none() && !self.groups.is_empty() && self.group(payloads).is_empty() {
            self.groups.pop_front();
        }
        self.groups.is_empty()
    }

    /// An instance trapped after it ingested these payloads. A payload that caused the trap is retried alone; otherwise
    /// the payloads are split in halves.
    pub(super) fn split(&mut self, named: Option<PayloadId>, ingested: &[PayloadId]) {
        let retried = self.until.take().and_then(|_| self.groups.pop_front());
        let (first, second) = match (named, retried) {
            // The others of its group remain suspects.
            (Some(named), retried) => {
                let others = retried.unwrap_or_default().into_iter().filter(|id| *id != named).collect();
                (vec![named], others)
            }
            (None, _) => {
                let (first, second) = ingested.split_at(ingested.len() / 2);
                (first.to_vec(), second.to_vec())
            }
        };
        for group in [second, first] {
            if !group.is_empty() {
                self.groups.push_front(group);
            }
        }
    }

    /// Starts the next retry, unless one is running. Returns its group.
    pub(super) fn start_retry(&mut self, payloads: &OpenPayloads) -> Option<Vec<PayloadId>> {
        if self.until.is_some() {
            return None;
        }
        self.until = Some(Instant::now() + RETRY_LIMIT);
        Some(self.group(payloads))
    }

    /// Ends the current retry: its group did not trap.
    pub(super) fn end_retry(&mut self) {
        self.until = None;
        self.groups.pop_front();
    }

    /// The instance has no space for this payload of the first group: it and those behind it become a group.
    pub(super) fn divide_at(&mut self, id: PayloadId) {
        let Some(group) = self.groups.front_mut() else { return };
        let rest = group.iter().position(|other| *other == id).map(|at| group.split_off(at)).unwrap_or_default();
        if group.is_empty() {
            *group = rest;
        } else {
            self.groups.insert(1, rest);
        }
    }

    /// When the current retry ends, if there is one. Now, if all of its group are delivered.
    pub(super) fn retry_ends_at(&self, payloads: &OpenPayloads) -> Option<Instant> {
        let until = self.until?;
        Some(if self.group(payloads).is_empty() { Instant::now() } else { until })
    }

    /// The open payloads of the first group.
    fn group(&self, payloads: &OpenPayloads) -> Vec<PayloadId> {
        self.groups.front().into_iter().flatten().copied().filter(|id| payloads.get(*id).is_some()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(suspects: &SuspectPayloads) -> Vec<Vec<PayloadId>> {
        suspects.groups.iter().cloned().collect()
    }

    #[test]
    fn given_a_trap_of_unknown_cause_then_the_ingested_payloads_are_split_until_one_is_alone() {
        let mut suspects = SuspectPayloads::default();
        suspects.split(None, &[1, 2, 3, 4, 5]);
        assert_eq!(groups(&suspects), [vec![1, 2], vec![3, 4, 5]]);
        suspects.until = Some(Instant::now());
        suspects.split(None, &[1, 2]);
        assert_eq!(groups(&suspects), [vec![1], vec![2], vec![3, 4, 5]]);
    }

    #[test]
    fn given_a_trap_of_a_known_payload_then_it_is_retried_alone_and_the_rest_of_its_group_after_it() {
        let mut suspects = SuspectPayloads::default();
        suspects.split(Some(3), &[1, 2]);
        assert_eq!(groups(&suspects), [vec![3]]);
        suspects.split(None, &[4, 5, 6, 7]);
        suspects.until = Some(Instant::now());
        suspects.split(Some(5), &[4]);
        assert_eq!(groups(&suspects), [vec![5], vec![4], vec![6, 7], vec![3]]);
    }
}
