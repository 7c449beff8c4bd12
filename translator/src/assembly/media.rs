//! What a trace knows of the media in its spans: which of it MLflow has, and where the rest is.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Range;

use super::ids::SpanId;
use super::span_summary::Version;
use crate::mapping::media::AttachmentId;

/// The media of a trace.
#[derive(Debug, Default)]
pub struct Media(BTreeMap<AttachmentId, State>);

#[derive(Debug)]
enum State {
    /// MLflow shall have it.
    Wanted(Wanted),
    /// MLflow has it.
    Attached,
    /// MLflow will not have it.
    Inline,
}

#[derive(Debug)]
struct Wanted {
    place: Place,
    failures: u32,
    in_flight: bool,
}

/// Where the base64 text is: in a version of a span that is held, and where in its bytes.
#[derive(Clone, Debug)]
pub struct Place(pub SpanId, pub Version, pub Range<usize>);

/// Bytes that an entry costs.
const ENTRY_COST: usize = 128;

impl Media {
    /// Whether MLflow has an attachment.
    pub fn has(&self, id: AttachmentId) -> bool {
        matches!(self.0.get(&id), Some(State::Attached))
    }

    /// Whether MLflow has any.
    pub fn has_some(&self) -> bool {
        self.0.values().any(|state| matches!(state, State::Attached))
    }

    /// What MLflow shall have, has not, and is not being sent.
    pub fn wanted(&self) -> impl Iterator<Item = AttachmentId> {
        let waits = |state: &State| matches!(state, State::Wanted(wanted) if !wanted.in_flight);
        self.0.iter().filter(move |(_, state)| waits(state)).map(|(id, _)| *id)
    }

    /// It is being sent.
    pub fn sent(&mut self, id: AttachmentId) {
        if let Some(State::Wanted(wanted)) = self.0.get_mut(&id) {
            wanted.in_flight = true;
        }
    }

    /// MLflow has it.
    pub fn attached(&mut self, id: AttachmentId) {
        self.0.insert(id, State::Attached);
    }

    /// It stays where it is.
    pub fn stays(&mut self, id: AttachmentId) {
        self.0.insert(id, State::Inline);
    }

    /// Sending it failed: how often by now.
    pub fn failed(&mut self, id: AttachmentId) -> u32 {
        let Some(State::Wanted(wanted)) = self.0.get_mut(&id) else { return 0 };
        wanted.in_flight = false;
        wanted.failures += 1;
        wanted.failures
    }

    /// Bytes held.
    pub fn size(&self) -> usize {
        self.0.len() * ENTRY_COST
    }

    /// It was found.
    pub fn found(&mut self, id: AttachmentId, place: Place) {
        match self.0.entry(id) {
            Entry::Vacant(entry) => {
                entry.insert(State::Wanted(Wanted { place, failures: 0, in_flight: false }));
            }
            // The span that it was found in before may have left.
            Entry::Occupied(mut entry) => {
                if let State::Wanted(wanted) = entry.get_mut() {
                    wanted.place = place;
                }
            }
        }
    }

    /// Where it is, unless MLflow has it or it stays inline.
    pub fn place(&self, id: AttachmentId) -> Option<&Place> {
        let State::Wanted(wanted) = self.0.get(&id)? else { return None };
        Some(&wanted.place)
    }

    /// Forgets what is no longer held.
    pub fn retain(&mut self, is_held: impl Fn(&Place) -> bool) {
        self.0.retain(|_, state| match state {
            State::Wanted(wanted) => is_held(&wanted.place),
            State::Attached | State::Inline => true,
        });
    }
}
