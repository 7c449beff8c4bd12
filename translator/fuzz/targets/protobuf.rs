//! The protobuf reader: no input panics, and what is read is written and read again the same.
#![no_main]

use fuzzed::{count_values, rewritten};
use libfuzzer_sys::fuzz_target;
use openinference_mlflow_translator::otlp::{Payload, Span};

fn values(span: &Span<'_>) -> usize {
    let events = span.events.iter().map(|event| count_values(&event.attributes)).sum::<usize>();
    let links = span.links.iter().map(|link| count_values(&link.attributes)).sum::<usize>();
    count_values(&span.attributes) + events + links
}

fuzz_target!(|body: &[u8]| {
    let Ok(payload) = Payload::parse(body) else { return };
    let written = rewritten(&payload);
    let again = Payload::parse(&written).expect("what was written is readable");
    assert_eq!(again.groups.len(), payload.groups.len());
    for (again, group) in again.groups.iter().zip(&payload.groups) {
        assert_eq!((&again.resource, &again.scope), (&group.resource, &group.scope));
        assert_eq!(again.spans.len(), group.spans.len());
        for (again, span) in again.spans.iter().zip(&group.spans) {
            assert_eq!(again.raw, span.raw);
            assert_eq!(values(again), values(span));
        }
    }
    assert_eq!(rewritten(&again), written);
});
