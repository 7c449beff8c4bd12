//! `translate`: no input panics, no span is lost, and translating what comes out changes nothing.
#![no_main]

use fuzzed::is_json;
use libfuzzer_sys::fuzz_target;
use openinference_mlflow_translator::contract::Encoding;
use openinference_mlflow_translator::otlp::{Payload, json};
use openinference_mlflow_translator::translate;

fn span_count(payload: &[u8]) -> usize {
    Payload::parse(payload).expect("a payload").span_count()
}

fuzz_target!(|body: &[u8]| {
    let from = if is_json(body) { Encoding::Json } else { Encoding::Protobuf };
    // MLflow's trace JSON looks like OTLP/JSON to a seed, so it is tried too.
    if from == Encoding::Json {
        let _ = translate(body, Encoding::TraceJson, Encoding::Protobuf);
    }
    let Ok(translated) = translate(body, from, Encoding::Protobuf) else { return };

    let received = match from {
        Encoding::Json => span_count(&json::decode(body).expect("it was read before").payload),
        _ => span_count(body),
    };
    let sent = span_count(&translated.payload);
    assert!(sent + translated.quarantined.len() <= received, "spans appeared");
    assert!(received == 0 || sent + translated.quarantined.len() > 0, "all spans disappeared");
    for quarantined in &translated.quarantined {
        assert_eq!(span_count(&quarantined.payload), 1);
    }

    let as_json = translate(body, from, Encoding::Json).expect("it was read before");
    assert_eq!(span_count(&json::decode(&as_json.payload).expect("JSON").payload), sent);

    let again = translate(&translated.payload, Encoding::Protobuf, Encoding::Protobuf).expect("a payload");
    // What the producer dropped is reported, not repaired.
    let repaired: Vec<_> = again.repairs.iter().filter(|repair| repair.rule != "dropped-attributes").collect();
    assert!(repaired.is_empty(), "repaired twice: {repaired:?}");
    assert_eq!(again.quarantined, [], "quarantined after it was translated");
    assert_eq!(again.payload, translated.payload, "translated twice is something else");
});
