//! The spans of a batch, mapped and encoded.

use super::batch::Batch;
use super::state::BridgeState;
use crate::assembly::compose;
use crate::assembly::compose::ComposeOptions;
use crate::mapping::media::{AttachmentLimits, AttachmentReferences};
use crate::mlflow::server::Reader;

/// The request body of a batch, for this reader; the traces remember what of them is sent.
pub(super) fn of(state: &mut BridgeState, batch: &Batch, reader: Reader, options: ComposeOptions) -> Vec<u8> {
    let mut spans = Vec::with_capacity(batch.items.len());
    let mut update = Vec::new();
    for items in batch.items.chunk_by(|a, b| a.trace == b.trace) {
        let Some((id, trace)) = items.first().and_then(|item| Some((item.trace, state.assembly.get(item.trace)?)))
        else {
            continue;
        };
        let read = compose::held_spans(trace, items.iter().map(|item| item.span));
        let composed = compose::compose(trace, read, options);
        let has = |id| trace.media.has(id);
        let attached =
            AttachmentReferences { trace: id.bytes(), limits: AttachmentLimits::of(&state.settings), has: &has };
        let attached = Some(&attached).filter(|_| trace.media.has_some());
        spans.extend(composed.spans.into_iter().map(|mapped| {
            // Spans of other conventions pass as they are, for MLflow's translators of its own.
            let is_ours = trace.span_summary(mapped.id).is_some_and(|summary| summary.openinference);
            mapped.encode(reader, attached.filter(|_| is_ours))
        }));
        update.push((id, composed.update));
    }
    let payload = compose::payload(spans.iter());
    drop(spans);
    for (id, update) in update {
        state.change(id, |trace| trace.remember(update));
    }
    payload
}
