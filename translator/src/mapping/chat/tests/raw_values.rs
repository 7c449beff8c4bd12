//! Raw values that MLflow's UI draws or not, and what they keep.

use serde_json::{Value, json};

use super::MappedSpan;
use crate::mlflow::keys::{CHAT_MESSAGES, MESSAGE_FORMAT, SPAN_INPUTS, SPAN_OUTPUTS};

#[test]
fn a_raw_pair_that_the_ui_draws_is_kept_and_named() {
    let chat = [
        ("input.value", json!(r#"{"messages": [{"role": "user", "content": "hi"}]}"#)),
        ("output.value", json!(r#"{"choices": [{"message": {"role": "assistant", "content": "ho"}}]}"#)),
        ("llm.input_messages.0.message.role", json!("user")),
        ("llm.input_messages.0.message.content", json!("hi")),
    ];
    let mapped = MappedSpan::llm(&chat);
    assert_eq!(mapped.text(MESSAGE_FORMAT).as_deref(), Some("openai"));
    assert_eq!(mapped.json(SPAN_INPUTS), json!({"messages": [{"role": "user", "content": "hi"}]}));
    assert_eq!(mapped.text(CHAT_MESSAGES), None);
    let anthropic = MappedSpan::llm(&[
        ("input.value", json!(r#"{"messages": [{"role": "user", "content": "hi"}]}"#)),
        (
            "output.value",
            json!(r#"{"type": "message", "role": "assistant", "content": [{"type": "text", "text": "ho"}]}"#),
        ),
    ]);
    assert_eq!(anthropic.text(MESSAGE_FORMAT).as_deref(), Some("anthropic"));
}

#[test]
fn a_raw_request_stays_where_the_messages_name_speakers_and_no_words() {
    let dump = r#"{"kwargs": {"content": "what is in the picture?"}}"#;
    let mapped = MappedSpan::llm(&[
        ("input.value", json!(dump)),
        ("llm.input_messages.0.message.role", json!("user")),
        ("llm.output_messages.0.message.role", json!("assistant")),
        ("llm.output_messages.0.message.content", json!("a cat")),
    ]);
    assert_eq!(mapped.text(SPAN_INPUTS).as_deref(), Some(dump));
    assert_eq!(mapped.answered()[0]["message"]["content"], "a cat");
}

#[test]
fn the_model_that_only_a_raw_value_names_is_not_lost() {
    let mapped = MappedSpan::llm(&[
        ("input.value", json!(r#"{"model": "gemini", "contents": []}"#)),
        ("llm.input_messages.0.message.content", json!("hi")),
    ]);
    assert_eq!(mapped.text(crate::mlflow::keys::MODEL).as_deref(), Some("gemini"));
}

#[test]
fn a_streamed_answer_of_plain_text_is_the_assistants() {
    let mapped = MappedSpan::llm(&[
        ("input.value", json!(r#"{"messages": [{"role": "user", "content": "hi"}]}"#)),
        ("output.value", json!("ho")),
        ("llm.input_messages.0.message.content", json!("hi")),
    ]);
    assert_eq!(mapped.answered(), json!([{"index": 0, "message": {"role": "assistant", "content": "ho"}}]));
    assert_eq!(mapped.text(MESSAGE_FORMAT).as_deref(), Some("openai"));
}

#[test]
fn plain_values_without_messages_stay_plain() {
    let mapped = MappedSpan::llm(&[("input.value", json!("once")), ("output.value", json!(" upon"))]);
    assert_eq!(
        (mapped.text(SPAN_INPUTS).as_deref(), mapped.text(SPAN_OUTPUTS).as_deref()),
        (Some("once"), Some(" upon"))
    );
    assert_eq!(mapped.text(MESSAGE_FORMAT), None);
}

#[test]
fn attributes_set_by_the_producer_are_left_alone() {
    for key in [SPAN_INPUTS, SPAN_OUTPUTS, MESSAGE_FORMAT, CHAT_MESSAGES] {
        let mapped = MappedSpan::llm(&[(key, json!("own")), ("llm.input_messages.0.message.content", json!("hi"))]);
        for other in [SPAN_INPUTS, SPAN_OUTPUTS, MESSAGE_FORMAT, CHAT_MESSAGES] {
            assert_eq!(mapped.text(other), None, "{other} beside {key}");
        }
    }
}

#[test]
fn an_agent_gets_a_conversation_only_where_its_own_value_is_unreadable() {
    let messages = ("llm.input_messages.0.message.content", json!("hi"));
    let asked = |value: Value| MappedSpan::kind("AGENT", &[("input.value", value), messages.clone()]).text(SPAN_INPUTS);
    assert_eq!(asked(json!("plain")).as_deref(), Some("plain"));
    assert_eq!(asked(json!("{\"a\": 1}")).as_deref(), Some("{\"a\": 1}"));
    let mapped =
        MappedSpan::kind("AGENT", &[("input.value", json!(r#"[{"role": "user", "parts": []}]"#)), messages.clone()]);
    assert_eq!(mapped.asked(), json!([{"role": "user", "content": "hi"}]));
}

#[test]
fn a_plain_value_of_openinferences_own_stays_beside_another_conventions_messages() {
    let mapped = MappedSpan::llm(&[
        ("input.value", json!("own")),
        ("gen_ai.input.messages", json!(r#"[{"role": "user", "parts": []}]"#)),
    ]);
    assert_eq!(mapped.text(SPAN_INPUTS).as_deref(), Some("own"));
}

#[test]
fn the_state_of_a_graph_is_no_answer() {
    let state = r#"[{"type": "human", "data": {"content": "hi"}}, {"type": "ai", "data": {"content": "ho"}}]"#;
    let mapped = MappedSpan::kind("CHAIN", &[("output.value", json!(state)), ("llm.model_name", json!("m"))]);
    assert_eq!(mapped.text(SPAN_OUTPUTS).as_deref(), Some(state));
}

#[test]
fn an_answer_without_words_leaves_the_raw_one_and_what_was_asked() {
    let mapped = MappedSpan::llm(&[
        ("output.value", json!(r#"{"error": "no key"}"#)),
        ("llm.input_messages.0.message.content", json!("hi")),
        ("llm.output_messages.0.message.role", json!("assistant")),
    ]);
    assert_eq!(mapped.json(SPAN_OUTPUTS), json!({"error": "no key"}));
    assert_eq!(mapped.json(CHAT_MESSAGES), json!([{"role": "user", "content": "hi"}]));
}

#[test]
fn the_result_of_a_call_through_the_ai_sdk_is_an_answer() {
    let call = json!({"toolCallId": "call_1", "toolName": "get_weather", "args": {"city": "Lisbon"}});
    let asked = ("input.value", json!(r#"[{"role": "user", "content": "hi"}]"#));
    let answer =
        |result: &Value| MappedSpan::llm(&[asked.clone(), ("output.value", json!(result.to_string()))]).answered();
    assert_eq!(answer(&json!({"text": "ho", "toolCalls": []}))[0]["message"]["content"], "ho");
    assert_eq!(
        answer(&json!({"text": "", "toolCalls": [call]}))[0]["message"]["tool_calls"],
        json!([{
            "id": "call_1", "type": "function",
            "function": {"name": "get_weather", "arguments": r#"{"city":"Lisbon"}"#}
        }])
    );
    // Data with a text is no answer.
    assert_eq!(
        MappedSpan::llm(&[asked.clone(), ("output.value", json!(r#"{"text": "ho"}"#))]).text(MESSAGE_FORMAT),
        None
    );
}
