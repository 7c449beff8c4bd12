//! Messages that only the raw value has whole.

use serde_json::{Value, json};

use super::{MappedSpan, one_message};

/// A call with message attributes, and whose raw request says these.
fn with_raw(sent: &[(&str, Value)], raw: &Value) -> Value {
    let mut attributes =
        vec![("input.value", json!(raw.to_string())), ("llm.output_messages.0.message.content", json!("ho"))];
    attributes.extend(sent.iter().cloned());
    MappedSpan::llm(&attributes).asked()
}

#[test]
fn a_part_that_the_attributes_lost_is_taken_from_the_raw_value() {
    let raw = json!([{"role": "user", "parts": [{"type": "text", "content": "look"}, {"type": "uri", "modality": "image", "uri": "http://x/i"}]}]);
    let attributes = ("llm.input_messages.0.message.content", json!("look"));
    assert_eq!(
        with_raw(&[attributes], &raw)[0]["content"],
        json!([{"type": "text", "text": "look"}, {"type": "image_url", "image_url": {"url": "http://x/i"}}])
    );
}

#[test]
fn a_system_message_stays_with_messages_from_the_raw_value() {
    let raw = json!([{"role": "user", "content": "hi"}, {"type": "reasoning", "content": [{"type": "input_text", "text": "hm"}]}]);
    let attributes = [
        ("llm.input_messages.0.message.role", json!("system")),
        ("llm.input_messages.0.message.content", json!("be kind")),
        ("llm.input_messages.1.message.content", json!("hi")),
        // The Agents SDK for JavaScript records a thought without a role.
        ("llm.input_messages.2.message.content", json!("hm")),
    ];
    assert_eq!(
        with_raw(&attributes, &raw),
        json!([
            {"role": "system", "content": "be kind"},
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": null, "reasoning": "hm"},
        ])
    );
}

#[test]
fn what_the_attributes_hide_stays_hidden_whatever_the_raw_value_shows() {
    let raw = json!([{"role": "user", "parts": [{"text": "secret"}, {"inline_data": {"mime_type": "image/png", "data": "AAAA"}}]}]);
    for hidden in [
        ("llm.input_messages.0.message.content", json!("__REDACTED__")),
        ("llm.input_messages.0.message.contents.0.message_content.text", json!("__REDACTED__")),
        ("llm.input_messages.0.message.contents.0.message_content.type", json!("image")),
    ] {
        let asked = with_raw(std::slice::from_ref(&hidden), &raw).to_string();
        assert!(!asked.contains("secret") && !asked.contains("AAAA"), "{asked}");
    }
    assert_eq!(one_message(&[("contents.0.message_content.type", json!("image"))])["content"], "[image]");
}
