//! Payload in, payload out, nothing remembered.

use std::collections::BTreeMap;

use crate::assembly::compose::{self, ComposeOptions};
use crate::assembly::ids::SpanId;
use crate::assembly::intake::{self, IntakeItem};
use crate::assembly::receipts::Receipts;
use crate::assembly::trace::{InsertOutcome, Trace};
use crate::contract::{Encoding, Quarantined, Repair};
use crate::mlflow::server::{Reader, ServerVersion};
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
    let parsed = Payload::parse(&body)?;
    let mut receipts = Receipts::default();
    let mut order = Vec::with_capacity(parsed.span_count());
    let mut arrivals = Vec::with_capacity(parsed.span_count());
    let mut received = Vec::with_capacity(parsed.span_count());
    let mut quarantined = Vec::new();
    for group in &parsed.groups {
        intake::read_group(group, 0, |item| match item {
            IntakeItem::Span(trace, span, arrival, as_received) => {
                order.push((trace, received.len()));
                arrivals.push(Some((span, arrival)));
                received.push(as_received);
            }
            IntakeItem::Repair(repair) => repairs.push(repair),
            IntakeItem::Quarantined(span) => quarantined.push(Quarantined { receipt: None, ..span }),
        });
    }
    // One trace after the other, so that a payload of many takes the memory of one.
    order.sort_unstable();
    let mut finished: Vec<_> = received.iter().map(|_| None).collect();
    for of_trace in order.chunk_by(|(one, _), (next, _)| one == next) {
        let mut trace = Trace::default();
        // Of each span the place where it is first, and the place of its version that counts.
        let mut places: BTreeMap<SpanId, (usize, usize)> = BTreeMap::new();
        for (_, place) in of_trace {
            let (Some((span, arrival)), Some(received)) =
                (arrivals.get_mut(*place).and_then(Option::take), received.get(*place))
            else {
                continue;
            };
            if trace.insert(span, arrival, &mut receipts, 0) != InsertOutcome::AlreadyKnown {
                trace.resource_tags.learn(&received.envelope);
                places.entry(span).and_modify(|(_, counts)| *counts = *place).or_insert((*place, *place));
            }
        }
        let read = places.iter().filter_map(|(id, (_, counts))| received.get(*counts)?.read(*id).ok());
        for mapped in compose::compose(&trace, read, ComposeOptions::default()).spans {
            if let Some(place) = places.get(&mapped.id).and_then(|(first, _)| finished.get_mut(*first)) {
                *place = Some(mapped.encode(Reader::Server(ServerVersion::CURRENT), None));
            }
        }
    }
    let payload = compose::payload(finished.iter().flatten());
    let payload = match to {
        #[cfg(feature = "json")]
        Encoding::Json => json::encode(&Payload::parse(&payload)?),
        #[cfg(not(feature = "json"))]
        Encoding::Json => return Err(Malformed::unknown_encoding()),
        Encoding::Protobuf | Encoding::TraceJson => payload,
    };
    Ok(Translated { payload, repairs, quarantined })
}
