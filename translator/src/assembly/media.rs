//! What a trace knows of the media in its spans: which of it MLflow has, and where the rest is.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Range;

use super::ids::{SpanId, TraceId};
use super::span_summary::Version;
use super::trace::Trace;
use crate::mapping::media::{self, AttachmentId, AttachmentLimits};

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
struct Place(SpanId, Version, Range<usize>);

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

    fn found(&mut self, id: AttachmentId, place: Place) {
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
}

impl Trace {
    /// Looks for media in spans that were not looked at.
    pub fn find_media(&mut self, id: TraceId, limits: AttachmentLimits) {
        let mut media = std::mem::take(&mut self.media);
        self.search(|span, version, held| {
            media::for_each(&held.span, id.bytes(), limits, &mut |id, data| {
                if let Some(start) = data.as_ptr().addr().checked_sub(held.span.as_ptr().addr()) {
                    media.found(id, Place(span, version, start..start + data.len()));
                }
            });
        });
        media.0.retain(|_, state| match state {
            State::Wanted(Wanted { place: Place(span, version, _), .. }) => {
                self.held_version(*span, *version).is_some()
            }
            State::Attached | State::Inline => true,
        });
        self.media = media;
    }

    /// The base64 text of a piece of media; `None` when its span left.
    pub fn media_text(&self, id: AttachmentId) -> Option<&[u8]> {
        let Some(State::Wanted(wanted)) = self.media.0.get(&id) else { return None };
        let Place(span, version, place) = &wanted.place;
        self.held_version(*span, *version)?.span.get(place.clone())
    }
}
