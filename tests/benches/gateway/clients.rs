//! Clients as applications are: each sends one request after the other, and repeats what it is asked to.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;

pub(crate) const CLIENTS: usize = 20;

/// Sends so many spans, each in a request of its own; `round` makes them others than those of another round.
pub(crate) fn send(url: &str, spans: usize, round: u8) {
    send_from(CLIENTS, url, spans, 0, round);
}

/// The same from so many clients, 256 at most, with so many bytes in each span.
pub(crate) fn send_from(clients: usize, url: &str, spans: usize, bytes: usize, round: u8) {
    std::thread::scope(|scope| {
        for client in 0..clients {
            scope.spawn(move || {
                let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
                for number in 0..spans / clients {
                    let body = one_span(round, client, number, bytes);
                    while !taken(&agent, url, &body) {
                        std::thread::sleep(Duration::from_millis(50));
                    }
                }
            });
        }
    });
}

fn taken(agent: &ureq::Agent, url: &str, body: &[u8]) -> bool {
    let request =
        agent.post(url).header("content-type", "application/x-protobuf").header("x-mlflow-experiment-id", "0");
    let mut answer = request.send(body).unwrap();
    let status = answer.status().as_u16();
    let said = answer.body_mut().read_to_vec().unwrap();
    assert!(matches!(status, 200 | 429 | 503), "{status}: {}", String::from_utf8_lossy(&said));
    status == 200
}

/// Sends so many spans of 1.8 KB from so many clients, so many in each request; none is acknowledged twice.
pub(crate) fn send_requests(clients: usize, url: &str, spans: usize, together: usize, round: u8) {
    let body = |request| (0..together).map(|number| model_call(round, request, number)).collect();
    send_bodies(clients, url, spans / together, body);
}

/// Sends the spans that [`send_requests`] sends one in a request, in batches.
pub(crate) fn send_batches(url: &str, spans: usize, together: usize, round: u8) {
    let body =
        |batch| (batch * together..(batch + 1) * together).map(|request| model_call(round, request, 0)).collect();
    send_bodies(1, url, spans / together, body);
}

fn send_bodies(clients: usize, url: &str, requests: usize, body: impl Fn(usize) -> Vec<Span> + Sync) {
    let body = &body;
    std::thread::scope(|scope| {
        for client in 0..clients {
            scope.spawn(move || {
                let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
                for request in (client..requests).step_by(clients) {
                    let body = payload(body(request));
                    while !taken(&agent, url, &body) {
                        std::thread::sleep(Duration::from_millis(50));
                    }
                }
            });
        }
    });
}

/// The spans of a trace in one request: nine, or as many as there are.
const TRACE: usize = 9;

/// A call of a model with two messages and an answer. The first span of a trace is its root.
fn model_call(round: u8, request: usize, number: usize) -> Span {
    let trace = [&[round; 1], &(request as u64 + 1).to_be_bytes()[1..], &(number / TRACE).to_be_bytes()].concat();
    let id = |number: usize| {
        [&[round; 1], &(request as u32 + 1).to_be_bytes()[..], &(number as u32 + 1).to_be_bytes()[1..]].concat()
    };
    let said = "The quick brown fox jumps over the lazy dog. ".repeat(5);
    let request = serde_json::json!({"model": "gpt-4o-mini", "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": said}]});
    let answer = serde_json::json!({"id": "chatcmpl-1", "object": "chat.completion", "choices": [{"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}]});
    Span {
        trace_id: trace,
        span_id: id(number),
        parent_span_id: if number.is_multiple_of(TRACE) { Vec::new() } else { id(number - number % TRACE) },
        name: "ChatCompletion".to_owned(),
        start_time_unix_nano: 1_760_000_000_000_000_000,
        end_time_unix_nano: 1_760_000_001_000_000_000,
        attributes: vec![
            text("openinference.span.kind", "LLM"),
            text("llm.model_name", "gpt-4o-mini"),
            text("llm.provider", "openai"),
            text("input.value", &request.to_string()),
            text("input.mime_type", "application/json"),
            text("output.value", &answer.to_string()),
            text("output.mime_type", "application/json"),
            text("llm.input_messages.0.message.role", "system"),
            text("llm.input_messages.0.message.content", "Be brief."),
            text("llm.input_messages.1.message.role", "user"),
            text("llm.input_messages.1.message.content", &said),
            text("llm.output_messages.0.message.role", "assistant"),
            text("llm.output_messages.0.message.content", &said),
        ],
        ..Default::default()
    }
}

fn text(key: &str, value: &str) -> KeyValue {
    let value = Some(AnyValue { value: Some(Value::StringValue(value.to_owned())) });
    KeyValue { key: key.to_owned(), value, ..Default::default() }
}

/// A trace of one span, as an application's call of a model.
fn one_span(round: u8, client: usize, number: usize, bytes: usize) -> Vec<u8> {
    let id = [round, client as u8].into_iter().chain((number as u64 + 1).to_be_bytes()).collect::<Vec<_>>();
    payload(vec![Span {
        trace_id: [&id[..], &[7; 6]].concat(),
        span_id: id[2..].to_vec(),
        name: "ChatCompletion".to_owned(),
        start_time_unix_nano: 1_760_000_000_000_000_000,
        end_time_unix_nano: 1_760_000_001_000_000_000,
        attributes: vec![
            text("openinference.span.kind", "LLM"),
            text("llm.model_name", "gpt-4o-mini"),
            text("input.value", &"What is the capital of France? ".repeat(1 + bytes / 32)),
            text("output.value", "Paris."),
        ],
        ..Default::default()
    }])
}

fn payload(spans: Vec<Span>) -> Vec<u8> {
    let scope_spans = vec![ScopeSpans { spans, ..Default::default() }];
    ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans, ..Default::default() }] }
        .encode_to_vec()
}
