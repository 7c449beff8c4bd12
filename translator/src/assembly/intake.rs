//! From a payload to spans that may join a trace: decoded, repaired and summarised, or quarantined.

use std::borrow::Cow;
use std::sync::Arc;

use super::compose::{self, ReadSpan};
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
use crate::otlp::span::resource_attributes;
use crate::otlp::{Malformed, ScopeSpans, Span};
#[cfg(feature = "json")]
use crate::trace_json;

/// What comes of a span.
#[derive(Debug)]
pub enum IntakeItem<'p> {
    /// It may join its trace. Its bytes are not held yet.
    Span(TraceId, SpanId, Arrival, ReceivedSpan<'p>),
    /// A value of it was changed.
    Repair(Repair),
    /// MLflow can never store it.
    Quarantined(Quarantined),
}

/// A span of a payload, repaired.
#[derive(Debug)]
pub struct ReceivedSpan<'p> {
    /// What surrounds it.
    pub envelope: Arc<Envelope>,
    content: SpanContent<'p>,
}

#[derive(Debug)]
enum SpanContent<'p> {
    /// As it was sent: nothing had to be repaired.
    Sent(&'p Span<'p>),
    /// Written anew.
    Repaired(Vec<u8>),
}

impl ReceivedSpan<'_> {
    /// The span and what surrounds it, to be kept longer than the payload.
    pub fn into_held(self) -> HeldSpan {
        let span = match self.content {
            SpanContent::Sent(span) => span.raw.into(),
            SpanContent::Repaired(bytes) => bytes.into_boxed_slice(),
        };
        HeldSpan { envelope: self.envelope, span }
    }

    /// The span, ready to be mapped while the payload is there.
    pub fn read(&self, id: SpanId) -> Result<ReadSpan<'_>, Malformed> {
        let span = match &self.content {
            SpanContent::Sent(span) => Cow::Borrowed(*span),
            SpanContent::Repaired(bytes) => Cow::Owned(Span::parse(bytes)?),
        };
        Ok(ReadSpan { id, envelope: &self.envelope, span })
    }
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
pub fn read_group<'p>(group: &'p ScopeSpans<'p>, receipt: Receipt, mut take: impl FnMut(IntakeItem<'p>)) {
    let (resource, mut shared) = repair::resource(&group.resource, &group.resource_attributes);
    let (scope, scope_repairs) = repair::scope(&group.scope);
    shared.extend(scope_repairs);
    let reread;
    let attributes = match &resource {
        Cow::Borrowed(_) => &group.resource_attributes,
        Cow::Owned(repaired) => {
            reread = resource_attributes(repaired).unwrap_or_default();
            &reread
        }
    };
    let envelope = Arc::new(Envelope::of(&resource, &scope, attributes));
    for span in &group.spans {
        let Span { trace_id, span_id, raw, .. } = *span;
        let repaired =
            |(rule, place)| IntakeItem::Repair(Repair { trace_id: hex(trace_id), span_id: hex(span_id), rule, place });
        // What the spans share is reported once, with the first of them.
        std::mem::take(&mut shared).into_iter().map(repaired).for_each(&mut take);
        match take_span(span, &envelope, receipt) {
            Ok((trace, id, arrival, received, repairs)) => {
                repairs.into_iter().map(repaired).for_each(&mut take);
                take(IntakeItem::Span(trace, id, arrival, received));
            }
            Err(reason) => take(IntakeItem::Quarantined(Quarantined {
                trace_id: hex(trace_id),
                span_id: hex(span_id),
                reason,
                payload: compose::single_span_payload(&envelope, raw),
                receipt: Some(receipt),
            })),
        }
    }
}

type TakenSpan<'p> = (TraceId, SpanId, Arrival, ReceivedSpan<'p>, Vec<(&'static str, String)>);

fn take_span<'p>(sent: &'p Span<'p>, envelope: &Arc<Envelope>, receipt: Receipt) -> Result<TakenSpan<'p>, String> {
    let repair::Repaired { span: bytes, repairs } = repair::span(sent)?;
    let content = match bytes {
        Cow::Borrowed(_) => SpanContent::Sent(sent),
        Cow::Owned(bytes) => SpanContent::Repaired(bytes),
    };
    let reread;
    let span = match &content {
        SpanContent::Sent(span) => span,
        SpanContent::Repaired(bytes) => {
            reread = Span::parse(bytes).map_err(|malformed| malformed.to_string())?;
            &reread
        }
    };
    let ids = TraceId::new(span.trace_id).zip(SpanId::new(span.span_id));
    let (trace, id) = ids.ok_or("a span needs a trace id of 16 bytes and a span id of 8 bytes, not all zeros")?;
    let (version, summary, root) = (Version::of(span), SpanSummary::of(span), Root::of(span, envelope));
    let feedback = feedback::read(span);
    let arrival = Arrival { version, summary, root, held: None, receipt, feedback };
    Ok((trace, id, arrival, ReceivedSpan { envelope: Arc::clone(envelope), content }, repairs))
}
