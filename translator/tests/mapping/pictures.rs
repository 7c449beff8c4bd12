//! What each fixture's spans gain and what is repaired on them, as a picture a fixture.

use std::fmt::Write;
use std::path::Path;

use openinference_mlflow_translator::mapping::{self, repair};
use openinference_mlflow_translator::otlp::{Payload, Span};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/otlp");

/// Payloads that show one rule each, and a few captured ones that show how real spans look.
const SHOWN: [&str; 24] = [
    "hand_cost_sent",
    "hand_genai_and_openinference",
    "hand_io_mime",
    "hand_io_preset",
    "hand_io_strings",
    "hand_io_types",
    "hand_json_text_integer",
    "hand_json_text_nested",
    "hand_json_text_surrogate",
    "hand_kinds_absent",
    "hand_kinds_all",
    "hand_kinds_odd",
    "hand_kinds_preset",
    "hand_model_precedence",
    "hand_model_provider",
    "hand_not_finite_meaning",
    "hand_session_odd",
    "hand_traceloop_beside",
    "hand_usage_odd_types",
    "hand_usage_partial",
    "hand_usage_preset",
    "js_core_kinds",
    "js_vercel_oi_generate",
    "py_inst_openai",
];

#[test]
fn spans_gain_what_the_pictures_show() {
    insta::with_settings!({ snapshot_path => "../mapping_pictures", prepend_module_to_snapshot => false, omit_expression => true }, {
        for name in SHOWN {
            let body = std::fs::read(Path::new(FIXTURES).join(name).with_extension("pb")).unwrap();
            insta::assert_snapshot!(name, picture(&body));
        }
    });
}

fn picture(body: &[u8]) -> String {
    let mut out = String::new();
    for group in &Payload::parse(body).unwrap().groups {
        put_repairs(&mut out, &repair::resource(&group.resource, &group.resource_attributes).1);
        put_repairs(&mut out, &repair::scope(&group.scope).1);
        for span in &group.spans {
            writeln!(out, "{}", short(&String::from_utf8_lossy(span.name.bytes()))).unwrap();
            match repair::span(span) {
                Ok(repaired) => {
                    put_repairs(&mut out, &repaired.repairs);
                    for (key, value) in mapping::span(&Span::parse(&repaired.span).unwrap()).iter() {
                        writeln!(out, "  {key} = {}", short(&value.as_text())).unwrap();
                    }
                }
                Err(reason) => writeln!(out, "  quarantined: {reason}").unwrap(),
            }
        }
    }
    out
}

fn put_repairs(out: &mut String, repairs: &[(&'static str, String)]) {
    for (rule, place) in repairs {
        writeln!(out, "  repaired {rule} at {place}").unwrap();
    }
}

fn short(text: &str) -> String {
    const LENGTH: usize = 160;
    let line: String =
        text.chars().map(|c| if c.is_control() { c.escape_debug().to_string() } else { c.to_string() }).collect();
    match line.char_indices().nth(LENGTH) {
        Some((at, _)) => format!("{}… ({} characters)", &line[..at], line.chars().count()),
        None => line,
    }
}
