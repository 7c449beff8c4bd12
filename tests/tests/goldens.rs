//! Golden pairs: what each payload in `fixtures/otlp` gains, in `golden/`, the same natively and in wasmtime.
//!
//! A golden names the SHA-256 of the translated payload, so that every host is held to the same bytes, and shows in
//! plain JSON what each span gained. After a change that is meant: `UPDATE_EXPECT=1 cargo test -p openinference-mlflow-tests`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

use expect_test::expect_file;
use openinference_mlflow_tests::fixtures::{self, Fixture};
use openinference_mlflow_tests::guest::Guest;
use openinference_mlflow_translator::contract::Encoding;
use openinference_mlflow_translator::feedback::assessment::Assessment;
use openinference_mlflow_translator::feedback::{self, Feedback};
use openinference_mlflow_translator::otlp::{Payload, Span, Value};
use openinference_mlflow_translator::{Translated, translate};
use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};

#[test]
fn every_fixture_gains_what_its_golden_says() {
    let fixtures = fixtures::all().unwrap();
    assert!(fixtures.len() > 60, "{} fixtures", fixtures.len());
    for Fixture { name, encoding, body } in fixtures {
        let golden = match translate(&body, encoding, Encoding::Protobuf) {
            Ok(translated) => describe(&body, encoding, &translated),
            Err(malformed) => json!({ "malformed": malformed.to_string() }),
        };
        let text = serde_json::to_string_pretty(&golden).unwrap() + "\n";
        expect_file![fixtures::tests_dir().join(format!("golden/{name}.json"))].assert_eq(&text);
    }
}

#[test]
fn every_golden_has_its_fixture() {
    let names: Vec<String> = fixtures::all().unwrap().into_iter().map(|fixture| fixture.name).collect();
    for entry in std::fs::read_dir(fixtures::tests_dir().join("golden")).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        assert!(names.contains(&stem), "{stem} has no fixture any more: remove it");
    }
}

#[test]
fn wasmtime_translates_to_the_same_bytes_as_the_native_core() {
    let mut guest = Guest::new(false).unwrap();
    for Fixture { name, encoding, body } in fixtures::all().unwrap() {
        let native = translate(&body, encoding, Encoding::Protobuf);
        let guest = guest.translate(&body, encoding).unwrap();
        match (native, guest) {
            (Ok(native), Ok(guest)) => {
                assert_eq!(native.payload, guest.payload, "{name}");
                assert_eq!(native.repairs.len(), guest.repairs.len(), "{name}");
                assert_eq!(native.quarantined.len(), guest.quarantined.len(), "{name}");
            }
            (Err(native), Err(guest)) => assert_eq!(native.to_string(), guest, "{name}"),
            (native, _) => panic!("{name}: one host refused it, the other did not; native: {native:?}"),
        }
    }
}

#[test]
fn what_came_in_goes_out_unchanged() {
    for Fixture { name, encoding, body } in fixtures::all().unwrap() {
        if encoding != Encoding::Protobuf {
            continue;
        }
        let Ok(translated) = translate(&body, encoding, Encoding::Protobuf) else { continue };
        if !translated.repairs.is_empty() {
            continue;
        }
        let before = Payload::parse(&body).unwrap();
        let after = Payload::parse(&translated.payload).unwrap();
        for span in after.groups.iter().flat_map(|group| &group.spans) {
            let original =
                before.groups.iter().flat_map(|group| &group.spans).any(|original| span.raw.starts_with(original.raw));
            assert!(original, "{name}: span {} does not start with its own bytes", span.name.get());
        }
    }
}

fn describe(body: &[u8], encoding: Encoding, translated: &Translated) -> Json {
    let digest = Sha256::digest(&translated.payload);
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let repairs = translated.repairs.iter();
    let repairs = repairs.map(|repair| json!(format!("{} {}: {}", repair.span_id, repair.rule, repair.place)));
    let quarantined = translated.quarantined.iter().map(|span| json!(format!("{}: {}", span.span_id, span.reason)));
    let payload = Payload::parse(&translated.payload).unwrap();
    let spans = payload.groups.iter().flat_map(|group| &group.spans).map(|span| gained(span, body, encoding));
    let mut golden = json!({
        "sha256": digest,
        "spans": spans.collect::<Vec<_>>(),
        "repairs": repairs.collect::<Vec<_>>(),
        "quarantined": quarantined.collect::<Vec<_>>(),
    });
    let spans = payload.groups.iter().flat_map(|group| &group.spans);
    let feedback: Vec<_> = spans.flat_map(feedback::read).map(|feedback| assessment(&feedback)).collect();
    if !feedback.is_empty() {
        golden["assessments"] = feedback.into();
    }
    golden
}

/// What a bridge makes of feedback.
fn assessment(feedback: &Feedback) -> Json {
    let trace: String = feedback.target.trace_id.iter().map(|byte| format!("{byte:02x}")).collect();
    Assessment::of(feedback, "0").to_json(&format!("tr-{trace}"))
}

/// The `mlflow.*` attributes of a span, those that were there before left out.
fn gained(span: &Span<'_>, body: &[u8], encoding: Encoding) -> Json {
    let decoded;
    let body = match encoding {
        Encoding::Json => {
            decoded = openinference_mlflow_translator::otlp::json::decode(body).unwrap().payload;
            &decoded
        }
        _ => body,
    };
    let before = Payload::parse(body).unwrap();
    let own: Vec<&[u8]> = before
        .groups
        .iter()
        .flat_map(|group| &group.spans)
        .filter(|original| original.span_id == span.span_id && original.trace_id == span.trace_id)
        .flat_map(|original| original.attributes.iter().map(|attribute| attribute.key.bytes()))
        .collect();
    let gained = span
        .attributes
        .iter()
        .filter(|attribute| attribute.key.get().starts_with("mlflow.") && !own.contains(&attribute.key.bytes()));
    let gained: Map<String, Json> = gained
        .map(|attribute| {
            let text = match attribute.value {
                Value::String(text) => text.get().to_owned(),
                other => format!("{other:?}"),
            };
            // JSON reads better as JSON.
            let value = match serde_json::from_str::<Json>(&text) {
                Ok(value) if value.is_object() || value.is_array() => value,
                _ => Json::String(text),
            };
            (attribute.key.get().to_owned(), value)
        })
        .collect();
    json!({ "name": span.name.get(), "gained": gained })
}
