//! Payload in, payload out, nothing remembered.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::assembly::compose::{self, ComposeOptions, Encoded};
use crate::assembly::ids::SpanId;
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
    let mut receipts = Receipts::default();
    let mut arrivals = Vec::new();
    let mut quarantined = Vec::new();
    for group in &Payload::parse(&body)?.groups {
        intake::read_group(group, 0, |item| match item {
            IntakeItem::Span(trace, span, arrival) => arrivals.push((trace, arrivals.len(), span, arrival)),
            IntakeItem::Repair(repair) => repairs.push(repair),
            IntakeItem::Quarantined(span) => quarantined.push(Quarantined { receipt: None, ..span }),
        });
    }
    // One trace after the other, so that a payload of many takes the memory of one.
    arrivals.sort_by_key(|(trace, place, ..)| (*trace, *place));
    let mut arrivals = arrivals.into_iter().peekable();
    let mut finished = Vec::with_capacity(arrivals.len());
    let mut bytes = Vec::with_capacity(body.len() * 2);
    while let Some((id, ..)) = arrivals.peek() {
        let id = *id;
        let mut trace = Trace::default();
        let mut places: BTreeMap<SpanId, usize> = BTreeMap::new();
        while let Some((_, place, span, arrival)) = arrivals.next_if(|(trace, ..)| *trace == id) {
            places.entry(span).or_insert(place);
            trace.insert(span, arrival, &mut receipts, 0);
        }
        let ids: Vec<_> = places.keys().copied().collect();
        for mapped in compose::compose(&trace, &ids, ComposeOptions::default()).spans {
            let place = places.get(&mapped.id).copied().unwrap_or_default();
            let encoded = mapped.encode(ServerVersion::CURRENT, None);
            let start = bytes.len();
            bytes.extend_from_slice(&encoded.span);
            bytes.extend_from_slice(&encoded.gained);
            finished.push((place, Arc::clone(encoded.envelope), start..bytes.len()));
        }
    }
    finished.sort_unstable_by_key(|(place, ..)| *place);
    let spans: Vec<_> = finished
        .iter()
        .map(|(_, envelope, range)| Encoded {
            envelope,
            span: Cow::Borrowed(bytes.get(range.clone()).unwrap_or_default()),
            gained: Vec::new(),
        })
        .collect();
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
