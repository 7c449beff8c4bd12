//! What `translate` costs over all fixtures, in units that no busy machine changes: the WebAssembly instructions that are
//! executed (wasmtime's fuel) and the bytes that the JSON reader reads, against the baseline in `cost.json`.
//!
//! After a change that is meant: `UPDATE_EXPECT=1 cargo test --release -p openinference-mlflow-tests --test cost`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

use openinference_mlflow_tests::fixtures::{self, Fixture};
use openinference_mlflow_tests::guest::Guest;
use openinference_mlflow_translator::contract::Encoding;
use openinference_mlflow_translator::json::meter;
use openinference_mlflow_translator::translate;
use serde_json::{Map, Value, json};

/// By how many per cent a count may differ from the baseline, in either direction: what is won is kept, too.
const TOLERANCE: u64 = 3;

/// The payloads whose instructions are compared one by one; smaller ones show in the total alone.
const LEAST_INSTRUCTIONS: u64 = 1_000_000;

#[test]
fn translating_the_fixtures_costs_what_the_baseline_says() {
    let mut guest = Guest::metered().unwrap();
    guest.take_instructions();
    let (mut total, mut json_read, mut bytes) = (0, 0, 0);
    let mut payloads = Map::new();
    for Fixture { name, encoding, body } in fixtures::all().unwrap() {
        // A refused payload costs something, too.
        let _ = guest.translate(&body, encoding).unwrap();
        let instructions = guest.take_instructions();
        assert!(instructions > 0, "the instance does not count its instructions");
        meter::take();
        let _ = translate(&body, encoding, Encoding::Protobuf);
        json_read += meter::take();
        bytes += body.len();
        total += instructions;
        if instructions >= LEAST_INSTRUCTIONS {
            payloads.insert(name, instructions.into());
        }
    }
    let measured = json!({"instructions": total, "json_bytes_read": json_read, "payload_bytes": bytes, "instructions_of": payloads});
    let path = fixtures::tests_dir().join("cost.json");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, serde_json::to_string_pretty(&measured).unwrap() + "\n").unwrap();
        return;
    }
    let baseline: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let mut differences = Vec::new();
    compare("", &baseline, &measured, &mut differences);
    assert!(
        differences.is_empty(),
        "translate costs something else than tests/cost.json says:\n{}\nhint: say in the commit why, and set UPDATE_EXPECT=1 to write the baseline",
        differences.join("\n")
    );
}

/// Notes each count of the baseline from which the measured one differs by more than the tolerance. A payload that has
/// come or gone shows in the total.
fn compare(name: &str, baseline: &Value, measured: &Value, differences: &mut Vec<String>) {
    if let Some(entries) = baseline.as_object() {
        entries.iter().for_each(|(key, value)| compare(key, value, &measured[key], differences));
        return;
    }
    let Some((expected, found)) = baseline.as_u64().zip(measured.as_u64()) else { return };
    if found.abs_diff(expected) * 100 > expected * TOLERANCE {
        differences.push(format!("{name}: {found}, not {expected}"));
    }
}
