//! Who of those that a guest was told made it trap: found by trials, so that nobody is blamed for his neighbour.
//!
//! A trap while a payload is offered has a name. Any other may be anybody's whom the guest was told; all of them are
//! suspects then, and nobody else is told a guest until they are tried. A trial tells a guest that holds nothing else one
//! group of suspects, and makes it do all that it would do with them. It ends
//! - with a trap: a payload that was alone has it to its name, a group is divided in two that are tried one after the other;
//! - when all of the group are delivered: they are innocent;
//! - after [`TRIAL`]: nothing can be shown against them, and they wait for the guest with all others.
//!
//! So each payload that traps by itself is found after as many traps as its group can be divided, and recovery ends.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::event_loop::Driver;
use super::open_payloads::{OpenPayloads, PayloadId};
use super::recovery::{Blame, Incident};
use crate::exporter::Destination;
use crate::wasm::{OpenBridge, OpenError};

/// How long a guest may take to trap on a group of suspects.
const TRIAL: Duration = Duration::from_secs(5);

/// Groups of suspects, in the order of their trials.
#[derive(Debug, Default)]
pub(super) struct Suspects {
    groups: VecDeque<Vec<PayloadId>>,
    /// Until when the first group is on trial, if it is.
    until: Option<Instant>,
}

// === impl Suspects ===

impl Suspects {
    /// Whether there is nobody to try: who is open no more is no suspect.
    pub(super) fn are_tried(&mut self, payloads: &OpenPayloads) -> bool {
        while self.until.is_none() && !self.groups.is_empty() && self.group(payloads).is_empty() {
            self.groups.pop_front();
        }
        self.groups.is_empty()
    }

    /// A guest has trapped that was told these. Whoever is named is tried alone.
    pub(super) fn accuse(&mut self, named: Option<PayloadId>, told: &[PayloadId]) {
        let tried = self.until.take().and_then(|_| self.groups.pop_front());
        let (first, second) = match (named, tried) {
            // Whoever was told before is no more suspect than he was.
            (Some(named), tried) => {
                let others = tried.unwrap_or_default().into_iter().filter(|id| *id != named).collect();
                (vec![named], others)
            }
            (None, _) => {
                let (first, second) = told.split_at(told.len() / 2);
                (first.to_vec(), second.to_vec())
            }
        };
        for group in [second, first] {
            if !group.is_empty() {
                self.groups.push_front(group);
            }
        }
    }

    /// There is no room for this one of the first group, nor for those behind it, although one guest was told all of them
    /// before: they are a group of their own.
    fn divide_at(&mut self, id: PayloadId) {
        let Some(group) = self.groups.front_mut() else { return };
        let rest = group.iter().position(|other| *other == id).map(|at| group.split_off(at)).unwrap_or_default();
        if group.is_empty() {
            *group = rest;
        } else {
            self.groups.insert(1, rest);
        }
    }

    /// When the trial ends that is under way, if one is: at once, when all of the group are delivered.
    pub(super) fn on_trial_until(&self, payloads: &OpenPayloads) -> Option<Instant> {
        let until = self.until?;
        Some(if self.group(payloads).is_empty() { Instant::now() } else { until })
    }

    /// The first group, without those that are open no more.
    fn group(&self, payloads: &OpenPayloads) -> Vec<PayloadId> {
        self.groups.front().into_iter().flatten().copied().filter(|id| payloads.get(*id).is_some()).collect()
    }
}

// === impl Driver ===

impl<O: OpenBridge, D: Destination> Driver<O, D> {
    /// Begins the next trial, unless one is under way. The guest holds nothing.
    pub(super) fn try_suspects(&mut self) -> Result<(), Incident> {
        if self.suspects.until.is_none() {
            let group = self.suspects.group(&self.payloads);
            self.suspects.until = Some(Instant::now() + TRIAL);
            for id in group {
                if self.offer(id)?.is_some() {
                    self.suspects.divide_at(id);
                    break;
                }
            }
            self.flush()?;
            self.turn(Blame::EveryoneTold)?;
        }
        // Nobody waits for a trial who need not.
        self.payloads.acknowledge_all();
        Ok(())
    }

    /// Ends the trial that is under way, when it is time. The next guest holds nothing again.
    ///
    /// # Errors
    /// No guest can be had.
    pub(super) fn end_trial(&mut self) -> Result<(), OpenError> {
        if self.suspects.on_trial_until(&self.payloads).is_none_or(|until| Instant::now() < until) {
            return Ok(());
        }
        self.suspects.until = None;
        self.suspects.groups.pop_front();
        match self.payloads.told().is_empty() {
            true => {
                self.wakeup = Some(Instant::now());
                Ok(())
            }
            false => self.renew(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(suspects: &Suspects) -> Vec<Vec<PayloadId>> {
        suspects.groups.iter().cloned().collect()
    }

    #[test]
    fn given_a_trap_without_a_name_then_those_who_were_told_are_divided_until_one_is_alone() {
        let mut suspects = Suspects::default();
        suspects.accuse(None, &[1, 2, 3, 4, 5]);
        assert_eq!(groups(&suspects), [vec![1, 2], vec![3, 4, 5]]);
        suspects.until = Some(Instant::now());
        suspects.accuse(None, &[1, 2]);
        assert_eq!(groups(&suspects), [vec![1], vec![2], vec![3, 4, 5]]);
    }

    #[test]
    fn given_a_trap_with_a_name_then_it_is_tried_alone_and_the_rest_of_its_group_after_it() {
        let mut suspects = Suspects::default();
        suspects.accuse(Some(3), &[1, 2]);
        assert_eq!(groups(&suspects), [vec![3]]);
        suspects.accuse(None, &[4, 5, 6, 7]);
        suspects.until = Some(Instant::now());
        suspects.accuse(Some(5), &[4]);
        assert_eq!(groups(&suspects), [vec![5], vec![4], vec![6, 7], vec![3]]);
    }
}
