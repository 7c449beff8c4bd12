//! System messages, beside the messages or in the raw request.

use serde_json::json;

use super::MappedSpan;
use crate::mlflow::keys::{MESSAGE_FORMAT, SPAN_OUTPUTS};

#[test]
fn a_system_message_that_the_ui_ignores_in_a_raw_request_is_added_to_the_messages() {
    let pairs = [
        (
            r#"{"system": "be kind", "messages": [{"role": "user", "content": "hi"}]}"#,
            r#"{"type": "message", "role": "assistant", "content": [{"type": "text", "text": "ho"}]}"#,
        ),
        (
            r#"{"instructions": "be kind", "input": "hi"}"#,
            r#"{"output": [{"type": "message", "role": "assistant", "content": "ho"}]}"#,
        ),
    ];
    for (request, answer) in pairs {
        let mapped = MappedSpan::llm(&[
            ("input.value", json!(request)),
            ("output.value", json!(answer)),
            ("llm.input_messages.0.message.role", json!("user")),
            ("llm.input_messages.0.message.content", json!("hi")),
            ("llm.output_messages.0.message.role", json!("assistant")),
            ("llm.output_messages.0.message.content", json!("ho")),
        ]);
        assert_eq!(mapped.text(MESSAGE_FORMAT).as_deref(), Some("openai"));
        assert_eq!(
            mapped.asked(),
            json!([{"role": "system", "content": "be kind"}, {"role": "user", "content": "hi"}])
        );
        assert!(mapped.text(SPAN_OUTPUTS).as_deref().unwrap_or(answer).contains("ho"));
    }
}

#[test]
fn a_system_message_is_added_to_messages_recovered_from_the_raw_request() {
    let mapped = MappedSpan::llm(&[
        ("input.value", json!(r#"{"system": "be kind", "messages": [{"role": "user", "content": "hi"}]}"#)),
        ("output.value", json!(r#"{"type": "message", "role": "assistant", "content": "ho"}"#)),
        ("llm.input_messages.0.message.role", json!("user")),
    ]);
    assert_eq!(mapped.text(MESSAGE_FORMAT).as_deref(), Some("openai"));
    assert_eq!(mapped.asked(), json!([{"role": "system", "content": "be kind"}, {"role": "user", "content": "hi"}]));
    assert_eq!(mapped.answered()[0]["message"]["content"], "ho");
}

#[test]
fn a_system_message_that_only_the_raw_request_has_comes_first() {
    let mapped = MappedSpan::llm(&[
        (
            "input.value",
            json!(
                r#"{"system": [{"type": "text", "text": "be kind"}], "messages": [{"role": "user", "content": [{"type": "document"}]}]}"#
            ),
        ),
        ("llm.input_messages.0.message.content", json!("hi")),
    ]);
    assert_eq!(mapped.asked(), json!([{"role": "system", "content": "be kind"}, {"role": "user", "content": "hi"}]));
}
