//! Payloads captured from real instrumentations, and hand-built ones.

use std::fs;
use std::path::{Path, PathBuf};

use openinference_mlflow_translator::otlp::{Payload, json};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::AnyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message;

use crate::oracle::{decoded, meaning, read, rewritten};

fn fixtures(extension: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/otlp");
    let mut paths: Vec<_> =
        fs::read_dir(&folder).expect("the fixtures").map(|entry| entry.expect("a file").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|found| found == extension));
    paths.sort();
    assert!(!paths.is_empty(), "no .{extension} in {}", folder.display());
    paths.into_iter().map(|path| (path.clone(), fs::read(path).expect("a readable fixture"))).collect()
}

fn raw_spans<'a>(payload: &'a Payload<'_>) -> impl Iterator<Item = &'a [u8]> {
    payload.groups.iter().flat_map(|group| &group.spans).map(|span| span.raw)
}

#[test]
fn captured_json_decodes_to_the_protobuf_of_the_same_spans() {
    let mut pairs = fixtures("json");
    pairs.retain(|(path, _)| path.with_extension("pb").exists());
    assert!(!pairs.is_empty(), "no .json has a .pb beside it");
    for (path, body) in pairs {
        let protobuf = fs::read(path.with_extension("pb")).expect("a readable fixture");
        let mut expected = read(&protobuf);
        // JavaScript writes a double that is not finite as `null`.
        let spans = expected
            .resource_spans
            .iter_mut()
            .flat_map(|resource_spans| &mut resource_spans.scope_spans)
            .flat_map(|scope_spans| &mut scope_spans.spans);
        for attribute in spans.flat_map(|span| &mut span.attributes) {
            if let Some(AnyValue { value: Some(Value::DoubleValue(double)) }) = attribute.value
                && !double.is_finite()
            {
                attribute.value = Some(AnyValue { value: None });
            }
        }
        assert_eq!(meaning(read(&decoded(&body).payload)), meaning(expected), "{}", path.display());
    }
}

#[test]
fn payloads_survive_being_taken_apart_and_both_encodings() {
    for (path, body) in fixtures("pb") {
        let payload = Payload::parse(&body).expect("a fixture is readable");
        if ExportTraceServiceRequest::decode(body.as_slice()).is_err() {
            // A text that is not UTF-8, which prost refuses.
            let rewritten = rewritten(&payload);
            let again = Payload::parse(&rewritten).expect("what was written is readable");
            assert!(raw_spans(&again).eq(raw_spans(&payload)), "{}", path.display());
            continue;
        }
        let expected = meaning(read(&body));
        assert_eq!(meaning(read(&rewritten(&payload))), expected, "{}", path.display());
        let json = json::encode(&payload);
        assert_eq!(meaning(read(&decoded(&json).payload)), expected, "{} in JSON", path.display());
    }
}

#[test]
fn hand_written_json_is_read() {
    for (path, body) in fixtures("json") {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with("hand_") {
            let decoded = decoded(&body);
            assert!(Payload::parse(&decoded.payload).is_ok_and(|payload| payload.span_count() > 0), "{name}");
            assert_eq!(decoded.lone_surrogates > 0, name.contains("lone_surrogate"), "{name}");
        }
    }
}
