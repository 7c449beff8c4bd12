use super::*;

fn request(value: &str) -> Option<(String, PreviewGain)> {
    Preview::of(value, Side::Request).map(|preview| (preview.text, preview.gain))
}

fn answer(value: &str) -> Option<(String, PreviewGain)> {
    Preview::of(value, Side::Response).map(|preview| (preview.text, preview.gain))
}

/// A preview that needs a trace info.
fn needed(text: &str) -> Option<(String, PreviewGain)> {
    Some((text.into(), PreviewGain::Required))
}

/// A text that MLflow derives in the quotes or braces of JSON.
fn polished(text: &str) -> Option<(String, PreviewGain)> {
    Some((text.into(), PreviewGain::Deferred))
}

/// A text that MLflow derives, or that does not matter.
fn left(text: &str) -> Option<(String, PreviewGain)> {
    Some((text.into(), PreviewGain::None))
}

#[test]
fn the_quotes_of_a_plain_text_are_taken_off_by_a_request_that_can_wait() {
    for text in ["where is \"Paris\"?", "42"] {
        assert_eq!((request(text), answer(text)), (polished(text), polished(text)));
    }
    assert_eq!(answer("\"quoted\""), polished("quoted"));
    assert_eq!((answer(""), request("")), (None, None));
    let long = answer(&"é".repeat(2000)).map(|(text, _)| text.chars().count());
    assert_eq!(long, Some(crate::mlflow::preview::MAX));
}

#[test]
fn what_mlflow_derives_as_text_is_left_to_it() {
    assert_eq!(request(r#"{"messages": [{"role": "user", "content": "hi"}]}"#), left("hi"));
    assert_eq!(answer(r#"{"choices": [{"message": {"role": "assistant", "content": "ho"}}]}"#), left("ho"));
    assert_eq!(
        answer(r#"{"choices": [{"message": {"role": "assistant", "content": "{\"a\": 1}"}}]}"#),
        left(r#"{"a": 1}"#)
    );
}

#[test]
fn answers_of_shapes_that_mlflow_does_not_look_into_are_their_text() {
    for value in [
        r#"{"type": "message", "role": "assistant", "content": [{"type": "thinking", "thinking": "x"}, {"type": "text", "text": "hi"}]}"#,
        r#"[{"role": "user", "content": "x"}, {"role": "assistant", "content": "hi"}]"#,
        r#"{"messages": [{"type": "human", "data": {"content": "x"}}, {"type": "ai", "data": {"content": "hi"}}]}"#,
        r#"{"messages": [{"lc": 1, "type": "constructor", "id": ["langchain", "AIMessageChunk"], "kwargs": {"content": "hi"}}]}"#,
        r#"{"output": {"role": "assistant", "content": "hi"}}"#,
    ] {
        let found = answer(value).map(|(text, _)| text);
        assert_eq!(found.as_deref(), Some("hi"), "{value}");
    }
}

#[test]
fn answers_without_words_are_the_calls_they_make() {
    for value in [
        r#"{"choices": [{"message": {"role": "assistant", "content": null, "tool_calls": [{"function": {"name": "f", "arguments": "{\"a\": 1}"}}]}}]}"#,
        r#"{"choices": [{"message": {"tool_calls": [{"function": {"name": "f", "arguments": "{\"a\": 1}"}}]}}]}"#,
        r#"{"output": [{"type": "reasoning", "id": "r"}, {"type": "function_call", "name": "f", "arguments": "{\"a\": 1}"}]}"#,
        r#"{"type": "message", "role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}]}"#,
        r#"{"messages": [{"type": "ai", "data": {"content": "", "tool_calls": [{"name": "f", "args": {"a": 1}}]}}]}"#,
    ] {
        assert_eq!(answer(value), needed(r#"f({"a": 1})"#), "{value}");
    }
}

#[test]
fn requests_that_the_list_cannot_read_are_their_text() {
    let long = "x".repeat(2000);
    for value in [
        format!(r#"{{"input": "hi", "tools": "{long}"}}"#),
        format!(r#"{{"messages": [["user", "hi"]], "more": "{long}"}}"#),
        format!(
            r#"{{"messages": [{{"role": "user", "content": "hi"}}, {{"role": "user", "content": [{{"type": "tool_result", "content": "{long}"}}]}}]}}"#
        ),
    ] {
        assert_eq!(request(&value), needed("hi"));
    }
    assert_eq!(request(r#"{"input": "hi"}"#), polished("hi"));
}

#[test]
fn data_stays_json() {
    for value in [r#"{"a": 1}"#, "[1, 2]", r#"[{"page_content": "x"}]"#, r#"{"role": "user", "content": null}"#] {
        assert_eq!((request(value), answer(value)), (left(value), left(value)));
    }
    let short = r#"{"reasoning": "easy", "answer": "Paris"}"#;
    assert_eq!(answer(short), polished("Paris"));
}

#[test]
fn printed_objects_are_no_text() {
    let printed = "StopEvent(result=AgentOutput(response=1))";
    assert_eq!(Preview::of(printed, Side::Response).map(|preview| preview.is_text), Some(false));
    assert_eq!(text(printed, Side::Response), None);
    let beside = r#"{"response": "hi", "sources": ["ToolOutput(blocks=[])"]}"#;
    assert_eq!(answer(beside), needed("hi"));
}
