//! Every captured payload.

use std::path::{Path, PathBuf};

use super::super::raw;
use crate::json::JsonIndex;
use crate::mapping::{self, repair};
use crate::mlflow::keys::{CHAT_MESSAGES, MESSAGE_FORMAT, SPAN_INPUTS, SPAN_OUTPUTS, SPAN_TYPE};
use crate::otlp::{Payload, Span};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/otlp");

/// Every captured payload.
fn captured() -> Vec<PathBuf> {
    let files = Path::new(FIXTURES).read_dir().expect("the fixtures").map(|file| file.expect("a file").path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|kind| kind == "pb")).collect();
    files.sort();
    files
}

#[test]
fn every_captured_conversation_is_one_that_the_ui_draws() {
    let mut drawn = 0;
    for path in captured() {
        let body = std::fs::read(&path).expect("a fixture");
        let Ok(payload) = Payload::parse(&body) else { continue };
        for span in payload.groups.iter().flat_map(|group| &group.spans) {
            let Ok(repaired) = repair::span(span) else { continue };
            let span = Span::parse(&repaired.span).expect("a repaired span");
            let added = mapping::span(&span);
            let text = |key: &str| mapping::stored(&span, &added, key).map(|value| value.as_text().into_owned());
            let place = format!("{} in {}", span.name.get(), path.display());
            let is_added = |key: &str| added.get(key).is_some();
            if is_added(MESSAGE_FORMAT) {
                let (inputs, outputs) = (text(SPAN_INPUTS).expect("inputs"), text(SPAN_OUTPUTS).expect("outputs"));
                let index = [&inputs, &outputs].map(|text| JsonIndex::read(text).expect("JSON"));
                let shape = raw::Shape::of(index[0].root(&inputs), index[1].root(&outputs));
                let shape = shape.unwrap_or_else(|| panic!("{place}: {inputs}\n{outputs}"));
                assert_eq!(text(MESSAGE_FORMAT).as_deref(), Some(shape.format), "{place}");
                drawn += 1;
            } else if text(SPAN_TYPE).as_deref() == Some("LLM") && text(MESSAGE_FORMAT).is_none() {
                // A role alone says nothing.
                let has_messages = |side: &str| {
                    let mut names = span.attributes.iter().map(|attribute| attribute.key.get());
                    names.any(|name| name.starts_with(side) && !name.ends_with(".message.role"))
                };
                let is_whole = has_messages("llm.input_messages.") && has_messages("llm.output_messages.");
                let is_preset = span.attribute(SPAN_INPUTS).is_some() || span.attribute(SPAN_OUTPUTS).is_some();
                assert!(!is_whole || is_preset, "{place} is not rebuilt");
            }
            if let Some(messages) = added.get(CHAT_MESSAGES) {
                let request = format!("{{\"messages\": {}}}", messages.as_text());
                let index = JsonIndex::read(&request).expect("JSON");
                assert!((raw::OPENAI.draws_request)(index.root(&request)), "{place}");
            }
        }
    }
    assert!(drawn > 0);
}
