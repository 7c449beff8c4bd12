//! OTLP/JSON: no input panics, what is decoded is a payload, and encoding it loses nothing more.
#![no_main]

use libfuzzer_sys::fuzz_target;
use openinference_mlflow_translator::otlp::{Payload, json};

/// Encodes a payload, and checks that what comes back of it is encoded the same.
fn check(payload: &Payload<'_>) {
    let text = json::encode(payload);
    let decoded = json::decode(&text).expect("what was encoded is readable");
    assert_eq!((decoded.lone_surrogates, decoded.invalid_utf8), (0, 0));
    let again = Payload::parse(&decoded.payload).expect("what was decoded is a payload");
    assert_eq!(again.span_count(), payload.span_count());
    assert_eq!(String::from_utf8_lossy(&json::encode(&again)), String::from_utf8_lossy(&text));
}

fuzz_target!(|body: &[u8]| {
    if let Ok(decoded) = json::decode(body) {
        check(&Payload::parse(&decoded.payload).expect("what was decoded is a payload"));
    }
    if let Ok(payload) = Payload::parse(body) {
        check(&payload);
    }
});
