//! Trace and span ids as clients write them.

use crate::oracle::span;

fn trace_id(text: &str) -> Vec<u8> {
    span(&format!(r#""traceId":"{text}""#)).trace_id
}

const TRACE: [u8; 16] =
    [0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6, 0xa3, 0xce, 0x92, 0x9d, 0x0e, 0x0e, 0x47, 0x36];

#[test]
fn an_id_is_hexadecimal_in_any_case() {
    for text in
        ["4bf92f3577b34da6a3ce929d0e0e4736", "4BF92F3577B34DA6A3CE929D0E0E4736", "4bf92F3577b34DA6a3ce929d0e0e4736"]
    {
        assert_eq!(trace_id(text), TRACE, "{text}");
    }
}

#[test]
fn an_id_with_a_prefix_or_the_hyphens_of_a_uuid_is_the_same_id() {
    for text in [
        "0x4bf92f3577b34da6a3ce929d0e0e4736",
        "4bf92f35-77b3-4da6-a3ce-929d0e0e4736",
        " 4bf92f3577b34da6a3ce929d0e0e4736 ",
    ] {
        assert_eq!(trace_id(text), TRACE, "{text}");
    }
}

#[test]
fn an_id_in_base64_as_protobuf_writes_json_is_recognised_by_its_length() {
    assert_eq!(trace_id("S/kvNXezTaajzpKdDg5HNg=="), TRACE);
    assert_eq!(trace_id("S_kvNXezTaajzpKdDg5HNg=="), TRACE, "URL-safe");
    let span = span(r#""spanId":"APBnqgupArc=","parentSpanId":"AAAAAAAAAAA=""#);
    assert_eq!(span.span_id, [0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7]);
    assert_eq!(span.parent_span_id, [0; 8]);
}

#[test]
fn an_id_that_lost_its_leading_zero_gets_it_back() {
    let span = span(r#""spanId":"0f067aa0ba902b7""#);
    assert_eq!(span.span_id, [0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7]);
}

#[test]
fn an_id_of_the_wrong_length_is_passed_on_for_repair_to_judge() {
    assert_eq!(trace_id("4bf9"), [0x4b, 0xf9]);
    assert_eq!(trace_id("4bf92f3577b34da6a3ce929d0e0e4736ff").len(), 17);
    assert_eq!(trace_id(""), [0u8; 0]);
}

#[test]
fn an_id_that_is_no_number_keeps_its_text_and_costs_nothing_else() {
    assert_eq!(trace_id("4bf92f3577b34da6a3ce929d0e0e473g"), b"4bf92f3577b34da6a3ce929d0e0e473g");
    assert_eq!(trace_id("S/kvNXezTaajzpKdDg5H===="), b"S/kvNXezTaajzpKdDg5H====", "base64 of something else");
    assert_eq!(trace_id("-bf92f35-77b3-4da6-a3ce-929d0e0e4736-").len(), 37, "no UUID");
}

#[test]
fn a_root_may_say_so_with_nothing_null_or_zeros() {
    assert!(span(r#""parentSpanId":"""#).parent_span_id.is_empty());
    assert!(span(r#""parentSpanId":null"#).parent_span_id.is_empty());
    assert!(span(r#""name":"no parent""#).parent_span_id.is_empty());
    assert_eq!(span(r#""parentSpanId":"0000000000000000""#).parent_span_id, [0; 8]);
}

#[test]
fn the_ids_of_links_are_read_likewise() {
    let span = span(r#""links":[{"traceId":"4BF92F3577B34DA6A3CE929D0E0E4736","spanId":"APBnqgupArc="}]"#);
    assert_eq!(span.links[0].trace_id, TRACE);
    assert_eq!(span.links[0].span_id.len(), 8);
}
