//! From a payload to spans that may join a trace: decoded, repaired and summarised, or quarantined.

use std::borrow::Cow;
use std::sync::Arc;

use super::compose;
use super::envelope::Envelope;
use super::ids::{SpanId, TraceId, hex};
use super::root::Root;
use super::span_summary::{SpanSummary, Version};
use super::trace::{Arrival, HeldSpan};
use crate::contract::{Encoding, Quarantined, Receipt, Repair};
use crate::feedback;
use crate::mapping::repair;
#[cfg(feature = "json")]
use crate::otlp::json::{self, Decoded};
use crate::otlp::{Malformed, ScopeSpans, Span};
#[cfg(feature = "json")]
use crate::trace_json;

/// What comes of a span.
#[derive(Debug)]
pub enum IntakeItem {
    /// It may join its trace.
    Span(TraceId, SpanId, Arrival),
    /// A value of it was changed.
    Repair(Repair),
    /// MLflow can never store it.
    Quarantined(Quarantined),
}

/// The payload as protobuf, and what had to be repaired to read it.
pub fn decode(payload: &[u8], encoding: Encoding) -> Result<(Cow<'_, [u8]>, Vec<Repair>), Malformed> {
    Ok(match encoding {
        Encoding::Protobuf => (Cow::Borrowed(payload), Vec::new()),
        #[cfg(feature = "json")]
        Encoding::Json => {
            let Decoded { payload, lone_surrogates, invalid_utf8 } = json::decode(payload)?;
            let counts = [("lone-surrogate", lone_surrogates), ("invalid-utf8", invalid_utf8)];
            let repairs = counts.into_iter().filter(|(_, count)| *count > 0).map(in_body);
            (Cow::Owned(payload), repairs.collect())
        }
        #[cfg(feature = "json")]
        Encoding::TraceJson => (Cow::Owned(trace_json::read(payload)?), Vec::new()),
        #[cfg(not(feature = "json"))]
        Encoding::Json | Encoding::TraceJson => return Err(Malformed::unknown_encoding()),
    })
}

/// Where in a JSON body it was is not known.
#[cfg(feature = "json")]
fn in_body((rule, count): (&'static str, u32)) -> Repair {
    Repair { trace_id: String::new(), span_id: String::new(), rule, place: format!("{count} in the OTLP/JSON body") }
}

/// Takes the spans of a group in, one after the other.
pub fn read_group(group: &ScopeSpans<'_>, receipt: Receipt, mut take: impl FnMut(IntakeItem)) {
    let (resource, mut shared) = repair::resource(&group.resource);
    let (scope, scope_repairs) = repair::scope(&group.scope);
    shared.extend(scope_repairs);
    let envelope = Arc::new(Envelope::of(&resource, &scope));
    for span in &group.spans {
        let repaired = |(rule, place)| {
            IntakeItem::Repair(Repair { trace_id: hex(span.trace_id), span_id: hex(span.span_id), rule, place })
        };
        // What the spans share is reported once, with the first of them.
        std::mem::take(&mut shared).into_iter().map(repaired).for_each(&mut take);
        match take_span(span, &envelope, receipt) {
            Ok((trace, id, arrival, repairs)) => {
                repairs.into_iter().map(repaired).for_each(&mut take);
                take(IntakeItem::Span(trace, id, arrival));
            }
            Err(reason) => take(IntakeItem::Quarantined(Quarantined {
                trace_id: hex(span.trace_id),
                span_id: hex(span.span_id),
                reason,
                payload: compose::single_span_payload(&envelope, span.raw),
                receipt: Some(receipt),
            })),
        }
    }
}

type TakenSpan = (TraceId, SpanId, Arrival, Vec<(&'static str, String)>);

fn take_span(received: &Span<'_>, envelope: &Arc<Envelope>, receipt: Receipt) -> Result<TakenSpan, String> {
    let repair::Repaired { span: bytes, repairs } = repair::span(received)?;
    let reread;
    let span = match &bytes {
        Cow::Borrowed(_) => received,
        Cow::Owned(bytes) => {
            reread = Span::parse(bytes).map_err(|malformed| malformed.to_string())?;
            &reread
        }
    };
    let ids = TraceId::new(span.trace_id).zip(SpanId::new(span.span_id));
    let (trace, id) = ids.ok_or("a span needs a trace id of 16 bytes and a span id of 8 bytes, not all zeros")?;
    let (version, summary, root) = (Version::of(span), SpanSummary::of(span), Root::of(span, envelope));
    let feedback = feedback::read(span);
    let held = Some(HeldSpan { envelope: Arc::clone(envelope), span: bytes.into_owned().into_boxed_slice() });
    Ok((trace, id, Arrival { version, summary, root, held, receipt, feedback }, repairs))
}
