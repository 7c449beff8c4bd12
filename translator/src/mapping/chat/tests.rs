//! Given what an instrumentation sends about a call to a model, when it is mapped, then MLflow's UI draws a conversation.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::raw;
use crate::json::JsonIndex;
use crate::mapping::{self, repair};
use crate::mlflow::keys::{CHAT_MESSAGES, CHAT_TOOLS, MESSAGE_FORMAT, SPAN_INPUTS, SPAN_OUTPUTS, SPAN_TYPE};
use crate::otlp::write::Attributes;
use crate::otlp::{Payload, Span};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/otlp");

/// What MLflow will hold under a key, for a span of these attributes.
struct MappedSpan(Vec<u8>);

impl MappedSpan {
    /// A call to a model; values that are no text travel as OTLP's own.
    fn llm(attributes: &[(&str, Value)]) -> Self {
        Self::kind("LLM", attributes)
    }

    fn kind(kind: &str, attributes: &[(&str, Value)]) -> Self {
        let mut bytes = Attributes::default();
        bytes.put_str("openinference.span.kind", kind);
        for (key, value) in attributes {
            bytes.put_json(key, value);
        }
        Self(bytes.into_bytes())
    }

    fn text(&self, key: &str) -> Option<String> {
        let span = Span::parse(&self.0).expect("a span");
        mapping::span(&span).get(key).map(|value| value.as_text().into_owned())
    }

    fn json(&self, key: &str) -> Value {
        self.text(key).map_or(Value::Null, |text| serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    fn asked(&self) -> Value {
        self.json(SPAN_INPUTS)["messages"].clone()
    }

    fn answered(&self) -> Value {
        self.json(SPAN_OUTPUTS)["choices"].clone()
    }
}

/// `json!` values under names below `llm.input_messages.0.message.`.
fn first(rest: &str) -> String {
    format!("llm.input_messages.0.message.{rest}")
}

fn one_message(parts: &[(&str, Value)]) -> Value {
    let named: Vec<_> = parts.iter().map(|(key, value)| (first(key), value.clone())).collect();
    let attributes: Vec<_> = named.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
    MappedSpan::llm(&attributes).asked()[0].clone()
}

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
fn each_kind_of_part_is_drawn_or_becomes_text() {
    let part = |parts: &[(&str, Value)]| {
        let prefixed: Vec<_> = parts.iter().map(|(key, value)| (format!("contents.0.{key}"), value.clone())).collect();
        one_message(&prefixed.iter().map(|(key, value)| (key.as_str(), value.clone())).collect::<Vec<_>>())
    };
    let url = "message_content.image.image.url";
    let audio = "message_content.audio.audio.url";
    assert_eq!(
        part(&[("message_content.type", json!("text")), ("message_content.text", json!("hi"))])["content"],
        "hi"
    );
    assert_eq!(
        part(&[("message_content.type", json!("image")), (url, json!("http://x/i.png"))])["content"],
        json!([{"type": "image_url", "image_url": {"url": "http://x/i.png"}}])
    );
    assert_eq!(
        part(&[(url, json!("iVBORw0KGgoAAA"))])["content"][0]["image_url"]["url"],
        "data:image/png;base64,iVBORw0KGgoAAA"
    );
    assert_eq!(part(&[(url, json!("__REDACTED__"))])["content"], "__REDACTED__");
    assert_eq!(
        part(&[(audio, json!("data:audio/mpeg;base64,AAAA")), ("message_content.audio.audio.transcript", json!("hi"))])
            ["content"],
        json!([{"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}}, {"type": "text", "text": "hi"}])
    );
    assert_eq!(part(&[(audio, json!("http://x/a.wav"))])["content"], "[audio](http://x/a.wav)");
    assert_eq!(part(&[(audio, json!("data:audio/ogg;base64,AAAA"))])["content"], "[audio]");
    assert_eq!(
        part(&[
            ("message_content.document.document.name", json!("a.pdf")),
            ("message_content.document.document.url", json!("https://x/a.pdf"))
        ])["content"],
        "[document: a.pdf](https://x/a.pdf)"
    );
    assert_eq!(part(&[("message_content.video.video.url", json!("__REDACTED__"))])["content"], "__REDACTED__");
    assert_eq!(
        part(&[("message_content.type", json!("hologram")), ("message_content.depth", json!(3))])["content"],
        r#"{"depth": 3, "type": "hologram"}"#
    );
    let thought = part(&[("message_content.type", json!("reasoning")), ("message_content.text", json!("hm"))]);
    assert_eq!((&thought["reasoning"], &thought["content"]), (&json!("hm"), &Value::Null));
}

#[test]
fn one_part_that_is_not_drawn_does_not_cost_the_others() {
    let message = one_message(&[
        ("contents.0.message_content.type", json!("text")),
        ("contents.0.message_content.text", json!("look")),
        ("contents.1.message_content.type", json!("hologram")),
        ("contents.2.message_content.image.image.url", json!("http://x/i.png")),
    ]);
    let kinds: Vec<_> = message["content"].as_array().expect("parts").iter().map(|part| &part["type"]).collect();
    assert_eq!(kinds, ["text", "text", "image_url"]);
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

/// Every captured payload.
fn captured() -> Vec<PathBuf> {
    let files = Path::new(FIXTURES).read_dir().expect("the fixtures").map(|file| file.expect("a file").path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|kind| kind == "pb")).collect();
    files.sort();
    files
}

#[test]
fn every_captured_conversation_is_one_that_the_ui_draws() {
    let mut drawn = 0;
    for path in captured() {
        let body = std::fs::read(&path).expect("a fixture");
        let Ok(payload) = Payload::parse(&body) else { continue };
        for span in payload.groups.iter().flat_map(|group| &group.spans) {
            let Ok(repaired) = repair::span(span) else { continue };
            let span = Span::parse(&repaired.span).expect("a repaired span");
            let added = mapping::span(&span);
            let text = |key: &str| mapping::stored(&span, &added, key).map(|value| value.as_text().into_owned());
            let place = format!("{} in {}", span.name.get(), path.display());
            let is_added = |key: &str| added.get(key).is_some();
            if is_added(MESSAGE_FORMAT) {
                let (inputs, outputs) = (text(SPAN_INPUTS).expect("inputs"), text(SPAN_OUTPUTS).expect("outputs"));
                let index = [&inputs, &outputs].map(|text| JsonIndex::read(text).expect("JSON"));
                let shape = raw::Shape::of(index[0].root(&inputs), index[1].root(&outputs));
                let shape = shape.unwrap_or_else(|| panic!("{place}: {inputs}\n{outputs}"));
                assert_eq!(text(MESSAGE_FORMAT).as_deref(), Some(shape.format), "{place}");
                drawn += 1;
            } else if text(SPAN_TYPE).as_deref() == Some("LLM") && text(MESSAGE_FORMAT).is_none() {
                // A role alone says nothing.
                let has_messages = |side: &str| {
                    let mut names = span.attributes.iter().map(|attribute| attribute.key.get());
                    names.any(|name| name.starts_with(side) && !name.ends_with(".message.role"))
                };
                let is_whole = has_messages("llm.input_messages.") && has_messages("llm.output_messages.");
                let is_preset = span.attribute(SPAN_INPUTS).is_some() || span.attribute(SPAN_OUTPUTS).is_some();
                assert!(!is_whole || is_preset, "{place} is not rebuilt");
            }
            if let Some(messages) = added.get(CHAT_MESSAGES) {
                let request = format!("{{\"messages\": {}}}", messages.as_text());
                let index = JsonIndex::read(&request).expect("JSON");
                assert!((raw::OPENAI.draws_request)(index.root(&request)), "{place}");
            }
        }
    }
    assert!(drawn > 0);
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
        // The Agents SDK for JavaScript tells a thought as nobody's words.
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
