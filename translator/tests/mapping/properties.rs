//! What holds for any span at all.

use std::borrow::Cow;
use std::collections::HashSet;

use openinference_mlflow_translator::json;
use openinference_mlflow_translator::mapping::{self, repair, tags};
use openinference_mlflow_translator::mlflow::server::{self, Reader, ServerVersion};
use openinference_mlflow_translator::mlflow::{Mapped, keys, preview};
use openinference_mlflow_translator::openinference;
use openinference_mlflow_translator::otlp::span::resource_attributes;
use openinference_mlflow_translator::otlp::{KeyValue, Span, Value};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::spans::{Message, encoded};

fn bytes_of_text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "\\PC{0,20}".prop_map(String::into_bytes),
        vec(any::<u8>(), 0..20),
        Just("s".repeat(300).into_bytes()),
        Just("a\0b".into()),
        json_like(),
    ]
}

/// Text that is JSON, nearly JSON, or JSON in JSON.
fn json_like() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        Just("{"),
        Just("}"),
        Just("["),
        Just("]"),
        Just("\""),
        Just("\\"),
        Just(":"),
        Just(","),
        Just(" "),
        Just("NaN"),
        Just("-Infinity"),
        Just("\\ud83d"),
        Just("\\u0000"),
        Just("18446744073709551615"),
        Just("1"),
        Just("\"model\""),
        Just("\"messages\""),
        Just("\"role\""),
        Just("\"content\""),
        Just("null"),
        Just("é"),
        Just("[[[[[[[[[[[[[[[[[[[[[[[[["),
    ];
    let soup = vec(word, 0..14).prop_map(|words| words.concat());
    let leaf = prop_oneof![
        Just(serde_json::json!(null)),
        Just(serde_json::json!("x")),
        Just(serde_json::json!(u64::MAX)),
        Just(serde_json::json!({"role": "user", "content": "\u{0}hi"})),
        Just(serde_json::json!([1.5])),
    ];
    let tree = leaf.prop_recursive(40, 60, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(serde_json::Value::from),
            vec(
                (prop_oneof![Just("model".to_owned()), Just("messages".to_owned()), Just("a".to_owned())], inner),
                0..3
            )
            .prop_map(|entries| serde_json::Value::Object(entries.into_iter().collect())),
        ]
    });
    let text = prop_oneof![soup, tree.prop_map(|tree| tree.to_string())];
    (text, 0..3u8).prop_map(|(text, quotes)| (0..quotes).fold(text, |text, _| json::quoted(&text)).into_bytes())
}

fn any_value() -> impl Strategy<Value = Vec<u8>> {
    let leaf = prop_oneof![
        bytes_of_text().prop_map(|text| Message::default().bytes(1, text).0),
        any::<bool>().prop_map(encoded),
        any::<i64>().prop_map(encoded),
        any::<f64>().prop_map(|number| Message::default().fixed(4, number.to_bits()).0),
        vec(any::<u8>(), 0..5).prop_map(|bytes| Message::default().bytes(7, bytes).0),
        Just(Vec::new()),
    ];
    leaf.prop_recursive(4, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(|items| {
                let list = items.iter().fold(Message::default(), |list, item| list.bytes(1, item));
                Message::default().bytes(5, list.0).0
            }),
            vec((bytes_of_text(), inner), 0..3).prop_map(|entries| {
                let map = entries.iter().fold(Message::default(), |map, (key, value)| map.key_value(1, key, value));
                Message::default().bytes(6, map.0).0
            }),
        ]
    })
}

fn key() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        "openinference.span.kind",
        "input.value",
        "output.value",
        "llm.model_name",
        "llm.invocation_parameters",
        "llm.function_call",
        "llm.prompts",
        "llm.choices.0.completion.text",
        "llm.input_messages.0.message.role",
        "llm.input_messages.0.message.content",
        "llm.input_messages.0.message.contents.0.message_content.image.image.url",
        "llm.input_messages.0.message.contents.1.message_content.type",
        "llm.input_messages.1.message.tool_calls.0.tool_call.function.arguments",
        "llm.output_messages.0.message.contents.0.message_content.text",
        "llm.output_messages.0.message.tool_call_id",
        "llm.tools.0.tool.json_schema",
        "llm.tools",
        "retrieval.documents.0.document.content",
        "retrieval.documents.0.document.metadata",
        "retrieval.documents.0.document.score",
        "embedding.embeddings.0.embedding.vector",
        "tool.parameters",
        "llm.prompt_template.template",
        "llm.prompt_template.variables",
        "prompt.vendor",
        "prompt.id",
        "llm.token_count.prompt",
        "llm.cost.total",
        "metadata",
        "tag.tags",
        "session.id",
        "user.id",
        "gen_ai.conversation.id",
        "gen_ai.input.messages",
        "ai.prompt",
        "mlflow.spanType",
        "mlflow.spanInputs",
        "mlflow.llm.cost",
        "mlflow.traceTag.x",
        "mlflow.traceTag.mlflow.traceName",
    ]);
    prop_oneof![9 => known.prop_map(|key| key.as_bytes().to_vec()), 1 => bytes_of_text()]
}

fn attributes() -> impl Strategy<Value = Vec<(Vec<u8>, Vec<u8>)>> {
    vec((key(), any_value()), 0..6)
}

fn time() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), Just(1 << 63), Just((1 << 63) - 1), any::<u64>(), 1..1000u64]
}

prop_compose! {
    fn span()(
        ids in (vec(any::<u8>(), 0..18), vec(any::<u8>(), 0..10), vec(any::<u8>(), 0..10)),
        valid_ids in any::<bool>(),
        texts in (bytes_of_text(), bytes_of_text(), bytes_of_text()),
        times in (time(), time(), time()),
        attributes in attributes(),
        event in attributes(),
        link in attributes(),
    ) -> Message {
        let put = |message, number, attributes: &[(Vec<u8>, Vec<u8>)]| {
            attributes.iter().fold(message, |message: Message, (key, value)| message.key_value(number, key, value))
        };
        let (trace, id) = if valid_ids { (vec![1; 16], vec![2; 8]) } else { (ids.0, ids.1) };
        let message = Message::default().bytes(1, trace).bytes(2, id).bytes(3, &texts.0).bytes(4, ids.2).bytes(5, &texts.1);
        put(message.fixed(7, times.0).fixed(8, times.1), 9, &attributes)
            .bytes(11, put(Message::default().fixed(1, times.2).bytes(2, &texts.2), 3, &event).0)
            .bytes(13, put(Message::default().bytes(3, &texts.2), 4, &link).0)
            .bytes(15, Message::default().bytes(2, &texts.2).0)
    }
}

fn is_finite_text(value: Value<'_>) -> bool {
    match value {
        Value::String(text) => text.is_valid(),
        Value::Double(number) => number.is_finite(),
        Value::Array(items) => items.iter().all(is_finite_text),
        Value::KvList(entries) => entries.iter().all(|entry| is_sound(&entry)),
        _ => true,
    }
}

fn is_sound(attribute: &KeyValue<'_>) -> bool {
    attribute.key.is_valid() && is_finite_text(attribute.value)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_repaired_span_is_one_that_mlflow_takes_and_repairing_it_again_changes_nothing(message in span()) {
        let Ok(repaired) = repair::span(&Span::parse(&message.0).unwrap()) else { return Ok(()) };
        let span = Span::parse(&repaired.span).unwrap();
        prop_assert!(span.name.is_valid() && span.trace_state.is_valid() && span.status.message.is_valid());
        prop_assert!(span.attributes.iter().all(is_sound));
        prop_assert!(span.events.iter().all(|event| event.name.is_valid() && event.attributes.iter().all(is_sound)));
        prop_assert!(span.links.iter().all(|link| link.attributes.iter().all(is_sound)));
        prop_assert!(span.attributes.iter().all(|attribute| !json::is_faulty(attribute.value.as_str().unwrap_or_default())));
        prop_assert!(tags::session(&span).is_none_or(|session| session.chars().count() <= 250 && !session.contains('\0')));
        prop_assert!(span.start <= span.end && i64::try_from(span.end).is_ok());
        prop_assert_eq!((span.trace_id.len(), span.span_id.len()), (16, 8));
        prop_assert!(span.is_root() || span.parent_span_id.len() == 8);
        let again = repair::span(&span).unwrap();
        prop_assert!(matches!(again.span, Cow::Borrowed(_)), "{:?} then {:?}", repaired.repairs, again.repairs);
        prop_assert!(again.repairs.is_empty());
        prop_assert_eq!(matches!(repaired.span, Cow::Borrowed(_)), repaired.repairs.is_empty());
    }

    #[test]
    fn what_is_added_is_new_and_holdable_by_any_server(message in span()) {
        let Ok(repaired) = repair::span(&Span::parse(&message.0).unwrap()) else { return Ok(()) };
        let span = Span::parse(&repaired.span).unwrap();
        let added = mapping::span(&span);
        prop_assert!(added.is_empty() || openinference::is_openinference(&span));
        let mut seen = HashSet::new();
        for (key, value) in added.iter() {
            prop_assert!(seen.insert(key.to_owned()) && span.attribute(key).is_none(), "{}", key);
            prop_assert!(!json::is_faulty(&value.as_text()), "{}", key);
        }
        let servers = [ServerVersion::OLDEST, ServerVersion::CURRENT].map(Reader::Server);
        for reader in servers.into_iter().chain([Reader::UnityCatalog]) {
            let written = server::write(&added, reader);
            prop_assert_eq!(Span::parse(written.as_bytes()).unwrap().attributes.len(), added.iter().len());
        }
        for (key, value) in tags::of_span(&span) {
            prop_assert!(!key.starts_with("mlflow.") && !json::is_faulty(&value) && !value.contains('\0'));
        }
        for (key, preview) in [(keys::SPAN_INPUTS, preview::request as fn(&str) -> Option<String>), (keys::SPAN_OUTPUTS, preview::response)] {
            if let Some(Mapped::Text(text)) = added.get(key) {
                let preview = preview(text);
                prop_assert!(preview.is_some_and(|preview| preview.chars().count() <= preview::MAX && !preview.contains('\0')));
            }
        }
    }

    #[test]
    fn envelopes_of_any_bytes_are_repaired_once(attributes in attributes(), text in bytes_of_text()) {
        let put = |number| attributes.iter().fold(Message::default(), |message, (key, value)| message.key_value(number, key, value));
        let resource = Message::default().bytes(1, put(1).bytes(3, Message::default().bytes(1, &text).0).0).bytes(3, &text).0;
        let (once, notes) = repair::resource(&resource, &resource_attributes(&resource).expect("a resource"));
        let (twice, none) = repair::resource(&once, &resource_attributes(&once).expect("a resource"));
        prop_assert!(once == twice && none.is_empty(), "{:?} then {:?}", notes, none);
        let scope = Message::default().bytes(1, put(3).bytes(1, &text).0).0;
        let (once, notes) = repair::scope(&scope);
        let (twice, none) = repair::scope(&once);
        prop_assert!(once == twice && none.is_empty(), "{:?} then {:?}", notes, none);
    }
}
