//! `translate` natively and in wasmtime against a native prost decode and encode of the same payloads, in one run.
//!
//! Run: `cargo bench -p openinference-mlflow-tests --bench translate`. Each round times every side once, in turn, so that a
//! machine that slows down slows all of them; the ratios are those of the medians over all rounds.

use std::hint::black_box;
use std::time::{Duration, Instant};

use openinference_mlflow_tests::fixtures::{self, Fixture};
use openinference_mlflow_tests::guest::Guest;
use openinference_mlflow_translator::contract::Encoding;
use openinference_mlflow_translator::translate;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

const ROUNDS: usize = 31;

/// What is timed, for one payload.
type Side = Box<dyn FnMut(&[u8])>;

fn main() {
    let fixtures = fixtures::all().unwrap_or_default();
    let readable = |fixture: &Fixture| {
        fixture.encoding == Encoding::Protobuf
            && !fixture.name.starts_with("hand_")
            && ExportTraceServiceRequest::decode(&*fixture.body).is_ok()
    };
    let payloads: Vec<Vec<u8>> = fixtures.into_iter().filter(readable).map(|fixture| fixture.body).collect();
    let bytes: usize = payloads.iter().map(Vec::len).sum();
    let (Ok(mut plain), Ok(mut interruptible)) = (Guest::new(false), Guest::new(true)) else {
        println!("wasmtime does not work on this machine");
        return;
    };
    let mut sides: Vec<(&str, Side)> = vec![
        (
            "prost decode + encode, native",
            Box::new(|payload| {
                if let Ok(request) = ExportTraceServiceRequest::decode(payload) {
                    black_box(request.encode_to_vec());
                }
            }),
        ),
        (
            "translate, native",
            Box::new(|payload| {
                let _ = black_box(translate(payload, Encoding::Protobuf, Encoding::Protobuf));
            }),
        ),
        (
            "translate, wasmtime",
            Box::new(move |payload| {
                let _ = black_box(plain.translate(payload, Encoding::Protobuf));
            }),
        ),
        (
            "translate, wasmtime, interruptible as in serve",
            Box::new(move |payload| {
                let _ = black_box(interruptible.translate(payload, Encoding::Protobuf));
            }),
        ),
    ];
    let mut times = vec![Vec::new(); sides.len()];
    for round in 0..=ROUNDS {
        for ((_, side), times) in sides.iter_mut().zip(&mut times) {
            let start = Instant::now();
            payloads.iter().for_each(|payload| side(payload));
            // The first round warms up.
            if round > 0 {
                times.push(start.elapsed());
            }
        }
    }
    println!("{} payloads, {bytes} bytes, {ROUNDS} rounds", payloads.len());
    let medians: Vec<Duration> = times.iter_mut().map(|times| median(times)).collect();
    for ((name, _), time) in sides.iter().zip(&medians) {
        let ratio = time.as_secs_f64() / medians[0].as_secs_f64();
        let speed = bytes as f64 / time.as_secs_f64() / 1e6;
        println!("{name:<50} {:>9.3} ms  {speed:>7.1} MB/s  ratio {ratio:.2}", time.as_secs_f64() * 1e3);
    }
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}
