//! Calls of tools, their results, and the tools on offer.

use serde_json::json;

use super::{MappedSpan, one_message};
use crate::mlflow::keys::{CHAT_TOOLS, SPAN_INPUTS};

/// As Portkey's instrumentation records a call: by the names of the function's signature, and what was not given as Python
/// prints it.
#[test]
fn arguments_that_were_not_given_are_left_out_and_tools_among_collected_arguments_are_found() {
    let tool = json!({"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}});
    let mut call = json!({"model": "m", "stream": "<openai.Omit object at 0x7f5c>", "n": "NOT_GIVEN", "seed": 1, "kwargs": {"tools": [tool]}});
    let given = json!({"seed": 1, "kwargs": {"tools": [tool]}});
    let said =
        [("llm.input_messages.0.message.role", json!("user")), ("llm.input_messages.0.message.content", json!("hi"))];

    let parameters = ("llm.invocation_parameters", json!(call.to_string()));
    let mapped = MappedSpan::llm(&[said[0].clone(), said[1].clone(), parameters]);
    assert_eq!(mapped.json(CHAT_TOOLS), json!([tool]));
    let mut inputs = mapped.json(SPAN_INPUTS);
    let object = inputs.as_object_mut().unwrap();
    object.remove("messages");
    object.remove("model");
    assert_eq!(inputs, given);

    call["messages"] = json!([{"role": "user", "content": "hi"}]);
    let answer = json!({"choices": [{"message": {"role": "assistant", "content": "ho"}}]});
    let mapped =
        MappedSpan::llm(&[("input.value", json!(call.to_string())), ("output.value", json!(answer.to_string()))]);
    assert_eq!(mapped.json(CHAT_TOOLS), json!([tool]));
    call.as_object_mut().unwrap().remove("stream");
    assert_eq!(mapped.json(SPAN_INPUTS), call);
}

#[test]
fn tools_are_also_found_where_openllmetry_has_them() {
    let mapped = MappedSpan::llm(&[
        ("llm.input_messages.0.message.content", json!("hi")),
        ("llm.request.functions.0.name", json!("f")),
        ("llm.request.functions.0.description", json!("does f")),
        ("llm.request.functions.0.parameters", json!(r#"{"type": "object"}"#)),
    ]);
    let function = json!({"name": "f", "description": "does f", "parameters": {"type": "object"}});
    assert_eq!(mapped.json(CHAT_TOOLS), json!([{"type": "function", "function": function}]));
}

#[test]
fn parallel_calls_recorded_twice_are_two_calls_with_text_arguments() {
    let message = one_message(&[
        ("role", json!("assistant")),
        ("tool_calls.0.tool_call.id", json!("a")),
        ("tool_calls.0.tool_call.function.name", json!("f")),
        ("tool_calls.0.tool_call.function.arguments", json!({"x": 1})),
        ("tool_calls.1.tool_call.id", json!("b")),
        ("tool_calls.1.tool_call.function.name", json!("g")),
        ("contents.0.message_content.type", json!("tool_use")),
        ("contents.0.tool_call.id", json!("b")),
        ("contents.0.tool_call.function.name", json!("g")),
    ]);
    assert_eq!(
        message["tool_calls"],
        json!([
            {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{\"x\": 1}"}},
            {"id": "b", "type": "function", "function": {"name": "g", "arguments": "{}"}},
        ])
    );
}

#[test]
fn calls_and_results_without_ids_are_tied_together_by_their_place() {
    let mapped = MappedSpan::llm(&[
        ("llm.input_messages.0.message.role", json!("model")),
        ("llm.input_messages.0.message.tool_calls.0.tool_call.function.name", json!("f")),
        ("llm.input_messages.0.message.tool_calls.1.tool_call.function.name", json!("g")),
        ("llm.input_messages.1.message.role", json!("function")),
        ("llm.input_messages.1.message.name", json!("g")),
        ("llm.input_messages.1.message.content", json!("2")),
        ("llm.input_messages.2.message.role", json!("tool-response")),
        ("llm.input_messages.2.message.content", json!("1")),
    ]);
    let asked = mapped.asked();
    assert_eq!(asked[0]["tool_calls"][1]["id"], "call_0_1");
    assert_eq!(asked[1], json!({"role": "tool", "content": "2", "tool_call_id": "call_0_1", "name": "g"}));
    assert_eq!(asked[2]["tool_call_id"], "call_0_0");
}

#[test]
fn results_of_tools_beside_an_empty_message_are_messages() {
    let mapped = MappedSpan::llm(&[
        ("llm.input_messages.0.message.role", json!("assistant")),
        ("llm.input_messages.0.message.tool_calls.0.tool_call.id", json!("a")),
        ("llm.input_messages.0.message.tool_calls.0.tool_call.function.name", json!("f")),
        ("llm.input_messages.1.message.role", json!("function")),
        (
            "llm.input_messages.1.function.0",
            json!(r#"{"name": "f", "content": "21", "call_id": "a", "is_error": false}"#),
        ),
        ("llm.input_messages.1.function.1", json!(r#"{"content": {"n": 1}}"#)),
        ("llm.input_messages.1.function.2", json!("not JSON")),
        ("llm.input_messages.2.message.content", json!("And?")),
        ("llm.input_messages.2.function.0", json!({"name": "g", "content": "22", "call_id": "b"})),
    ]);
    assert_eq!(
        mapped.asked().as_array().map(|all| all[1..].to_vec()),
        Some(vec![
            json!({"role": "tool", "content": "21", "tool_call_id": "a", "name": "f"}),
            json!({"role": "tool", "content": "{\"n\": 1}"}),
            json!({"role": "user", "content": "And?"}),
            json!({"role": "tool", "content": "22", "tool_call_id": "b", "name": "g"}),
        ])
    );
}

#[test]
fn legacy_function_calls_are_tool_calls() {
    let message = one_message(&[
        ("role", json!("assistant")),
        ("function_call_name", json!("f")),
        ("function_call_arguments_json", json!("{\"x\": 1}")),
    ]);
    assert_eq!(message["tool_calls"][0]["function"], json!({"name": "f", "arguments": "{\"x\": 1}"}));
    let mapped = MappedSpan::llm(&[
        ("llm.function_call", json!(r#"{"name": "f", "arguments": {"x": 1}}"#)),
        ("llm.input_messages.0.message.content", json!("hi")),
    ]);
    assert_eq!(mapped.answered()[0]["message"]["tool_calls"][0]["function"]["arguments"], r#"{"x": 1}"#);
}

#[test]
fn tools_come_from_the_attributes_or_else_from_the_parameters() {
    let mapped = MappedSpan::llm(&[
        ("llm.tools.0.tool.json_schema", json!(r#"{"name": "f", "input_schema": {"type": "object"}}"#)),
        ("llm.tools.0.tool.description", json!("d")),
        ("llm.tools.1.tool.name", json!("g")),
    ]);
    assert_eq!(
        mapped.json(CHAT_TOOLS),
        json!([
            {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}},
            {"type": "function", "function": {"name": "g"}},
        ])
    );
    let mapped = MappedSpan::llm(&[(
        "llm.invocation_parameters",
        json!(r#"{"tools": [{"type": "function", "function": {"name": "f"}}]}"#),
    )]);
    assert_eq!(mapped.json(CHAT_TOOLS), json!([{"type": "function", "function": {"name": "f"}}]));
    assert_eq!(MappedSpan::llm(&[("llm.tools.0.tool.json_schema", json!("not JSON"))]).text(CHAT_TOOLS), None);
}

#[test]
fn tools_come_from_the_raw_request_and_from_another_convention() {
    for (key, value) in [
        ("input.value", r#"{"functions": [{"name": "f"}]}"#),
        ("input.value", r#"{"tools": [{"function_declarations": [{"name": "f"}]}]}"#),
        ("gen_ai.tool.definitions", r#"[{"type": "function", "name": "f"}]"#),
    ] {
        let mapped = MappedSpan::llm(&[(key, json!(value))]);
        assert_eq!(mapped.json(CHAT_TOOLS), json!([{"type": "function", "function": {"name": "f"}}]), "{key}");
    }
    let mapped = MappedSpan::kind(
        "AGENT",
        &[("input.value", json!(r#"{"tools": [{"name": "f"}]}"#)), ("llm.model_name", json!("m"))],
    );
    assert_eq!(mapped.text(CHAT_TOOLS), None);
}
