//! The Rust sides of `make bench-border`: `translate` natively and in wasmtime. Prints each payload's microseconds as JSON.
//!
//! Run: `cargo bench -p openinference-mlflow-tests --bench border -- LIST`. LIST is a file with one path of a protobuf payload
//! a line. Beside the times it prints how many spans the payloads have.

use std::hint::black_box;
use std::time::Instant;

use openinference_mlflow_tests::guest::Guest;
use openinference_mlflow_translator::contract::Encoding;
use openinference_mlflow_translator::otlp::Payload;
use openinference_mlflow_translator::translate;
use serde_json::json;

/// As in `border/side.py` and `border/side.mjs`.
const ROUNDS: u32 = 20;

fn main() {
    // `cargo bench` adds an option of its own.
    let list = std::env::args().skip(1).find(|argument| !argument.starts_with("--")).unwrap_or_default();
    let Ok(list) = std::fs::read_to_string(&list) else {
        println!("{list} cannot be read: expected a list of payloads");
        return;
    };
    let payloads: Vec<Vec<u8>> = list.lines().filter_map(|path| std::fs::read(path).ok()).collect();
    let spans: usize = payloads.iter().map(|body| Payload::parse(body).map_or(0, |payload| payload.span_count())).sum();
    let Ok(mut guest) = Guest::new(false) else {
        println!("wasmtime does not work on this machine");
        return;
    };
    let native = fastest(&payloads, |payload| {
        let _ = black_box(translate(payload, Encoding::Protobuf, Encoding::Protobuf));
    });
    let wasmtime = fastest(&payloads, |payload| {
        let _ = black_box(guest.translate(payload, Encoding::Protobuf));
    });
    println!("{}", json!({ "spans": spans, "native": native, "wasmtime": wasmtime }));
}

/// The microseconds of each payload in its fastest round: nothing else ran then.
fn fastest(payloads: &[Vec<u8>], mut side: impl FnMut(&[u8])) -> Vec<f64> {
    let mut fastest = vec![f64::INFINITY; payloads.len()];
    for _ in 0..ROUNDS {
        for (payload, best) in payloads.iter().zip(&mut fastest) {
            let start = Instant::now();
            side(payload);
            *best = best.min(start.elapsed().as_secs_f64() * 1e6);
        }
    }
    fastest
}
