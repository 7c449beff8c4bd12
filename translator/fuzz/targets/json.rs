//! OTLP/JSON: no input panics, what is decoded is a payload, and encoding it loses nothing more.
#![no_main]

use libfuzzer_sys::fuzz_target;
use openinference_mlflow_translator::otlp::{Payload, json};
use serde_json::Value;

/// Encodes a payload, and checks that what comes back of it is encoded the same.
fn check(payload: &Payload<'_>) {
    let text = json::encode(payload);
    let decoded = json::decode(&text).expect("what was encoded is readable");
    assert_eq!((decoded.lone_surrogates, decoded.invalid_utf8), (0, 0));
    let again = Payload::parse(&decoded.payload).expect("what was decoded is a payload");
    assert_eq!(again.span_count(), payload.span_count());
    assert_eq!(scopes(&json::encode(&again)), scopes(&text));
}

/// Each `ScopeSpans` with its resource. How they are grouped may differ: resources whose bytes differ where they are not
/// UTF-8 are one resource once they are text.
fn scopes(text: &[u8]) -> Vec<(Value, Value)> {
    let request: Value = serde_json::from_slice(text).expect("what was encoded is JSON");
    let groups = request["resourceSpans"].as_array().expect("an array").iter();
    let scopes = groups.flat_map(|group| {
        let scopes = group["scopeSpans"].as_array().expect("an array").iter();
        scopes.map(|scope| (group["resource"].clone(), scope.clone()))
    });
    scopes.collect()
}

fuzz_target!(|body: &[u8]| {
    if let Ok(decoded) = json::decode(body) {
        check(&Payload::parse(&decoded.payload).expect("what was decoded is a payload"));
    }
    if let Ok(payload) = Payload::parse(body) {
        check(&payload);
    }
});
