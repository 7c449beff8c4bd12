//! Rewrites LangChain's messages in the values of chains, agents and tools in OpenAI's shape, because neither MLflow's UI nor
//! its previews know LangChain's. Everything around the messages stays unchanged.

use super::chat::{self, Role};
use super::rewrite::rewrite;
use crate::json::{self, JsonValue};

/// What every message has that LangChain writes.
const MARK: &str = "\"additional_kwargs\"";

/// A value with its messages in OpenAI's shape; only the text where the value is a single tool result. `None` when it holds
/// no such message.
pub(super) fn plain(value: JsonValue<'_>) -> Option<String> {
    if !value.holds_literal(MARK) {
        return None;
    }
    let mut only = value.entries();
    let output = only.next().filter(|(key, _)| key.text() == "\"output\"" && only.next().is_none());
    if let [message] = chat::langchain_messages(output.map_or(value, |(_, value)| value)).as_slice()
        && message.role == Role::Tool
        && let Some(words) = message.only_text()
    {
        // Inside of JSON it was a string, whatever it spells.
        return Some(json::storable(words).into_owned());
    }
    let mut out = String::with_capacity(value.text().len());
    rewrite(value, &mut out, &replaced).then_some(out)
}

/// Writes a message in OpenAI's shape, or a value without messages.
fn replaced(_: Option<JsonValue<'_>>, value: JsonValue<'_>, out: &mut String) -> Option<bool> {
    if !value.holds_literal(MARK) {
        out.push_str(value.text());
        return Some(false);
    }
    let messages = chat::langchain_messages(value);
    if let [message] = messages.as_slice() {
        message.put(out);
        return Some(true);
    }
    // Around messages, as in a prompt, the constructor's name says nothing.
    match value.fields(["lc", "kwargs"]) {
        [Some(_), Some(inside)] => Some(rewrite(inside, out, &replaced)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::mapping::test_support::added_value;
    use crate::mlflow::keys::SPAN_OUTPUTS;

    fn outputs(kind: &str, value: &Value) -> Value {
        added_value(kind, &[("output.value", json!(value.to_string()))], SPAN_OUTPUTS)
    }

    fn human() -> Value {
        json!({"type": "human", "data": {"content": "hi", "additional_kwargs": {}, "id": null}})
    }

    fn constructor(class: &str, kwargs: &Value) -> Value {
        json!({"lc": 1, "type": "constructor", "id": ["langchain_core", "messages", class], "kwargs": kwargs})
    }

    #[test]
    fn messages_are_rewritten_in_place_and_the_rest_of_a_state_stays() {
        let ai = constructor("AIMessage", &json!({"content": "ho", "additional_kwargs": {}, "tool_calls": []}));
        let state = json!({"messages": [human(), ai], "step": 3, "update": [{"deep": [human()]}]});
        let said = json!({"role": "user", "content": "hi"});
        assert_eq!(
            outputs("CHAIN", &state),
            json!({"messages": [said, {"role": "assistant", "content": "ho"}], "step": 3, "update": [{"deep": [said]}]})
        );
        let prompt = constructor("ChatPromptValue", &json!({"messages": [human()]}));
        assert_eq!(outputs("CHAIN", &prompt), json!({"messages": [said]}));
    }

    #[test]
    fn what_a_tool_found_is_its_words() {
        let found = json!({"type": "tool", "data": {"content": "21", "additional_kwargs": {}, "tool_call_id": "c"}});
        for value in [found.clone(), json!({"output": found})] {
            assert_eq!(outputs("TOOL", &value), json!(21), "{value}");
        }
    }

    #[test]
    fn words_that_spell_what_mlflow_cannot_hold_are_made_holdable() {
        let deep = "[".repeat(1000) + &"]".repeat(1000);
        let number = r#"{"balance": 100000000000000000000}"#;
        for (words, held) in [(number, json!({"balance": "100000000000000000000"})), (&deep, json!(deep))] {
            let found = json!({"type": "tool", "data": {"content": words, "additional_kwargs": {}}});
            assert_eq!(outputs("TOOL", &found), held);
        }
    }

    #[test]
    fn values_without_messages_of_langchains_stay() {
        for value in [
            json!({"messages": [{"role": "user", "content": "hi"}]}),
            json!({"note": "\"additional_kwargs\""}),
            json!({"additional_kwargs": {"a": [1, "b"]}}),
            json!([{"type": "human"}]),
        ] {
            assert_eq!(outputs("CHAIN", &value), value);
        }
    }
}
