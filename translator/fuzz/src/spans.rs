//! Spans made from a few bytes, so that traces form: ids, parents and times come from small ranges and collide.

use arbitrary::Arbitrary;
use openinference_mlflow_translator::otlp::wire::{put_bytes_field, put_fixed64_field, put_varint_field};

/// One span.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct SpanSeed {
    trace: u8,
    span: u8,
    /// 0 modulo 8: a root.
    parent: u8,
    start: u8,
    /// 0: has not ended.
    duration: u8,
    status: u8,
    attributes: u8,
    oddity: u8,
}

const TRACES: u8 = 4;
const SPANS: u8 = 8;

/// What OpenInference instrumentations put on spans, one each for the low bits of `attributes`.
const ATTRIBUTES: [(&str, &str); 8] = [
    ("openinference.span.kind", "LLM"),
    ("input.value", r#"{"messages":[{"role":"user","content":"hi"}]}"#),
    ("output.value", "hello"),
    ("llm.model_name", "gpt-4o"),
    ("session.id", "s"),
    ("user.id", "u"),
    ("metadata", r#"{"a":1}"#),
    ("mlflow.spanType", "TOOL"),
];

fn id(kind: u8, number: u8, length: usize) -> Vec<u8> {
    let mut id = vec![kind; length];
    if let Some(last) = id.last_mut() {
        *last = number;
    }
    id
}

fn string_attribute(out: &mut Vec<u8>, key: &str, value: &str) {
    let mut text = Vec::new();
    put_bytes_field(&mut text, 1, value.as_bytes());
    attribute(out, key, &text);
}

fn attribute(out: &mut Vec<u8>, key: &str, value: &[u8]) {
    let mut attribute = Vec::new();
    put_bytes_field(&mut attribute, 1, key.as_bytes());
    put_bytes_field(&mut attribute, 2, value);
    put_bytes_field(out, 9, &attribute);
}

fn feedback(out: &mut Vec<u8>, family: &str, word: &str, identified: bool, score: u8) {
    let key = |field: &str| format!("{family}.0.{word}.{field}");
    string_attribute(out, &key("name"), "helpful");
    string_attribute(out, &key("annotator_kind"), "HUMAN");
    string_attribute(out, &key("score"), &score.to_string());
    if identified {
        string_attribute(out, &key("identifier"), "judge");
    }
}

impl SpanSeed {
    fn encode(self) -> Vec<u8> {
        const BASE: u64 = 1_795_330_312_000_000_000;
        let mut span = Vec::new();
        put_bytes_field(&mut span, 1, &id(0xA0, self.trace % TRACES, 16));
        let span_id = if self.oddity == 1 { Vec::new() } else { id(0xB0, self.span % SPANS, 8) };
        put_bytes_field(&mut span, 2, &span_id);
        if !self.parent.is_multiple_of(SPANS) {
            put_bytes_field(&mut span, 4, &id(0xB0, self.parent % SPANS, 8));
        }
        let name: &[u8] = if self.oddity == 2 { b"\xff" } else { b"span" };
        put_bytes_field(&mut span, 5, name);
        let start = BASE + u64::from(self.start) * 1_000_000;
        put_fixed64_field(&mut span, 7, start);
        match self.oddity {
            3 => put_fixed64_field(&mut span, 8, u64::MAX),
            _ if self.duration == 0 => {}
            _ => put_fixed64_field(&mut span, 8, start + u64::from(self.duration) * 1_000_000),
        }
        for (bit, (key, value)) in ATTRIBUTES.into_iter().enumerate() {
            if self.attributes >> bit & 1 == 1 {
                string_attribute(&mut span, key, value);
            }
        }
        if self.oddity == 4 {
            let mut not_a_number = Vec::new();
            put_fixed64_field(&mut not_a_number, 4, f64::NAN.to_bits());
            attribute(&mut span, "score", &not_a_number);
        }
        if self.oddity == 5 {
            string_attribute(&mut span, "session.id", &"long ".repeat(100));
        }
        match self.oddity {
            // Feedback on the span itself, with and without an identifier.
            6 | 7 => feedback(&mut span, "annotations", "annotation", self.oddity == 7, self.duration),
            // On a span of another trace, which may come later or never.
            8 | 9 => {
                feedback(&mut span, "evaluations", "evaluation", self.oddity == 9, self.duration);
                let mut link = Vec::new();
                put_bytes_field(&mut link, 1, &id(0xA0, self.start % (TRACES + 1), 16));
                put_bytes_field(&mut link, 2, &id(0xB0, 1, 8));
                put_bytes_field(&mut span, 13, &link);
            }
            10 => {
                string_attribute(&mut span, "session.id", "s");
                feedback(&mut span, "session.evaluations", "evaluation", true, self.duration);
            }
            11 => {
                let mut event = Vec::new();
                put_bytes_field(&mut event, 2, b"gen_ai.evaluation.result");
                let mut label = Vec::new();
                put_bytes_field(&mut label, 1, b"gen_ai.evaluation.score.label");
                put_bytes_field(&mut label, 2, &[10, 2, b'o', b'k']);
                put_bytes_field(&mut event, 3, &label);
                put_bytes_field(&mut span, 11, &event);
            }
            // Pictures, of which many are the same.
            12..=14 => {
                let picture = format!("iVBORw0KGgo{}", "AB+/"[usize::from(self.duration % 4)..].repeat(32));
                let quoted = format!(r#"{{"a":"data:image/png;base64,{picture}","b":["{picture}"]}}"#);
                string_attribute(&mut span, "output.value", if self.oddity == 12 { &picture } else { &quoted });
            }
            _ => {}
        }
        let mut status = Vec::new();
        put_varint_field(&mut status, 3, u64::from(self.status % 3));
        put_bytes_field(&mut span, 15, &status);
        span
    }
}

/// A payload with these spans in one scope of a project.
pub fn payload(spans: &[SpanSeed], project: u8) -> Vec<u8> {
    let mut resource = Vec::new();
    if project != 0 {
        let mut attributes = Vec::new();
        string_attribute(
            &mut attributes,
            "openinference.project.name",
            if project.is_multiple_of(2) { "even" } else { "odd" },
        );
        // Attributes are field 9 of a span and field 1 of a resource, and both tags are one byte.
        if let Some(tag) = attributes.first_mut() {
            *tag = 1 << 3 | 2;
        }
        put_bytes_field(&mut resource, 1, &attributes);
    }
    let mut scope_spans = Vec::new();
    for span in spans {
        put_bytes_field(&mut scope_spans, 2, &span.encode());
    }
    put_bytes_field(&mut resource, 2, &scope_spans);
    let mut payload = Vec::new();
    put_bytes_field(&mut payload, 1, &resource);
    payload
}
