//! Inputs and outputs.
//!
//! MLflow reads text that spells a JSON object, array or string as that value, whatever the MIME type beside it says, and
//! drops falsy values. Text therefore passes unchanged; see [`clean`](crate::json::clean) for the little that changes.

use std::borrow::Cow;

use super::attribute_builder::AttributeBuilder;
use super::chat;
use super::langchain;
use super::printed;
use super::span_view::SpanView;
use crate::mlflow::Mapped;
use crate::mlflow::keys::{SPAN_INPUTS, SPAN_OUTPUTS};
use crate::openinference::Key;

/// Where inputs and outputs come from: OpenInference's own value, else, on a span of mixed conventions, the others' in the
/// order in which MLflow asks them.
const SOURCES: [(&str, &[Key]); 2] = [
    (
        SPAN_INPUTS,
        &[
            Key::InputValue,
            Key::GenAiInputMessages,
            Key::GenAiToolArguments,
            Key::AiPrompt,
            Key::AiPromptMessages,
            Key::AiToolArguments,
            Key::AiValue,
            Key::AiValues,
        ],
    ),
    (
        SPAN_OUTPUTS,
        &[
            Key::OutputValue,
            Key::GenAiOutputMessages,
            Key::GenAiToolResult,
            Key::AiResponseText,
            Key::AiToolResult,
            Key::AiResponseObject,
            Key::AiResponseToolCalls,
        ],
    ),
];

/// Adds inputs and outputs.
pub(super) fn add<'s, 'a>(view: &SpanView<'s, 'a>, added: &mut AttributeBuilder<'_, 's, 'a>) {
    for (to, from) in SOURCES {
        if added.lacks(to)
            && let Some(value) = from.iter().find_map(|key| view.value(*key))
        {
            // A model may well answer with what reads as a printed object.
            let object = || printed::object(&value.as_text()).filter(|_| !chat::is_model(added));
            let plain = value.json().map_or_else(object, langchain::plain).map(|text| Mapped::Text(Cow::Owned(text)));
            added.add(to, plain.unwrap_or_else(|| value.mapped().clone()));
        }
    }
}
