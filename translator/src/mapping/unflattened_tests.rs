//! A family maps to the same MLflow attributes whether it arrives flattened or not.

use serde_json::{Value, json};

use super::test_support::added_value;
use crate::mlflow::keys::{CHAT_TOOLS, MESSAGE_FORMAT, SPAN_INPUTS, SPAN_OUTPUTS};

const KEYS: [&str; 4] = [SPAN_INPUTS, SPAN_OUTPUTS, MESSAGE_FORMAT, CHAT_TOOLS];

fn mapped(kind: &str, attributes: &[(&str, Value)]) -> Vec<Value> {
    KEYS.iter().map(|key| added_value(kind, attributes, key)).collect()
}

/// Messages in OpenAI's words, and the numbered attributes for them.
fn messages() -> Vec<(Value, Vec<(&'static str, Value)>)> {
    let call = json!({"id": "c1", "type": "function", "function": {"name": "shell", "arguments": "{\"cmd\":\"ls\"}"}});
    vec![
        (
            json!({"role": "user", "content": "fix the bug"}),
            vec![("role", json!("user")), ("content", json!("fix the bug"))],
        ),
        (
            json!({"role": "assistant", "content": "done", "tool_calls": [call]}),
            vec![
                ("role", json!("assistant")),
                ("content", json!("done")),
                ("tool_calls.0.tool_call.id", json!("c1")),
                ("tool_calls.0.tool_call.function.name", json!("shell")),
                ("tool_calls.0.tool_call.function.arguments", json!("{\"cmd\":\"ls\"}")),
            ],
        ),
        (
            json!({"role": "tool", "tool_call_id": "c1", "content": "a.rs"}),
            vec![("role", json!("tool")), ("tool_call_id", json!("c1")), ("content", json!("a.rs"))],
        ),
        (
            json!({"role": "user", "content": [
                {"type": "text", "text": "look"},
                {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
            ]}),
            vec![
                ("role", json!("user")),
                ("contents.0.message_content.type", json!("text")),
                ("contents.0.message_content.text", json!("look")),
                ("contents.1.message_content.type", json!("image")),
                ("contents.1.message_content.image.image.url", json!("https://example.com/a.png")),
            ],
        ),
    ]
}

/// The forms in which instrumentations send a list of objects.
fn forms(items: &[Value], prefix: &str) -> Vec<Value> {
    let dotted = |item: &Value| -> Value {
        let entries = item.as_object().expect("an object").iter();
        entries.map(|(key, value)| (format!("{prefix}.{key}"), value.clone())).collect::<serde_json::Map<_, _>>().into()
    };
    let wrapped: Vec<Value> = items.iter().map(|item| json!({prefix: item})).collect();
    let lists = [items.to_vec(), items.iter().map(dotted).collect(), wrapped];
    let each = |list: Vec<Value>| {
        let strings: Vec<String> = list.iter().map(Value::to_string).collect();
        [json!(Value::from(list.clone()).to_string()), Value::from(list), json!(strings)]
    };
    lists.into_iter().flat_map(each).collect()
}

#[test]
fn messages_map_the_same_flattened_or_not() {
    let messages = messages();
    // Every subset of the messages, in order.
    for chosen in 1..1_usize << messages.len() {
        let chosen: Vec<_> =
            messages.iter().enumerate().filter(|(at, _)| chosen >> at & 1 == 1).map(|(_, each)| each).collect();
        let name = |index: usize, key: &str| format!("llm.input_messages.{index}.message.{key}");
        let flat: Vec<(String, Value)> = (0..)
            .zip(&chosen)
            .flat_map(|(index, (_, entries))| entries.iter().map(move |(key, value)| (name(index, key), value.clone())))
            .collect();
        let answer = ("llm.output_messages.0.message.content", json!("yes"));
        let flat: Vec<_> =
            flat.iter().map(|(key, value)| (key.as_str(), value.clone())).chain([answer.clone()]).collect();
        let wanted = mapped("LLM", &flat);
        assert_eq!(wanted[2], json!("openai"));
        let items: Vec<Value> = chosen.iter().map(|(item, _)| item.clone()).collect();
        for form in forms(&items, "message") {
            assert_eq!(mapped("LLM", &[("llm.input_messages", form.clone()), answer.clone()]), wanted, "{form}");
        }
    }
}

#[test]
fn documents_map_the_same_flattened_or_not() {
    let flat = [
        ("retrieval.documents.0.document.content", json!("doc one")),
        ("retrieval.documents.0.document.id", json!("1")),
        ("retrieval.documents.0.document.score", json!(0.5)),
        ("retrieval.documents.0.document.metadata", json!("{\"source\":\"a.md\"}")),
    ];
    let wanted = mapped("RETRIEVER", &flat);
    assert_eq!(wanted[1][0]["page_content"], "doc one");
    for content in ["content", "page_content"] {
        let item = json!({content: "doc one", "id": "1", "score": 0.5, "metadata": {"source": "a.md"}});
        for form in forms(&[item], "document") {
            assert_eq!(mapped("RETRIEVER", &[("retrieval.documents", form.clone())]), wanted, "{form}");
        }
    }
}

#[test]
fn tools_and_embeddings_map_the_same_flattened_or_not() {
    let schema = json!({"type": "function", "function": {"name": "shell", "parameters": {"type": "object"}}});
    let wanted = mapped("LLM", &[("llm.tools.0.tool.json_schema", json!(schema.to_string()))]);
    assert_eq!(wanted[3][0]["function"]["name"], "shell");
    for form in
        [json!([schema]), json!([{"tool.json_schema": schema.to_string()}]), json!([{"tool": {"json_schema": schema}}])]
    {
        assert_eq!(mapped("LLM", &[("llm.tools", json!(form.to_string()))]), wanted, "{form}");
        assert_eq!(mapped("LLM", &[("llm.tools", form.clone())]), wanted, "{form}");
    }
    let flat = [
        ("embedding.embeddings.0.embedding.text", json!("a")),
        ("embedding.embeddings.0.embedding.vector", json!("[0.5,1.5]")),
    ];
    let wanted = mapped("EMBEDDING", &flat);
    assert_eq!(wanted[1], json!({"vectors": 1, "dimension": 2}));
    for form in forms(&[json!({"text": "a", "vector": [0.5, 1.5]})], "embedding") {
        assert_eq!(mapped("EMBEDDING", &[("embedding.embeddings", form.clone())]), wanted, "{form}");
    }
}

#[test]
fn numbered_attributes_win_and_other_texts_change_nothing() {
    let flat = ("llm.input_messages.0.message.content", json!("numbered"));
    let wanted = mapped("LLM", std::slice::from_ref(&flat));
    let both = [flat, ("llm.input_messages", json!("[{\"role\": \"user\", \"content\": \"bare\"}]"))];
    assert_eq!(mapped("LLM", &both), wanted);
    for odd in [json!("[1, null]"), json!("{"), json!(7), json!("[[[]]]"), json!([{}])] {
        mapped(
            "LLM",
            &[("llm.input_messages", odd.clone()), ("llm.tools", odd.clone()), ("embedding.embeddings", odd)],
        );
    }
}

#[test]
fn results_in_a_user_message_are_messages_of_their_tools() {
    let content = json!([{"type": "tool_result", "tool_use_id": "c1", "content": "found"}]);
    let messages = json!([{"role": "user", "content": content}]);
    let inputs = &mapped("LLM", &[("llm.input_messages", json!(messages.to_string()))])[0];
    assert_eq!(
        added_value("LLM", &[("llm.input_messages", messages)], crate::mlflow::keys::CHAT_MESSAGES)[0]["role"],
        "tool",
        "{inputs}"
    );
}
