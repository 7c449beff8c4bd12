//! Given a span, when it is mapped, then MLflow gets …

use openinference_mlflow_translator::mapping;
use openinference_mlflow_translator::mlflow::keys;
use openinference_mlflow_translator::otlp::Span;
use serde_json::{Value, json};

use crate::spans::{Message, span};

/// What is added under a key.
fn added(span: &Message, key: &str) -> Option<String> {
    let span = Span::parse(&span.0).unwrap();
    mapping::span(&span).get(key).map(|value| value.as_text().into_owned())
}

fn added_json(span: &Message, key: &str) -> Option<Value> {
    added(span, key).map(|text| serde_json::from_str(&text).unwrap())
}

fn llm() -> Message {
    span().with("openinference.span.kind", "LLM")
}

mod kind {
    use super::*;

    fn kind_of(span: &Message) -> Option<String> {
        added(span, keys::SPAN_TYPE)
    }

    #[test]
    fn every_kind_has_a_type_that_mlflow_knows() {
        for kind in "LLM CHAIN AGENT TOOL RETRIEVER EMBEDDING RERANKER GUARDRAIL EVALUATOR UNKNOWN".split(' ') {
            assert_eq!(kind_of(&span().with("openinference.span.kind", kind)).as_deref(), Some(kind));
        }
        assert_eq!(kind_of(&span().with("openinference.span.kind", "PROMPT")).as_deref(), Some("CHAIN"));
        assert_eq!(kind_of(&span().with("openinference.span.kind", "DECISION")).as_deref(), Some("LLM"));
    }

    #[test]
    fn a_kind_is_read_in_any_case_and_in_quotes() {
        for kind in ["llm", " Llm ", "\"LLM\""] {
            assert_eq!(kind_of(&span().with("openinference.span.kind", kind)).as_deref(), Some("LLM"), "{kind}");
        }
    }

    #[test]
    fn without_a_usable_kind_the_type_is_inferred_from_what_the_span_carries() {
        for (key, kind) in [
            ("llm.model_name", "LLM"),
            ("llm.input_messages.0.message.role", "LLM"),
            ("retrieval.documents.0.document.content", "RETRIEVER"),
            ("embedding.model_name", "EMBEDDING"),
            ("tool.name", "TOOL"),
            ("reranker.query", "RERANKER"),
            ("decision.model_name", "LLM"),
            ("input.value", "UNKNOWN"),
            ("llm.prompt_template.template", "UNKNOWN"),
        ] {
            assert_eq!(kind_of(&span().with(key, "x")).as_deref(), Some(kind), "{key}");
            let odd = span().with("openinference.span.kind", "SOMETHING").with(key, "x");
            assert_eq!(kind_of(&odd).as_deref(), Some(kind), "{key}");
        }
    }

    #[test]
    fn another_conventions_operation_is_the_last_resort() {
        let mixed = span().with("input.value", "x").with("gen_ai.operation.name", "execute_tool");
        assert_eq!(kind_of(&mixed).as_deref(), Some("TOOL"));
    }
}

mod values {
    use super::*;

    #[test]
    fn inputs_and_outputs_pass_as_they_are() {
        let span = llm().with("input.value", "{\"a\": 1}").with("output.value", "42");
        assert_eq!(added(&span, keys::SPAN_INPUTS).as_deref(), Some("{\"a\": 1}"));
        assert_eq!(added(&span, keys::SPAN_OUTPUTS).as_deref(), Some("42"));
    }

    #[test]
    fn an_empty_value_gives_way_to_another_convention() {
        let span = llm().with("input.value", "{}").with("gen_ai.input.messages", "[1]").with("ai.prompt", "no");
        assert_eq!(added(&span, keys::SPAN_INPUTS).as_deref(), Some("[1]"));
        assert_eq!(added(&llm().with("input.value", ""), keys::SPAN_INPUTS), None);
    }
}

mod usage {
    use super::*;

    fn usage_of(span: &Message) -> Option<Value> {
        added_json(span, keys::CHAT_USAGE)
    }

    #[test]
    fn counts_are_taken_and_the_total_worked_out() {
        let span = llm().with("llm.token_count.prompt", 12).with("llm.token_count.completion", "3.0");
        assert_eq!(usage_of(&span), Some(json!({"input_tokens": 12, "output_tokens": 3, "total_tokens": 15})));
        let span = span.with("llm.token_count.total", 99);
        assert_eq!(usage_of(&span), Some(json!({"input_tokens": 12, "output_tokens": 3, "total_tokens": 99})));
    }

    #[test]
    fn a_missing_count_is_left_out() {
        assert_eq!(usage_of(&llm().with("llm.token_count.completion", 3)), Some(json!({"output_tokens": 3})));
        assert_eq!(usage_of(&llm()), None);
    }

    #[test]
    fn cache_counts_stand_beside_a_main_count_only() {
        let cached = llm()
            .with("llm.token_count.prompt_details.cache_read", 4)
            .with("llm.token_count.prompt_details.cache_write", 5);
        assert_eq!(usage_of(&cached), None);
        assert_eq!(
            usage_of(&cached.with("llm.token_count.prompt", 9)),
            Some(json!({"input_tokens": 9, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 5}))
        );
    }

    #[test]
    fn a_boolean_is_no_count_and_mlflow_is_kept_from_reading_one() {
        assert_eq!(usage_of(&llm().with("llm.token_count.prompt", true)), Some(Value::Null));
        let span = llm().with("llm.token_count.prompt", true).with("llm.token_count.completion", 3);
        assert_eq!(usage_of(&span), Some(json!({"output_tokens": 3})));
        assert_eq!(usage_of(&llm().with("llm.token_count.prompt", "many")), None);
    }

    #[test]
    fn a_total_that_overflows_is_left_out() {
        let span = llm().with("llm.token_count.prompt", i64::MAX).with("llm.token_count.completion", 1);
        assert_eq!(usage_of(&span), Some(json!({"input_tokens": i64::MAX, "output_tokens": 1})));
    }

    #[test]
    fn another_convention_counts_only_where_openinference_does_not() {
        let genai = llm().with("gen_ai.usage.input_tokens", 7).with("ai.usage.promptTokens", 9);
        assert_eq!(usage_of(&genai), Some(json!({"input_tokens": 7})));
        assert_eq!(usage_of(&genai.with("llm.token_count.completion", 1)), Some(json!({"output_tokens": 1})));
        assert_eq!(usage_of(&llm().with("llm.usage.total_tokens", 7)), None);
    }
}

mod cost {
    use super::*;

    #[test]
    fn a_cost_has_all_its_parts() {
        let span = llm().with("llm.cost.prompt", 0.0021).with("llm.cost.total", "0.0066");
        let cost = added_json(&span, keys::LLM_COST).unwrap();
        assert_eq!((cost["input_cost"].as_f64(), cost["total_cost"].as_f64()), (Some(0.0021), Some(0.0066)));
        assert!((cost["output_cost"].as_f64().unwrap() - 0.0045).abs() < 1e-9);
    }

    #[test]
    fn no_cost_is_added_when_the_producer_gives_none() {
        let span = llm().with("llm.token_count.prompt", 5).with("llm.cost.total", "cheap");
        assert_eq!(added(&span, keys::LLM_COST), None);
    }
}

mod model {
    use super::*;

    #[test]
    fn what_answered_comes_before_what_was_asked_for() {
        let order = ["llm.response.model_name", "llm.model_name", "llm.request.model_name", "embedding.model_name"];
        for first in 0..order.len() {
            let span = order[first..].iter().rev().fold(llm(), |span, key| span.with(key, *key));
            assert_eq!(added(&span, keys::MODEL).as_deref(), Some(order[first]));
        }
    }

    #[test]
    fn without_an_attribute_the_model_is_in_the_inputs_or_else_in_the_outputs() {
        let inputs = llm().with("input.value", r#"{"a": {"model": "inner"}, "model": "from \"inputs\""}"#);
        let both = inputs.with("output.value", r#"{"model": "outputs"}"#);
        assert_eq!(added(&both, keys::MODEL).as_deref(), Some("from \"inputs\""));
        let outputs = llm().with("input.value", r#"{"model": ""}"#).with("output.value", r#"{"model": "outputs"}"#);
        assert_eq!(added(&outputs, keys::MODEL).as_deref(), Some("outputs"));
        for value in ["{\"model\": 1}", "[{\"model\": \"m\"}]", "{\"model\": \"m\"", "\"model\""] {
            assert_eq!(added(&llm().with("input.value", value), keys::MODEL), None, "{value}");
        }
    }

    #[test]
    fn the_provider_is_added() {
        assert_eq!(added(&llm().with("llm.provider", "openai"), keys::PROVIDER).as_deref(), Some("openai"));
        assert_eq!(added(&llm().with("llm.system", "openai"), keys::PROVIDER), None);
    }

    #[test]
    fn names_hold_nothing_that_a_column_refuses() {
        assert_eq!(added(&llm().with("llm.model_name", "a\0b"), keys::MODEL).as_deref(), Some("a\u{fffd}b"));
        let inputs = llm().with("input.value", r#"{"model": "a\ud83d"}"#);
        assert_eq!(added(&inputs, keys::MODEL).as_deref(), Some("a\u{fffd}"));
    }
}

mod producer {
    use super::*;

    #[test]
    fn what_the_producer_has_set_is_never_added() {
        let span = llm()
            .with(keys::SPAN_TYPE, "AGENT")
            .with(keys::SPAN_INPUTS, "{\"model\": \"from inputs\"}")
            .with(keys::LLM_COST, "{}")
            .with("input.value", "other")
            .with("llm.cost.total", 1.0);
        for key in [keys::SPAN_TYPE, keys::SPAN_INPUTS, keys::LLM_COST] {
            assert_eq!(added(&span, key), None, "{key}");
        }
        assert_eq!(added(&span, keys::MODEL).as_deref(), Some("from inputs"));
    }

    #[test]
    fn spans_of_other_conventions_gain_nothing() {
        for span in [
            span().with("http.route", "/"),
            span().with("gen_ai.request.model", "m").with("gen_ai.usage.input_tokens", 1),
            span().with("traceloop.span.kind", "tool").with("llm.usage.total_tokens", 3),
            span().with("session.id", "s").with("user.id", "u"),
        ] {
            assert!(mapping::span(&Span::parse(&span.0).unwrap()).is_empty());
        }
    }

    #[test]
    fn spans_that_mlflow_made_gain_nothing() {
        let span = llm().with("input.value", "x").with(keys::TRACE_REQUEST_ID, "\"tr-1\"");
        assert!(mapping::span(&Span::parse(&span.0).unwrap()).is_empty());
    }

    #[test]
    fn what_mlflow_will_hold_is_the_producers_value_or_else_the_added_one() {
        let bytes = llm().with(keys::MODEL, "preset").with("input.value", "x").0;
        let span = Span::parse(&bytes).unwrap();
        let added = mapping::span(&span);
        let stored = |key: &str| {
            openinference_mlflow_translator::mlflow::stored(&span, &added, key)
                .map(|value| value.as_text().into_owned())
        };
        assert_eq!(stored(keys::MODEL).as_deref(), Some("preset"));
        assert_eq!(stored(keys::SPAN_INPUTS).as_deref(), Some("x"));
        assert_eq!(stored(keys::SPAN_OUTPUTS), None);
    }
}
