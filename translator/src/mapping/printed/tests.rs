//! What frameworks print, as it was captured.

use serde_json::{Value, json};

use crate::mapping::test_support::added_value;
use crate::mlflow::keys::{CHAT_TOOLS, SPAN_INPUTS, SPAN_OUTPUTS};

fn inputs(kind: &str, value: &Value) -> Value {
    added_value(kind, &[("input.value", json!(value.to_string()))], SPAN_INPUTS)
}

fn outputs(kind: &str, value: &str) -> Value {
    added_value(kind, &[("output.value", json!(value))], SPAN_OUTPUTS)
}

const HAYSTACK: [&str; 3] = [
    "ChatMessage(_role=<ChatRole.USER: 'user'>, _content=[TextContent(text='How?')], _name=None, _meta={})",
    "ChatMessage(_role=<ChatRole.ASSISTANT: 'assistant'>, _content=[ToolCall(tool_name='f', arguments={'a': 1}, id='c', extra=None)], _name=None, _meta={})",
    "ChatMessage(_role=<ChatRole.TOOL: 'tool'>, _content=[ToolCallResult(result='21', origin=ToolCall(tool_name='f', arguments={'a': 1}, id='c', extra=None), error=False)], _name=None, _meta={})",
];

fn conversation() -> Value {
    let call = json!({"id": "c", "type": "function", "function": {"name": "f", "arguments": "{\"a\": 1}"}});
    json!([
        {"role": "user", "content": "How?"},
        {"role": "assistant", "content": null, "tool_calls": [call]},
        {"role": "tool", "content": "21", "tool_call_id": "c", "name": "f"},
    ])
}

#[test]
fn messages_take_openais_shape_wherever_they_are() {
    let pipeline = json!({"data": {"agent": {"messages": HAYSTACK}}});
    assert_eq!(inputs("CHAIN", &pipeline), json!({"data": {"agent": {"messages": conversation()}}}));
}

#[test]
fn a_call_to_a_model_gets_what_only_the_printed_request_has() {
    let tool = "Tool(name='f', description='d', parameters={'type': 'object'}, function=<function f at 0x7f>)";
    let request = json!({"messages": HAYSTACK, "tools": [tool]}).to_string();
    let attributes = [
        ("input.value", json!(request)),
        ("llm.input_messages.0.message.role", json!("user")),
        ("llm.input_messages.0.message.content", json!("How?")),
        ("llm.input_messages.1.message.role", json!("assistant")),
        ("llm.input_messages.2.message.role", json!("tool")),
    ];
    assert_eq!(added_value("LLM", &attributes, SPAN_INPUTS)["messages"], conversation());
    let function = json!({"name": "f", "description": "d", "parameters": {"type": "object"}});
    assert_eq!(added_value("LLM", &attributes, CHAT_TOOLS), json!([{"type": "function", "function": function}]));
}

#[test]
fn what_only_the_attributes_have_stays() {
    let found = "ChatMessage(role=<MessageRole.TOOL: 'tool'>, additional_kwargs={}, blocks=[TextBlock(block_type='text', text='21')])";
    let attributes = [
        ("input.value", json!(json!({"messages": [found]}).to_string())),
        ("llm.input_messages.0.message.role", json!("tool")),
        ("llm.input_messages.0.message.content", json!("21")),
        ("llm.input_messages.0.message.tool_call_id", json!("c")),
    ];
    let inputs = added_value("LLM", &attributes, SPAN_INPUTS);
    assert_eq!(inputs["messages"], json!([{"role": "tool", "content": "21", "tool_call_id": "c"}]));
}

#[test]
fn events_of_a_workflow_become_json() {
    let event = "AgentInput(input=[ChatMessage(role=<MessageRole.USER: 'user'>, additional_kwargs={}, blocks=[TextBlock(block_type='text', text='How?')])], current_agent_name='a')";
    let read = json!({"type": "AgentInput", "input": [{"role": "user", "content": "How?"}], "current_agent_name": "a"});
    let context = "<workflows.Context object at 0x7f>";
    assert_eq!(inputs("CHAIN", &json!({"ctx": context, "ev": event})), json!({"ctx": context, "ev": read}));
    assert_eq!(outputs("CHAIN", event), read);
    let cut = "StopEvent(result=AgentOutput(response=ChatMessage(role=<MessageRole.ASSISTANT: 'assistant'>, blocks=[TextBlock(block_type='text', text='So.')]), s...";
    let response = json!({"role": "assistant", "content": "So."});
    let result = json!({"type": "AgentOutput", "response": response});
    assert_eq!(outputs("CHAIN", cut), json!({"type": "StopEvent", "result": result}));
    let send = "Send(node='tools', arg=[{'name': 'f', 'args': {'a': 1}, 'id': 'c', 'type': 'tool_call'}])";
    let call = json!({"name": "f", "args": {"a": 1}, "id": "c", "type": "tool_call"});
    assert_eq!(inputs("CHAIN", &json!([send])), json!([{"type": "Send", "node": "tools", "arg": [call]}]));
}

#[test]
fn messages_without_their_class_are_messages() {
    let reply = "role='assistant' content=None tool_calls=[ToolCall(function=FunctionCall(name='f', arguments='{\"a\": 1}'), id='c', type='function', index=0)] prefix=False";
    let messages = json!([{"role": "user", "content": "How?"}, reply]);
    let conversation = conversation();
    let asked = inputs("LLM", &json!({"model": "m", "messages": messages}));
    assert_eq!([&asked["messages"][0], &asked["messages"][1]], [&conversation[0], &conversation[1]]);
    let message = "id='1' source='user' models_usage=None created_at=datetime.datetime(2026, 1, 2) content='How?' type='TextMessage'";
    assert_eq!(inputs("AGENT", &json!({"messages": [message]})), json!({"messages": [conversation[0]]}));
}

#[test]
fn numbers_that_mlflow_cannot_hold_are_text() {
    let read = json!({"type": "A", "n": "100000000000000000000"});
    assert_eq!(outputs("CHAIN", "A(n=100000000000000000000)"), read);
    assert_eq!(inputs("CHAIN", &json!(["A(n=100000000000000000000)"])), json!([read]));
}

#[test]
fn words_that_look_like_an_object_are_words() {
    let said = json!({"messages": [{"role": "user", "content": "Point(x=1)"}], "shape": "Point(x=1)"});
    let read = json!({"messages": [{"role": "user", "content": "Point(x=1)"}], "shape": {"type": "Point", "x": 1}});
    assert_eq!(inputs("CHAIN", &said), read);
    assert_eq!(outputs("LLM", "Point(x=1)"), json!("Point(x=1)"));
    assert_eq!(outputs("CHAIN", "Point(x=y)"), json!("Point(x=y)"));
}
