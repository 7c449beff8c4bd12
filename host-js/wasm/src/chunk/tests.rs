//! What JavaScript writes, decoded and read back by opentelemetry-proto.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message;

use super::to_otlp;

/// The writer's side of the layout, as short as a test needs it.
#[derive(Default)]
struct Chunk(Vec<u8>);

impl Chunk {
    fn u8(mut self, value: u8) -> Self {
        self.0.push(value);
        self
    }
    fn u16(mut self, value: u16) -> Self {
        self.0.extend(value.to_le_bytes());
        self
    }
    fn u32(mut self, value: u32) -> Self {
        self.0.extend(value.to_le_bytes());
        self
    }
    fn f64(mut self, value: f64) -> Self {
        self.0.extend(value.to_le_bytes());
        self
    }
    fn text(self, text: &str) -> Self {
        let mut chunk = self.u32(text.len() as u32);
        chunk.0.extend(text.as_bytes());
        chunk
    }
    fn id(self, digits: &str) -> Self {
        let mut chunk = self.u8(digits.len() as u8);
        chunk.0.extend(digits.as_bytes());
        chunk
    }
    fn span_head(self, span: &str, name: &str) -> Self {
        let head = self.u16(0).u16(0).id("0af7651916cd43dd8448eb211c80319c").id(span).id("").text("").u32(0x101);
        head.text(name).u8(1).f64(1_700_000_000.0).f64(5.0).f64(1_700_000_001.0).f64(0.0)
    }
    fn span_tail(self) -> Self {
        self.u32(0).u32(0).u32(0).u32(0).u32(0).u8(2).text("broke")
    }
    /// `next_key`: how many keys the spans defined.
    fn envelopes(self, next_key: u16) -> Vec<u8> {
        let at = self.0.len() as u32;
        let mut chunk = self.u16(1).u32(1).u16(next_key).text("service.name").u8(1).text("shop").text("");
        chunk = chunk.u16(1).text("tracer").text("1.2").text("");
        chunk.0[..4].copy_from_slice(&at.to_le_bytes());
        chunk.0
    }
}

/// Two spans, which share one key of their own and define another each.
fn two_spans() -> Vec<u8> {
    let first = Chunk::default().u32(0).span_head("b7ad6b7169203331", "first");
    let first = first.u32(2).u16(0).text("shared").u8(1).text("ünï").u16(1).text("numbers");
    let first = first.u8(6).u32(3).u8(4).f64(-3.0).u8(5).f64(0.5).u8(0).span_tail();
    let second = first.span_head("00f067aa0ba902b7", "second");
    second.u32(1).u16(0).u8(3).span_tail().envelopes(2)
}

#[test]
fn a_chunk_becomes_an_otlp_request_with_its_resource_scope_spans_and_values() {
    let request = ExportTraceServiceRequest::decode(to_otlp(&two_spans()).unwrap().as_slice()).unwrap();

    let [resource_spans] = request.resource_spans.as_slice() else { panic!("one resource") };
    let resource = resource_spans.resource.as_ref().unwrap();
    assert_eq!(resource.attributes[0].key, "service.name");
    let [scope_spans] = resource_spans.scope_spans.as_slice() else { panic!("one scope") };
    assert_eq!(scope_spans.scope.as_ref().unwrap().version, "1.2");
    let [first, second] = scope_spans.spans.as_slice() else { panic!("two spans") };

    assert_eq!(first.span_id, [0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31]);
    assert_eq!(first.start_time_unix_nano, 1_700_000_000_000_000_005);
    assert_eq!(first.flags, 0x101);
    assert_eq!(first.status.as_ref().unwrap().message, "broke");
    let value = |at: usize| first.attributes[at].value.as_ref().unwrap().value.clone().unwrap();
    assert_eq!(value(0), Value::StringValue("ünï".to_owned()));
    let Value::ArrayValue(numbers) = value(1) else { panic!("an array") };
    let numbers: Vec<_> = numbers.values.into_iter().map(|item| item.value).collect();
    assert_eq!(numbers, [Some(Value::IntValue(-3)), Some(Value::DoubleValue(0.5)), None]);

    assert_eq!(second.attributes[0].key, "shared");
    assert_eq!(second.attributes[0].value.as_ref().unwrap().value, Some(Value::BoolValue(true)));
}

#[test]
fn a_chunk_cut_anywhere_is_refused_and_never_panics() {
    let chunk = two_spans();
    for length in 0..chunk.len() {
        assert!(to_otlp(&chunk[..length]).is_err(), "cut at byte {length}");
    }
}

#[test]
fn a_chunk_with_any_byte_changed_never_panics() {
    let chunk = two_spans();
    for at in 0..chunk.len() {
        for value in [0, 1, 0x7f, 0xff] {
            let mut changed = chunk.clone();
            changed[at] = value;
            let _ = to_otlp(&changed);
        }
    }
}

#[test]
fn an_id_that_is_not_hexadecimal_goes_on_as_it_is_so_that_the_core_can_report_it() {
    let span = Chunk::default().u32(0).span_head("not hexadecimal!", "odd").u32(0).span_tail().envelopes(0);
    let request = ExportTraceServiceRequest::decode(to_otlp(&span).unwrap().as_slice()).unwrap();
    assert_eq!(request.resource_spans[0].scope_spans[0].spans[0].span_id, b"not hexadecimal!");
}
