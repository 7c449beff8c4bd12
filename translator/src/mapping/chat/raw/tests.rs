//! Given a raw value of a provider's or a framework's, when its messages are read, then they are OpenAI's.

use serde_json::{Value, json};

use crate::json::JsonIndex;
use crate::mapping::chat::role::Role;
use crate::mapping::chat::write::put_list;

fn read_as(value: &Value, role: Role) -> Value {
    let text = value.to_string();
    let index = JsonIndex::read(&text).expect("JSON");
    let mut messages = String::new();
    put_list(&mut messages, &super::messages(index.root(&text), role), |out, message| message.put(out));
    serde_json::from_str(&messages).expect("messages")
}

fn system(request: &str) -> Option<String> {
    super::system(JsonIndex::read(request).expect("JSON").root(request))
}

fn read(value: &Value) -> Value {
    read_as(value, Role::User)
}

fn answer(value: &Value) -> Value {
    read_as(value, Role::Assistant)
}

/// A user's message of these blocks, its content.
fn content(blocks: Value) -> Value {
    read(&json!([{"role": "user", "content": blocks}]))[0]["content"].clone()
}

#[test]
fn every_providers_conversation_reads_the_same() {
    let call = json!({"id": "c", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}});
    let said = json!([
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "let me see", "tool_calls": [call]},
        {"role": "tool", "content": "21", "tool_call_id": "c"},
    ]);
    let constructor = |class: &str, kwargs: Value| json!({"lc": 1, "type": "constructor", "id": ["langchain_core", "messages", class], "kwargs": kwargs});
    let langchain_call = json!({"name": "f", "args": {"a": 1}, "id": "c", "type": "tool_call"});
    for conversation in [
        said.clone(),
        json!({"messages": said}),
        // Anthropic.
        json!({"messages": [
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": [{"type": "text", "text": "let me see"}, {"type": "tool_use", "id": "c", "name": "f", "input": {"a": 1}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": "21"}]},
        ]}),
        // Bedrock.
        json!({"modelId": "m", "messages": [
            {"role": "user", "content": [{"text": "hi"}]},
            {"role": "assistant", "content": [{"text": "let me see"}, {"toolUse": {"toolUseId": "c", "name": "f", "input": {"a": 1}}}]},
            {"role": "user", "content": [{"toolResult": {"toolUseId": "c", "content": [{"text": "21"}], "status": "success"}}, {"cachePoint": {"type": "default"}}]},
        ]}),
        // OpenTelemetry's GenAI conventions.
        json!([
            {"role": "user", "parts": [{"type": "text", "content": "hi"}]},
            {"role": "assistant", "parts": [{"type": "text", "content": "let me see"}, {"type": "tool_call", "id": "c", "name": "f", "arguments": {"a": 1}}]},
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c", "response": "21"}]},
        ]),
        // LangChain, in both of its forms.
        json!({"messages": [[
            constructor("HumanMessage", json!({"content": "hi"})),
            constructor("AIMessageChunk", json!({"content": "let me see", "tool_calls": [langchain_call]})),
            constructor("ToolMessage", json!({"content": "21", "tool_call_id": "c"})),
        ]]}),
        json!({"messages": [
            {"type": "human", "data": {"content": "hi"}},
            {"type": "ai", "data": {"content": "let me see", "tool_calls": [langchain_call]}},
            {"type": "tool", "content": "21", "tool_call_id": "c"},
        ]}),
    ] {
        assert_eq!(read(&conversation), said, "{conversation}");
    }
}

#[test]
fn items_of_the_responses_api_speak_for_whom_they_are() {
    let said = json!([
        {"role": "assistant", "content": null, "reasoning": "hm"},
        {"role": "assistant", "content": null, "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "content": "21", "tool_call_id": "c"},
    ]);
    for items in [
        json!([
            {"type": "reasoning", "id": "r", "summary": [{"type": "summary_text", "text": "hm"}]},
            {"type": "function_call", "id": "i", "call_id": "c", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": "21"},
        ]),
        json!([
            {"type": "reasoning", "id": "r", "content": [{"type": "input_text", "text": "hm"}]},
            {"type": "function_call", "id": "i", "callId": "c", "name": "f", "arguments": "{}"},
            {"type": "function_call_result", "callId": "c", "output": {"type": "text", "text": "21"}},
        ]),
    ] {
        assert_eq!(read(&json!({"input": items})), said, "{items}");
    }
}

#[test]
fn answers_are_found_wherever_they_stand() {
    let message = json!({"role": "assistant", "content": "ho"});
    let constructor = json!({"lc": 1, "type": "constructor", "id": ["AIMessage"], "kwargs": {"content": "ho"}});
    for value in [
        json!({"choices": [{"message": message}]}),
        json!([{"choices": [{"message": message}]}]),
        json!({"output": {"message": {"role": "assistant", "content": [{"text": "ho"}]}}}),
        json!({"candidates": [{"content": {"parts": [{"text": "ho"}], "role": "model"}}]}),
        json!({"candidates": [{"content": {"parts": [{"text": "ho"}]}}]}),
        json!({"generations": [[{"text": "ho", "message": constructor}]], "llmOutput": {}}),
        json!({"type": "message", "role": "assistant", "content": [{"type": "text", "text": "ho"}]}),
        json!({"output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "ho"}]}]}),
    ] {
        assert_eq!(answer(&value), json!([message]), "{value}");
    }
}

#[test]
fn pictures_of_every_provider_are_drawn() {
    let drawn = json!([{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]);
    for block in [
        json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}),
        json!({"type": "input_image", "image_url": "data:image/png;base64,AAAA"}),
        json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}),
        json!({"image": {"format": "png", "source": {"bytes": "AAAA"}}}),
        json!({"type": "blob", "modality": "image", "mime_type": "image/png", "content": "AAAA"}),
        json!({"type": "image", "source_type": "base64", "mime_type": "image/png", "data": "AAAA"}),
        json!({"type": "file", "mediaType": "image/png", "data": "AAAA"}),
        json!({"inline_data": {"mime_type": "image/png", "data": "AAAA"}}),
        json!({"type": "image", "image": "data:image/png;base64,AAAA"}),
    ] {
        assert_eq!(content(json!([block])), drawn, "{block}");
    }
    let by_address = content(json!([{"type": "uri", "modality": "image", "uri": "https://x/i.png"}]));
    assert_eq!(by_address[0]["image_url"]["url"], "https://x/i.png");
}

#[test]
fn what_the_ui_does_not_draw_is_a_word_or_its_json() {
    for (block, said) in [
        (json!({"type": "file", "modality": "image", "file_id": "f-1"}), json!("[image]")),
        (json!({"image": {"format": "png", "source": {"bytes": "b'\\x89PNG'"}}}), json!("[image]")),
        (
            json!({"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AA=="}}),
            json!("[file: a.pdf]"),
        ),
        (
            json!({"type": "uri", "modality": "video", "mime_type": "video/mp4", "uri": "https://x/v"}),
            json!("[video: video/mp4](https://x/v)"),
        ),
        (
            json!({"type": "document", "source": {"type": "url", "url": "https://x/d.pdf"}}),
            json!("[document](https://x/d.pdf)"),
        ),
        (json!({"type": "hologram", "depth": 3}), json!(r#"{"type":"hologram","depth":3}"#)),
        (
            json!({"type": "blob", "modality": "audio", "mime_type": "audio/wav", "content": "AAAA"}),
            json!([{"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}]),
        ),
        (
            json!({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}}),
            json!([{"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}}]),
        ),
    ] {
        assert_eq!(content(json!([block])), said, "{block}");
    }
}

#[test]
fn reasoning_is_kept_apart_from_text_and_encrypted_reasoning_is_named() {
    let thought = |block: Value| answer(&json!([{"role": "assistant", "content": [block]}]))[0]["reasoning"].clone();
    for block in [
        json!({"type": "thinking", "thinking": "hm", "signature": "s"}),
        json!({"type": "reasoning", "content": "hm"}),
        json!({"type": "reasoning", "text": "hm"}),
        json!({"reasoningContent": {"reasoningText": {"text": "hm"}}}),
    ] {
        assert_eq!(thought(block.clone()), "hm", "{block}");
    }
    assert_eq!(thought(json!({"type": "redacted_thinking", "data": "x"})), "[encrypted]");
}

#[test]
fn data_holds_no_messages() {
    for value in [
        json!(["first text", "second text"]),
        json!({"tools": [{"type": "function", "function": {"name": "f"}}]}),
        json!([{"type": "function", "name": "f"}]),
        json!([{"page_content": "x", "type": "Document"}]),
        json!({"messages": ["ChatMessage(role=user)", "ChatMessage(role=user)"]}),
        json!({"input": "hi"}),
        json!([[1, 2], [3]]),
        json!("text"),
    ] {
        assert_eq!(read(&value), json!([]), "{value}");
    }
}

#[test]
fn values_nested_as_deep_as_mlflow_holds_end() {
    let nest = |depth: usize| (0..depth).fold(json!("end"), |inner, _| json!([{"toolResult": {"content": inner}}]));
    assert_eq!(read(&json!([{"role": "user", "content": nest(11)}]))[0]["role"], "tool");
}

#[test]
fn a_separate_system_message_is_found_in_every_form() {
    for request in [
        r#"{"system": "be kind"}"#,
        r#"{"system": [{"type": "text", "text": "be"}, {"text": "kind"}]}"#,
        r#"{"system": null, "instructions": "be kind"}"#,
    ] {
        assert_eq!(system(request).map(|text| text.replace("\n\n", " ")).as_deref(), Some("be kind"), "{request}");
    }
    for request in [r#"{"system": null}"#, r#"{"system": []}"#, r#"{"instructions": ""}"#, r#"{"messages": []}"#, "[]"]
    {
        assert_eq!(system(request), None, "{request}");
    }
}
