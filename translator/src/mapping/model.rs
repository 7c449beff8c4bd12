//! The model's name and its provider.

use std::borrow::Cow;

use super::attribute_builder::AttributeBuilder;
use super::span_view::SpanView;
use crate::json::{JsonIndex, JsonValue};
use crate::mlflow::keys::{MODEL, PROVIDER, SPAN_INPUTS, SPAN_OUTPUTS};
use crate::mlflow::tags;
use crate::openinference::Key;

/// The attributes that hold the model's name; the first one that is set counts. The model that responded comes before the
/// one that was requested.
const MODELS: [Key; 11] = [
    Key::ResponseModelName,
    Key::ModelName,
    Key::RequestModelName,
    Key::EmbeddingModelName,
    Key::RerankerModelName,
    Key::DecisionResponseModelName,
    Key::DecisionModelName,
    Key::DecisionRequestModelName,
    Key::GenAiResponseModel,
    Key::GenAiRequestModel,
    Key::AiModel,
];

const PROVIDERS: [Key; 5] =
    [Key::Provider, Key::DecisionProvider, Key::GenAiProvider, Key::GenAiSystem, Key::AiProvider];

/// Adds the model's name, from an attribute or else from the `model` of the inputs or outputs, and the provider's.
pub(super) fn add<'s, 'a>(view: &SpanView<'s, 'a>, added: &mut AttributeBuilder<'_, 's, 'a>) {
    if added.lacks(MODEL) {
        let named = MODELS.iter().find_map(|key| view.text(*key)).map(tags::column);
        let in_value = |key| in_value(added, key).map(Cow::Owned);
        if let Some(name) = named.or_else(|| in_value(SPAN_INPUTS)).or_else(|| in_value(SPAN_OUTPUTS)) {
            added.add_text(MODEL, name);
        }
    }
    if added.lacks(PROVIDER)
        && let Some(name) = PROVIDERS.iter().find_map(|key| view.text(*key))
    {
        added.add_text(PROVIDER, tags::column(name));
    }
}

/// The text under `model` in a value that is a JSON object.
fn in_value(added: &AttributeBuilder<'_, '_, '_>, key: &'static str) -> Option<String> {
    let value = added.stored(key)?;
    let text = value.as_text();
    // Most values hold no model; only those that may are scanned.
    if !text.contains("\"model\"") {
        return None;
    }
    let index = JsonIndex::read(&text)?;
    let name = index.root(&text).field("model").and_then(JsonValue::string)?;
    if name.is_empty() { None } else { Some(tags::column(name).into_owned()) }
}
