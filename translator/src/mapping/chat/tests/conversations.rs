//! Conversations that are rebuilt from attributes.

use serde_json::json;

use super::MappedSpan;
use crate::mlflow::keys::{CHAT_MESSAGES, MESSAGE_FORMAT, SPAN_INPUTS, SPAN_OUTPUTS};

#[test]
fn other_conversations_are_rebuilt_with_parameters_model_and_finish_reason() {
    let mapped = MappedSpan::llm(&[
        ("input.value", json!(r#"{"messages": [[{"lc": 1, "type": "constructor", "kwargs": {"content": "hi"}}]]}"#)),
        ("output.value", json!(r#"{"generations": []}"#)),
        ("llm.invocation_parameters", json!(r#"{"model": "m", "temperature": 0.2, "messages": "no"}"#)),
        ("llm.finish_reason", json!("stop")),
        ("llm.input_messages.0.message.role", json!("human")),
        ("llm.input_messages.0.message.content", json!("hi")),
        ("llm.output_messages.0.message.content", json!("ho")),
    ]);
    assert_eq!(mapped.text(MESSAGE_FORMAT).as_deref(), Some("openai"));
    assert_eq!(
        mapped.json(SPAN_INPUTS),
        json!({"model": "m", "messages": [{"role": "user", "content": "hi"}], "temperature": 0.2})
    );
    assert_eq!(
        mapped.json(SPAN_OUTPUTS),
        json!({"choices": [{"index": 0, "message": {"role": "assistant", "content": "ho"}, "finish_reason": "stop"}]})
    );
}

#[test]
fn completions_are_conversations_too() {
    let mapped = MappedSpan::llm(&[
        ("llm.prompts.0.prompt.text", json!("Hello")),
        ("llm.choices.0.completion.text", json!(" world")),
    ]);
    assert_eq!(mapped.asked(), json!([{"role": "user", "content": "Hello"}]));
    assert_eq!(mapped.answered()[0]["message"], json!({"role": "assistant", "content": " world"}));
    let list = MappedSpan::llm(&[("llm.prompts", json!(["a", "b"]))]);
    assert_eq!(list.asked(), json!([{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]));
    assert_eq!(MappedSpan::llm(&[("llm.prompts", json!("__REDACTED__"))]).asked()[0]["content"], "__REDACTED__");
}

#[test]
fn a_call_without_an_answer_still_shows_what_was_asked() {
    let mapped = MappedSpan::llm(&[
        ("llm.input_messages.0.message.role", json!("user")),
        ("llm.input_messages.0.message.content", json!("hi")),
    ]);
    assert_eq!(mapped.json(CHAT_MESSAGES), json!([{"role": "user", "content": "hi"}]));
    assert_eq!((mapped.text(SPAN_OUTPUTS), mapped.text(MESSAGE_FORMAT)), (None, None));
}

#[test]
fn speakers_without_words_leave_a_conversation_of_others_and_results_of_tools_stay() {
    let message = |number: usize, rest: &str| format!("llm.input_messages.{number}.message.{rest}");
    let sent = [
        (message(0, "role"), json!("system")),
        (message(1, "role"), json!("user")),
        (message(1, "content"), json!("hi")),
        (message(2, "role"), json!("assistant")),
        (message(2, "tool_calls.0.tool_call.id"), json!("c")),
        (message(2, "tool_calls.0.tool_call.function.name"), json!("f")),
        // Bedrock's result of a tool, of which its instrumentation keeps the id alone.
        (message(3, "role"), json!("user")),
        (message(3, "tool_call_id"), json!("c")),
    ];
    let sent: Vec<_> = sent.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
    let asked = MappedSpan::llm(&sent).asked();
    let roles: Vec<_> = asked.as_array().into_iter().flatten().map(|message| &message["role"]).collect();
    assert_eq!(roles, ["user", "assistant", "tool"]);
    assert_eq!(asked[2]["tool_call_id"], "c");
}

#[test]
fn a_tool_result_in_a_user_message_is_a_tool_message() {
    let mapped = MappedSpan::llm(&[
        ("llm.input_messages.0.message.role", json!("user")),
        ("llm.input_messages.0.message.tool_call_id", json!("t")),
        ("llm.input_messages.0.message.content", json!("21")),
        ("llm.output_messages.0.message.content", json!("ho")),
    ]);
    assert_eq!(mapped.asked(), json!([{"role": "tool", "content": "21", "tool_call_id": "t"}]));
}

#[test]
fn a_request_in_which_the_model_says_nothing_does_not_hide_what_it_called() {
    let request = |reply| {
        let messages = json!([{"role": "user", "content": "hi"}, reply, {"role": "tool", "content": "21"}]);
        json!({"messages": messages}).to_string()
    };
    let answer = json!({"choices": [{"index": 0, "message": {"role": "assistant", "content": "ho"}}]}).to_string();
    let attributes = |asked| {
        vec![
            ("input.value", json!(asked)),
            ("output.value", json!(answer)),
            ("llm.input_messages.0.message.role", json!("user")),
            ("llm.input_messages.0.message.content", json!("hi")),
            ("llm.input_messages.1.message.role", json!("assistant")),
            ("llm.input_messages.2.message.role", json!("tool")),
            ("llm.input_messages.2.message.content", json!("21")),
            ("llm.output_messages.0.message.content", json!("ho")),
        ]
    };
    let call = [
        ("llm.input_messages.1.message.tool_calls.0.tool_call.id", json!("c")),
        ("llm.input_messages.1.message.tool_calls.0.tool_call.function.name", json!("f")),
    ];
    let silent = request(json!({"role": "assistant", "content": ""}));
    let asked = MappedSpan::llm(&[attributes(&silent), call.to_vec()].concat()).asked();
    assert_eq!(asked[1]["tool_calls"][0]["function"]["name"], "f");
    assert_eq!(asked[2], json!({"role": "tool", "content": "21", "tool_call_id": "c"}));

    // Without calls in the attributes, and where the request says something, it stays as it was sent.
    let said = request(
        json!({"role": "assistant", "content": "", "tool_calls": [{"id": "x", "type": "function", "function": {"name": "g", "arguments": "{}"}}]}),
    );
    for (asked, beside) in [(&silent, &[][..]), (&said, &call[..])] {
        let mapped = MappedSpan::llm(&[attributes(asked), beside.to_vec()].concat());
        let sent: serde_json::Value = serde_json::from_str(asked).unwrap();
        assert_eq!(mapped.json(SPAN_INPUTS), sent);
    }
}

#[test]
fn an_answer_without_words_does_not_hide_what_the_attributes_say() {
    let silent = json!({"choices": [{"index": 0, "message": {"role": "assistant", "content": ""}}]}).to_string();
    let call = [
        ("llm.output_messages.0.message.role", json!("assistant")),
        ("llm.output_messages.0.message.tool_calls.0.tool_call.id", json!("c")),
        ("llm.output_messages.0.message.tool_calls.0.tool_call.function.name", json!("f")),
    ];
    let request = json!({"messages": [{"role": "user", "content": "hi"}]}).to_string();
    for asked in ["hi", &request] {
        let mut attributes = vec![("input.value", json!(asked)), ("output.value", json!(silent))];
        attributes.push(("llm.input_messages.0.message.content", json!("hi")));
        attributes.extend(call.clone());
        let answered = MappedSpan::llm(&attributes).answered();
        assert_eq!(answered[0]["message"]["tool_calls"][0]["function"]["name"], "f", "{asked}");
    }
    let mapped = MappedSpan::llm(&[("input.value", json!(request)), ("output.value", json!(silent))]);
    assert_eq!(mapped.json(MESSAGE_FORMAT), json!("openai"));
}
