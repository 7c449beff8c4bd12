//! What a gateway is for: many applications that export single spans, a real MLflow, and the host between them or not.
//!
//! Every ratio is of two sides measured in this run. Clients, host and MLflow share the machine's cores.
//!
//! Run: `make bench`; `cargo bench -p openinference-mlflow-tests --bench gateway -- journal cores` runs these alone.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a benchmark that cannot go on ends")]

#[path = "gateway/clients.rs"]
mod clients;
#[path = "gateway/host.rs"]
mod host;
#[path = "gateway/journal.rs"]
mod journal;
#[path = "gateway/mlflow.rs"]
mod mlflow;
#[path = "gateway/pass_through.rs"]
mod pass_through;
#[path = "gateway/process.rs"]
mod process;
#[path = "gateway/rotel.rs"]
mod rotel;
#[path = "gateway/sink.rs"]
mod sink;

use std::time::{Duration, Instant};

use clients::{CLIENTS, send, send_batches, send_from, send_requests};
use host::Host;
use openinference_mlflow_tests::report::Row;
use sink::Sink;

/// MLflow alone is slow enough for few to do.
const STRAIGHT: usize = 600;
/// Whole batches of [`PREMADE`].
const THROUGH: usize = 40 * PREMADE;
/// Into a sink, where the host is the slow part.
const TO_SINK: usize = 40_000;

/// By the names that `PARTS` may have.
const PARTS: [(&str, fn()); 6] = [
    ("start", start_and_idle),
    ("pass-through", pass_through::beside_rotel),
    ("mlflow", against_mlflow),
    ("journal", journal::on_against_off),
    ("cores", one_core_against_two),
    ("opening", journal::opening_a_large_one),
];

fn main() {
    // cargo adds flags of its own.
    let wanted: Vec<_> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    for (name, part) in PARTS {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            part();
        }
    }
}

fn start_and_idle() {
    let sink = Sink::start();
    // Once, for the compiled translator to be in the cache.
    drop(Host::start(sink.port, &[], None));
    let mut times: Vec<_> = (0..5).map(|_| Host::start(sink.port, &[], None).started_in).collect();
    let host = Host::start(sink.port, &[], None);
    std::thread::sleep(Duration::from_secs(2));
    println!("start until both ports are open: {:>6.0} ms (median of {})", median(&mut times) * 1e3, times.len());
    println!("resident when idle:              {:>6.1} MiB", host.process.resident_mib());
}

/// What MLflow can take at best: batches that somebody made beforehand.
const PREMADE: usize = 512;

fn against_mlflow() {
    let straight = held_in_the_end(STRAIGHT, |url| send(url, STRAIGHT, 0));
    let premade = held_in_the_end(THROUGH, |url| send_batches(url, THROUGH, PREMADE, 0));
    let mlflow = mlflow::Server::start();
    let host = Host::start(mlflow.port, &[], None);
    let through = rate(THROUGH, || {
        send_requests(CLIENTS, &host.url(), THROUGH, 1, 0);
        mlflow.wait_for_spans(THROUGH);
    });
    println!(
        "{CLIENTS} clients, one span in each request, spans/s that a real MLflow holds in the end, through serve:"
    );
    for (name, beside, target) in
        [("straight into MLflow", straight, None), ("premade batches of 512", premade, Some(0.9))]
    {
        let ratio = through / beside;
        Row {
            table: "mlflow",
            name: &format!("single spans, beside {name}"),
            unit: "spans/s",
            beside: (name, beside),
            ours: through,
            ratio,
            target,
        }
        .record();
    }
    let requests = host.requests_to_mlflow();
    println!(
        "  requests that MLflow received {requests:.0} for {THROUGH}, spans in each {:.0}",
        THROUGH as f64 / requests
    );
}

/// Spans/s that a fresh MLflow holds when everything that was sent to its own endpoint has arrived.
fn held_in_the_end(spans: usize, send: impl FnOnce(&str)) -> f64 {
    let mlflow = mlflow::Server::start();
    let url = format!("http://127.0.0.1:{}/v1/traces", mlflow.port);
    rate(spans, || {
        send(&url);
        mlflow.wait_for_spans(spans);
    })
}

fn one_core_against_two() {
    if !host::can_pin() {
        println!("one core against two: not measured, for want of taskset or of a second core");
        return;
    }
    let sink = Sink::start();
    let (one, two) = (through_host(&sink, CLIENTS, &[], Some("0")), through_host(&sink, CLIENTS, &[], Some("0,1")));
    println!("{CLIENTS} clients, one span in each request, a sink instead of MLflow, acknowledged spans/s:");
    println!("  host on one core     {:>8.0}\n  on two cores         {:>8.0}", one.acknowledged, two.acknowledged);
    println!("  two / one            {:>8.2}", two.acknowledged / one.acknowledged);
}

/// What a host with a sink behind it did with spans that came one in a request.
struct Throughput {
    /// Spans/s.
    acknowledged: f64,
    /// Spans/s that the sink had in the end.
    delivered: f64,
    /// The host's own time on all cores, in microseconds a span.
    cpu_micros: f64,
    /// Spans in a request to the sink.
    together: f64,
}

fn through_host(sink: &Sink, clients: usize, flags: &[&str], cores: Option<&str>) -> Throughput {
    let host = Host::start(sink.port, flags, cores);
    let before = sink.spans() + TO_SINK / 10;
    // To be warm.
    send_from(clients, &host.url(), TO_SINK / 10, 0, 1);
    sink.wait_for(before);
    let (requests, cpu) = (sink.requests(), host.process.cpu_seconds());
    let mut acknowledged = Duration::ZERO;
    let delivered = rate(TO_SINK, || {
        let start = Instant::now();
        send_from(clients, &host.url(), TO_SINK, 0, 2);
        acknowledged = start.elapsed();
        sink.wait_for(before + TO_SINK);
    });
    Throughput {
        acknowledged: TO_SINK as f64 / acknowledged.as_secs_f64(),
        delivered,
        cpu_micros: (host.process.cpu_seconds() - cpu) * 1e6 / TO_SINK as f64,
        together: TO_SINK as f64 / (sink.requests() - requests) as f64,
    }
}

/// Things a second.
fn rate(things: usize, work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    things as f64 / start.elapsed().as_secs_f64()
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
