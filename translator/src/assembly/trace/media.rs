//! The media in the spans that a trace holds.

use super::Trace;
use crate::assembly::ids::TraceId;
use crate::assembly::media::Place;
use crate::mapping::media::{self, AttachmentId, AttachmentLimits};

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
        media.retain(|Place(span, version, _)| self.held_version(*span, *version).is_some());
        self.media = media;
    }

    /// The base64 text of a piece of media; `None` when its span left.
    pub fn media_text(&self, id: AttachmentId) -> Option<&[u8]> {
        let Place(span, version, place) = self.media.place(id)?;
        self.held_version(*span, *version)?.span.get(place.clone())
    }
}
