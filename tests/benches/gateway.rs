//! What a gateway is for: many applications that export single spans, a real MLflow, and the host between them or not.
//!
//! Every ratio is of two sides measured in this run. Clients, host and MLflow share the machine's cores.
//!
//! Run: `make bench-gateway`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a benchmark that cannot go on ends")]

#[path = "gateway/host.rs"]
mod host;
#[path = "gateway/mlflow.rs"]
mod mlflow;
#[path = "gateway/sink.rs"]
mod sink;

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;

use host::Host;

const CLIENTS: usize = 20;
/// MLflow alone is slow enough for few to do.
const STRAIGHT: usize = 600;
const THROUGH: usize = 20_000;
/// Into a sink, where the host is the slow part.
const TO_SINK: usize = 40_000;

fn main() {
    start_and_idle();
    against_mlflow();
    with_a_sink();
}

fn start_and_idle() {
    let (sink, _) = sink::start();
    // Once, for the compiled translator to be in the cache.
    drop(Host::start(sink, &[], None));
    let mut times: Vec<_> = (0..5).map(|_| Host::start(sink, &[], None).started_in).collect();
    let host = Host::start(sink, &[], None);
    std::thread::sleep(Duration::from_secs(2));
    println!("start until both ports are open: {:>6.0} ms (median of {})", median(&mut times) * 1e3, times.len());
    println!("resident when idle:              {:>6.1} MiB", host.resident_mib());
}

fn against_mlflow() {
    let mlflow = mlflow::Server::start();
    let url = format!("http://127.0.0.1:{}/v1/traces", mlflow.port);
    let straight = rate(STRAIGHT, || {
        send(&url, STRAIGHT, 0);
        mlflow.wait_for_spans(STRAIGHT);
    });
    drop(mlflow);
    let mlflow = mlflow::Server::start();
    let host = Host::start(mlflow.port, &[], None);
    let mut acknowledged = Duration::ZERO;
    let through = rate(THROUGH, || {
        let start = Instant::now();
        send(&host.url(), THROUGH, 0);
        acknowledged = start.elapsed();
        mlflow.wait_for_spans(THROUGH);
    });
    println!("{CLIENTS} clients, one span in each request, spans/s that a real MLflow holds in the end:");
    println!("  straight into MLflow {straight:>8.0}   ({STRAIGHT} spans)");
    let acknowledged = THROUGH as f64 / acknowledged.as_secs_f64();
    println!("  through the host     {through:>8.0}   ({THROUGH} spans, acknowledged at {acknowledged:.0}/s)");
    println!("  ratio                {:>8.1}", through / straight);
}

fn with_a_sink() {
    let (sink, arrived) = sink::start();
    let measure = |flags: &[&str], cores: Option<&str>| {
        let host = Host::start(sink, flags, cores);
        let before = arrived.load(Ordering::SeqCst) + TO_SINK / 10;
        // To be warm.
        send(&host.url(), TO_SINK / 10, 1);
        sink::wait_for(&arrived, before);
        let mut acknowledged = Duration::ZERO;
        let delivered = rate(TO_SINK, || {
            let start = Instant::now();
            send(&host.url(), TO_SINK, 2);
            acknowledged = start.elapsed();
            sink::wait_for(&arrived, before + TO_SINK);
        });
        (TO_SINK as f64 / acknowledged.as_secs_f64(), delivered)
    };
    println!("{CLIENTS} clients, one span in each request, a sink instead of MLflow, spans/s:");
    let (acknowledged, delivered) = measure(&[], None);
    println!("  acknowledged {acknowledged:>8.0}   delivered {delivered:>8.0}");
    if host::can_pin() {
        let (one, _) = measure(&[], Some("0"));
        let (two, _) = measure(&[], Some("0,1"));
        println!("  host on one core           {one:>8.0}\n  on two cores               {two:>8.0}");
        println!("  two / one     {:>21.2}", two / one);
    } else {
        println!("  one core against two: not measured, for want of taskset or of a second core");
    }
}

/// Things a second.
fn rate(things: usize, work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    things as f64 / start.elapsed().as_secs_f64()
}

/// Each client sends its share, one request after the other, and repeats what it is asked to.
fn send(url: &str, spans: usize, round: u8) {
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            scope.spawn(move || {
                let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
                for number in 0..spans / CLIENTS {
                    let body = one_span(round, client, number);
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

/// A trace of one span, as an application's call of a model.
fn one_span(round: u8, client: usize, number: usize) -> Vec<u8> {
    let text = |key: &str, value: &str| KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(Value::StringValue(value.to_owned())) }),
        ..Default::default()
    };
    let id = [round, client as u8].into_iter().chain((number as u64 + 1).to_be_bytes()).collect::<Vec<_>>();
    let span = Span {
        trace_id: [&id[..], &[7; 6]].concat(),
        span_id: id[2..].to_vec(),
        name: "ChatCompletion".to_owned(),
        start_time_unix_nano: 1_760_000_000_000_000_000,
        end_time_unix_nano: 1_760_000_001_000_000_000,
        attributes: vec![
            text("openinference.span.kind", "LLM"),
            text("llm.model_name", "gpt-4o-mini"),
            text("input.value", "What is the capital of France?"),
            text("output.value", "Paris."),
        ],
        ..Default::default()
    };
    let scope_spans = vec![ScopeSpans { spans: vec![span], ..Default::default() }];
    ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans, ..Default::default() }] }
        .encode_to_vec()
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
