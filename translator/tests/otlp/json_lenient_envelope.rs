//! What may be wrong with a body as a whole.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;

use crate::oracle::{body_with_span, decode, decoded, read};

/// The name of the one span in a body that need not be text, and how much was replaced in it.
fn name(body: &[u8]) -> (String, u32, u32) {
    let decoded = decoded(body);
    let mut request = read(&decoded.payload);
    let span = request.resource_spans.remove(0).scope_spans.remove(0).spans.remove(0);
    (span.name, decoded.lone_surrogates, decoded.invalid_utf8)
}

fn named(name: &[u8]) -> Vec<u8> {
    let body = body_with_span(r#""name":"?","kind":1"#).into_bytes();
    let at = body.iter().position(|byte| *byte == b'?').expect("the placeholder");
    [&body[..at], name, &body[at + 1..]].concat()
}

#[test]
fn an_empty_request_has_no_spans() {
    for body in ["{}", r#"{"resourceSpans":[]}"#, r#"{"resourceSpans":null}"#, " {\n} "] {
        assert_eq!(decode(body), ExportTraceServiceRequest::default(), "{body}");
    }
}

#[test]
fn a_byte_order_mark_is_skipped() {
    let body = [b"\xef\xbb\xbf", &named(b"n")[..]].concat();
    assert_eq!(name(&body), ("n".to_owned(), 0, 0));
}

#[test]
fn a_lone_surrogate_becomes_the_replacement_character_and_is_counted() {
    for (escaped, expected, lone) in [
        (r"a\ud83db", "a\u{fffd}b", 1),
        (r"\uD83D", "\u{fffd}", 1),
        (r"\ude00!", "\u{fffd}!", 1),
        (r"\ud83d\ud83d\ude00", "\u{fffd}😀", 1),
        (r"\ude00\ud83d", "\u{fffd}\u{fffd}", 2),
        (r"\ud83d\n", "\u{fffd}\n", 1),
        (r"\ud83dude00", "\u{fffd}ude00", 1),
        (r"\ud83d\u0041", "\u{fffd}A", 1),
    ] {
        assert_eq!(name(&named(escaped.as_bytes())), (expected.to_owned(), lone, 0), "{escaped}");
    }
}

#[test]
fn whole_surrogate_pairs_and_escaped_backslashes_are_left_alone() {
    for (escaped, expected) in [
        (r"\ud83d\ude00", "😀"),
        (r"\uD83D\uDE00", "😀"),
        (r"\\ud83d", r"\ud83d"),
        (r"\\\\ud83d\u00e9", r"\\ud83dé"),
        (r#"\"\\"#, r#""\"#),
        (r"\ud7ff", "\u{d7ff}"),
        (r"\ue000", "\u{e000}"),
    ] {
        assert_eq!(name(&named(escaped.as_bytes())), (expected.to_owned(), 0, 0), "{escaped}");
    }
}

#[test]
fn bytes_that_are_not_utf8_become_the_replacement_character_and_are_counted() {
    assert_eq!(name(&named(b"caf\xe9")), ("caf\u{fffd}".to_owned(), 0, 1));
    assert_eq!(name(&named(b"\xff \xf0\x9f")), ("\u{fffd} \u{fffd}".to_owned(), 0, 2));
    assert_eq!(name(&named(b"\xff \\ud83d")), ("\u{fffd} \u{fffd}".to_owned(), 1, 1));
}

#[test]
fn text_after_a_repaired_place_is_read_unchanged() {
    let body = body_with_span(r#""attributes":[{"value":{"doubleValue":NaN}}],"name":"é\ud83d","traceState":"😀""#);
    let span = decode(&body).resource_spans.remove(0).scope_spans.remove(0).spans.remove(0);
    assert_eq!((span.name.as_str(), span.trace_state.as_str()), ("é\u{fffd}", "😀"));
}

#[test]
fn a_large_body_stays_in_proportion() {
    let attribute = r#"{"key":"k","value":{"stringValue":"0123456789"}},"#;
    let body = body_with_span(&format!(r#""attributes":[{}null]"#, attribute.repeat(20_000)));
    let payload = decoded(body.as_bytes()).payload;
    assert!(payload.len() < body.len(), "{} bytes from {}", payload.len(), body.len());
}
