//! The parts of a message.

use serde_json::{Value, json};

use super::one_message;

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
fn content_may_be_several_texts_and_have_the_id_of_a_call() {
    let message = one_message(&[("content.0", json!("It")), ("content.1", json!("is."))]);
    assert_eq!(message["content"], json!([{"type": "text", "text": "It"}, {"type": "text", "text": "is."}]));
    assert_eq!(one_message(&[("content.0", json!("It is."))])["content"], "It is.");
    let message = one_message(&[
        ("role", json!("tool")),
        ("contents.0.message.tool_call_id", json!("c")),
        ("contents.0.message_content.type", json!("text")),
        ("contents.0.message_content.text", json!("21")),
    ]);
    assert_eq!(message, json!({"role": "tool", "content": "21", "tool_call_id": "c"}));
}
