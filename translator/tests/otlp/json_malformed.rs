//! Bodies that cannot be meant: refused as a whole, with what was expected and where.

use openinference_mlflow_translator::otlp::value::MAX_DEPTH;

use crate::oracle::{attributes, body_with_span, refused};

#[test]
fn a_value_of_the_wrong_type_is_refused_with_its_place_and_what_was_expected() {
    for (body, expected, line, column) in [
        (r#"{"resourceSpans":5}"#, "a list, each item a ResourceSpans, not a number", 1, 18),
        ("{\"resourceSpans\":\n[true]}", "a ResourceSpans as a JSON object, not a boolean", 2, 5),
        (r#"{"resourceSpans":[[]]}"#, "a ResourceSpans as a JSON object, not a list", 1, 20),
        (r#"{"resourceSpans":{}}"#, "a list, each item a ResourceSpans, not an object", 1, 19),
        (r#"[{"resourceSpans":[]}]"#, "an ExportTraceServiceRequest as a JSON object, not a list", 1, 1),
        ("null", "an ExportTraceServiceRequest as a JSON object, not null", 1, 4),
        (r#""text""#, "an ExportTraceServiceRequest as a JSON object, not this text", 1, 6),
    ] {
        let message = refused(body.as_bytes());
        assert!(message.contains(expected), "{body}: {message}");
        assert!(message.contains(&format!("at line {line}, column {column}")), "{body}: {message}");
    }
}

#[test]
fn a_span_field_of_the_wrong_type_is_refused() {
    for (fields, expected) in [
        (r#""traceId":17"#, "an id as hexadecimal text, not a number"),
        (r#""spanId":["a"]"#, "an id as hexadecimal text, not a list"),
        (r#""name":{}"#, "a text, not an object"),
        (r#""kind":true"#, "an enum's number or name, not a boolean"),
        (r#""startTimeUnixNano":"2026-11-22T08:05:00Z""#, "an integer, as a number or text, not this text"),
        (r#""startTimeUnixNano":NaN"#, "an integer, as a number or text, not this text"),
        (r#""endTimeUnixNano":false"#, "an integer, as a number or text, not a boolean"),
        (r#""attributes":"none""#, "a list, each item a KeyValue, not this text"),
        (r#""attributes":["none"]"#, "a KeyValue as a JSON object, not this text"),
        (r#""events":[1]"#, "an Event as a JSON object, not a number"),
        (r#""links":[[]]"#, "a Link as a JSON object, not a list"),
        (r#""status":2"#, "a Status as a JSON object, not a number"),
    ] {
        let message = refused(body_with_span(fields).as_bytes());
        assert!(message.contains(expected), "{fields}: {message}");
    }
}

#[test]
fn a_body_that_is_no_json_is_refused_with_its_place() {
    for body in [
        "",
        "   ",
        "{",
        r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"cut"#,
        r#"{"resourceSpans":[],}"#,
        r#"{"resourceSpans":[]} trailing"#,
        "{\"resourceSpans\":[]}\n{\"resourceSpans\":[]}",
        "{'resourceSpans':[]}",
        "<html></html>",
        r#"{"resourceSpans":[{"x":"\u12"}]}"#,
        r#"{"resourceSpans":[{"schemaUrl":1e999}]}"#,
    ] {
        let message = refused(body.as_bytes());
        assert!(message.contains("well-formed JSON") && message.contains("at line"), "{body}: {message}");
    }
    refused(b"\x0a\x08\x12\x06\x12\x04\x2a\x02ok");
    refused(&[0xFF; 64]);
}

#[test]
fn a_refusal_never_quotes_the_body() {
    let secret = "sk-this-must-not-be-seen";
    for fields in [
        format!(r#""startTimeUnixNano":"{secret}""#),
        format!(r#""status":"{secret}""#),
        format!(r#""events":["{secret}"]"#),
        format!(r#""name":"{secret}" oops"#),
        format!(r#""{secret}":[}}"#),
    ] {
        let message = refused(body_with_span(&fields).as_bytes());
        assert!(!message.contains(secret), "{message}");
    }
}

fn nested_arrays(levels: usize) -> String {
    format!("{}true{}", r#"{"arrayValue":{"values":["#.repeat(levels), "]}}".repeat(levels))
}

fn nested_entries(levels: usize) -> String {
    format!("{}true{}", r#"{"kvlistValue":{"values":[{"value":"#.repeat(levels), "}]}}".repeat(levels))
}

fn nested_bare(levels: usize) -> String {
    format!("{}true{}", "[".repeat(levels), "]".repeat(levels))
}

#[test]
fn values_nest_as_deep_as_in_protobuf_and_no_deeper() {
    for nested in [nested_arrays, nested_entries, nested_bare] {
        let body = |levels| format!(r#"[{{"key":"k","value":{}}}]"#, nested(levels));
        assert_eq!(attributes(&body(MAX_DEPTH)).len(), 1);
        let message = refused(body_with_span(&format!(r#""attributes":{}"#, body(MAX_DEPTH + 1))).as_bytes());
        assert!(message.contains("values nested at most 31 deep"), "{message}");
    }
}

#[test]
fn no_depth_of_nesting_overflows_the_stack() {
    let levels = 200_000;
    for nested in [
        nested_arrays(levels),
        nested_entries(levels),
        nested_bare(levels),
        r#"{"value":"#.repeat(levels),
        r#"{"stringValue":"#.repeat(levels),
    ] {
        refused(body_with_span(&format!(r#""attributes":[{{"value":{nested}}}]"#)).as_bytes());
    }
    refused(body_with_span(&format!(r#""unknown":{}"#, "[".repeat(levels))).as_bytes());
    let skipped = body_with_span(&format!(r#""unknown":{}"#, nested_bare(levels)));
    assert!(openinference_mlflow_translator::otlp::json::decode(skipped.as_bytes()).is_ok());
}
