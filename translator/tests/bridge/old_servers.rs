//! What earlier versions of MLflow do not derive, or derive wrongly.

use serde_json::Value;

use crate::drive::Host;
use crate::model::Stored;
use crate::previews::{RAW_ANSWER, answering, infos, previews};
use crate::spans::{app, plain, span, text};
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::Span;

#[test]
fn a_server_that_does_not_keep_metadata_gets_it_back_with_a_trace_info() {
    let mut host = Host::new("{}");
    host.server.version = "3.9.0".into();
    host.ingest(&app(vec![answering(span(1, 1, 0), RAW_ANSWER)]));
    host.ingest(&app(vec![answering(span(2, 1, 0), "Paris")]));
    host.ingest(&app(vec![span(3, 2, 1)]));
    host.finish();
    assert_eq!(previews(&host.server.traces[&vec![1; 16]]), (Some("in 1"), Some("Paris")));
    assert_eq!((infos(&host), host.done.len()), (3, 3));
    assert_eq!(host.bridge.stats().retries, 0);
    assert!(host.topics().contains(&"closed-without-root"));
}

fn with(mut span: Span, key: &str, value: &str) -> Span {
    span.attributes.push(text(key, value));
    span
}

fn delivered(version: &str, spans: Vec<Span>) -> Stored {
    let mut host = Host::new("{}");
    host.server.version = version.into();
    host.ingest(&app(spans));
    host.finish();
    assert_eq!(host.done.len(), 1, "{version}");
    host.server.traces.remove(&vec![1; 16]).unwrap()
}

#[test]
fn servers_before_3_14_get_session_and_user_in_the_trace_info() {
    for of_openinference in [true, false] {
        let framed = |span| if of_openinference { span } else { plain(span) };
        let named = || with(with(framed(span(1, 2, 1)), "session.id", "thread-1"), "user.id", "ada");
        for version in ["3.6.0", "3.9.0", "3.12.0", "3.13.0"] {
            let trace = delivered(version, vec![framed(span(1, 1, 0)), named()]);
            let metadata = |key: &str| trace.metadata.get(key).map(String::as_str);
            let found = (metadata("mlflow.trace.session"), metadata("mlflow.trace.user"));
            assert_eq!(found, (Some("thread-1"), Some("ada")), "{version}, {of_openinference}");
        }
        assert!(delivered("3.15.0", vec![framed(span(1, 1, 0)), named()]).metadata.is_empty());
    }
}

#[test]
fn previews_that_an_old_server_derived_stay() {
    let root = with(with(plain(span(1, 1, 0)), "mlflow.spanInputs", "hello"), "session.id", "thread-1");
    for version in ["3.6.0", "3.9.0", "3.12.0"] {
        let trace = delivered(version, vec![root.clone()]);
        assert_eq!(previews(&trace), (Some("\"hello\""), None), "{version}");
    }
}

const USAGE: &str = r#"{"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}"#;
const COST: &str = r#"{"input_cost": 0.5, "output_cost": 0.25, "total_cost": 0.75}"#;

/// The span of another instrumentation, whose token counts MLflow reads itself.
fn counted_by_gen_ai(span: Span) -> Span {
    let mut span = plain(span);
    for (key, count) in [("gen_ai.usage.input_tokens", 3), ("gen_ai.usage.output_tokens", 4)] {
        let value = AnyValue { value: Some(any_value::Value::IntValue(count)) };
        span.attributes.push(KeyValue { key: key.into(), value: Some(value), ..KeyValue::default() });
    }
    span
}

#[test]
fn servers_before_3_15_get_the_sums_of_a_trace_whose_spans_repeat_others() {
    let costly = |span| with(with(span, "mlflow.chat.tokenUsage", USAGE), "mlflow.llm.cost", COST);
    let nested = || vec![costly(span(1, 1, 0)), span(1, 2, 1), costly(span(1, 3, 2))];
    for version in ["3.6.0", "3.12.0", "3.14.2"] {
        let trace = delivered(version, nested());
        let sum = |key: &str| serde_json::from_str::<Value>(&trace.metadata[key]).unwrap();
        let expected = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let found = (sum("mlflow.trace.tokenUsage"), sum("mlflow.trace.cost"));
        assert_eq!(found, (expected(USAGE), expected(COST)), "{version}");
    }
    assert!(delivered("3.15.0", nested()).metadata.is_empty());
    let instrumented_twice = vec![costly(span(1, 1, 0)), counted_by_gen_ai(span(1, 2, 1))];
    let metadata = delivered("3.14.0", instrumented_twice).metadata;
    assert_eq!(serde_json::from_str::<Value>(&metadata["mlflow.trace.tokenUsage"]).unwrap()["total_tokens"], 7);
    let siblings = vec![plain(span(1, 1, 0)), costly(plain(span(1, 2, 1))), costly(plain(span(1, 3, 1)))];
    assert!(delivered("3.14.0", siblings).metadata.is_empty(), "MLflow's own sum is right");
}

#[test]
fn servers_before_3_13_get_a_span_with_its_own_trace_id() {
    let key = "mlflow.traceRequestId";
    let sent = |version| {
        let trace = delivered(version, vec![with(span(1, 1, 0), key, "evil")]);
        let span = trace.spans[&vec![1; 8]].clone();
        let ids = span.attributes.iter().filter(|attribute| attribute.key == key);
        ids.map(|attribute| attribute.value.clone()).collect::<Vec<_>>()
    };
    let value = |id: &str| text(key, id).value;
    let own = format!("tr-{}", "01".repeat(16));
    assert_eq!(sent("3.12.0"), [value("evil"), value(&own)]);
    assert_eq!(sent("3.13.0"), [value("evil")]);
}
