//! `translate` natively and in wasmtime against a native prost decode and encode of the same payloads, in one run.
//!
//! Run: `cargo bench -p openinference-mlflow-tests --bench translate`. Each round times every side once, in turn, so that a
//! machine that slows down slows all of them; the ratios are those of the medians over all rounds.

use std::hint::black_box;
use std::time::{Duration, Instant};

use openinference_mlflow_tests::fixtures::{self, Fixture};
use openinference_mlflow_tests::growth::{self, Growth};
use openinference_mlflow_tests::guest::Guest;
use openinference_mlflow_tests::report::Row;
use openinference_mlflow_translator::contract::Encoding;
use openinference_mlflow_translator::translate;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

const ROUNDS: usize = 31;

/// How many times prost's time the sides after the first may take.
const TARGETS: [f64; 3] = [1.5, 1.8, 2.0];

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
    println!("{} payloads, {bytes} bytes, {ROUNDS} rounds, beside prost's decode + encode:", payloads.len());
    let [beside, ours @ ..] = &mut times[..] else { return };
    let beside_micros = |times: &mut [Duration]| median(times).as_secs_f64() * 1e6 / payloads.len() as f64;
    for (((name, _), target), times) in sides[1..].iter().zip(TARGETS).zip(ours) {
        let mut ratios: Vec<_> =
            times.iter().zip(&*beside).map(|(ours, beside)| ours.div_duration_f64(*beside)).collect();
        ratios.sort_by(f64::total_cmp);
        Row {
            table: "translate",
            name,
            unit: "µs a payload",
            beside: ("prost", beside_micros(&mut beside.clone())),
            ours: beside_micros(times),
            ratio: ratios[ratios.len() / 2],
            target: Some(target),
        }
        .record();
    }
    worst_payload(&payloads);
    println!("how the cost grows, by size:");
    growth::measure().unwrap_or_default().iter().for_each(Growth::record);
}

/// The payload that costs the most beside prost, natively.
fn worst_payload(payloads: &[Vec<u8>]) {
    let least = |mut work: Box<dyn FnMut() + '_>| {
        let time = |_| {
            let start = Instant::now();
            work();
            start.elapsed()
        };
        (0..ROUNDS).map(time).min().unwrap_or_default().as_secs_f64() * 1e6
    };
    let sides = payloads.iter().map(|payload| {
        let prost = least(Box::new(|| {
            drop(black_box(ExportTraceServiceRequest::decode(&**payload)).map(|request| request.encode_to_vec()))
        }));
        let ours = least(Box::new(|| drop(black_box(translate(payload, Encoding::Protobuf, Encoding::Protobuf)))));
        (prost, ours)
    });
    let Some((prost, ours)) = sides.max_by(|one, other| (one.1 / one.0).total_cmp(&(other.1 / other.0))) else {
        return;
    };
    let name = "translate, native, the payload that costs most";
    let (beside, ratio) = (("prost", prost), ours / prost);
    Row { table: "translate", name, unit: "µs a payload", beside, ours, ratio, target: Some(4.0) }.record();
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}
