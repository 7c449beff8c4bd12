//! Payload in, payload out, nothing remembered.

use std::collections::BTreeMap;

use crate::assembly::compose::{self, ComposeOptions, ComposedSpans, Encoded};
use crate::assembly::ids::{SpanId, TraceId};
use crate::assembly::intake::{self, IntakeItem};
use crate::assembly::receipts::Receipts;
use crate::assembly::trace::Trace;
use crate::contract::{Encoding, Quarantined, Repair};
use crate::mlflow::server::ServerVersion;
#[cfg(feature = "json")]
use crate::otlp::json;
use crate::otlp::{Malformed, Payload};

/// A translated payload, and what had to be done to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Translated {
    /// The payload.
    pub payload: Vec<u8>,
    /// Values that were changed.
    pub repairs: Vec<Repair>,
    /// Spans that MLflow would not take.
    pub quarantined: Vec<Quarantined>,
}

/// See `transcode` in the contract.
#[cfg(feature = "json")]
pub fn transcode(payload: &[u8], from: Encoding, to: Encoding) -> Result<Vec<u8>, Malformed> {
    let (body, _) = intake::decode(payload, from)?;
    let payload = Payload::parse(&body)?;
    Ok(match to {
        Encoding::Json => json::encode(&payload),
        Encoding::Protobuf | Encoding::TraceJson => body.into_owned(),
    })
}

/// See `translate` in the contract. Spans stay in their order; of one that is there twice the greater version stays.
pub fn translate(payload: &[u8], from: Encoding, to: Encoding) -> Result<Translated, Malformed> {
    let (body, mut repairs) = intake::decode(payload, from)?;
    let mut traces: BTreeMap<TraceId, Box<Trace>> = BTreeMap::new();
    let mut receipts = Receipts::default();
    let mut order = Vec::new();
    let mut quarantined = Vec::new();
    for group in &Payload::parse(&body)?.groups {
        intake::read_group(group, 0, |taken| match taken {
            IntakeItem::Span(trace, span, arrival) => {
                order.push((trace, span));
                traces.entry(trace).or_default().insert(span, arrival, &mut receipts, 0);
            }
            IntakeItem::Repair(repair) => repairs.push(repair),
            IntakeItem::Quarantined(span) => quarantined.push(Quarantined { receipt: None, ..span }),
        });
    }
    let mut ready: BTreeMap<(TraceId, SpanId), Encoded<'_>> = BTreeMap::new();
    for (id, trace) in &traces {
        let ids: Vec<_> = trace.span_summaries().map(|(id, _)| id).collect();
        let ComposedSpans { spans, .. } = compose::compose(trace, &ids, ComposeOptions::default());
        let encoded =
            ids.iter().zip(spans).map(|(span, mapped)| ((*id, *span), mapped.encode(ServerVersion::CURRENT, None)));
        ready.extend(encoded);
    }
    let spans: Vec<_> = order.iter().filter_map(|key| ready.remove(key)).collect();
    let payload = compose::payload(&spans);
    let payload = match to {
        #[cfg(feature = "json")]
        Encoding::Json => json::encode(&Payload::parse(&payload)?),
        #[cfg(not(feature = "json"))]
        Encoding::Json => return Err(Malformed::unknown_encoding()),
        Encoding::Protobuf | Encoding::TraceJson => payload,
    };
    Ok(Translated { payload, repairs, quarantined })
}
