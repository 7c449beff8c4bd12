//! Spans per second through `serve` into a sink that answers as MLflow does, beside the same clients sending straight to
//! the sink, in one run.
//!
//! Run: `cargo bench -p openinference-mlflow-tests --bench serve`, after `cargo build --release`
//! (`OPENINFERENCE_MLFLOW_BINARY` names another binary).

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::{get, post};
use openinference_mlflow_tests::fixtures;
use openinference_mlflow_translator::otlp::Payload;

const CLIENTS: usize = 8;
const REQUESTS_PER_CLIENT: usize = 250;
const ROUNDS: usize = 5;

type Counter = Arc<AtomicUsize>;

fn main() {
    let Some(template) = fixtures::all().ok().and_then(|all| all.into_iter().find(|f| f.name == "js_langchain_rag"))
    else {
        println!("the fixture js_langchain_rag is missing");
        return;
    };
    let spans_each = Payload::parse(&template.body).map_or(0, |payload| payload.span_count());
    let (sink, arrived) = start_sink();
    let (serve, mut process) = start_serve(sink);
    let mut straight = Vec::new();
    let mut through = Vec::new();
    let spans = CLIENTS * REQUESTS_PER_CLIENT * spans_each;
    for round in 0..ROUNDS {
        straight.push(run(sink, &template.body, round * 2, spans, &arrived));
        through.push(run(serve, &template.body, round * 2 + 1, spans, &arrived));
    }
    let _ = Command::new("kill").args(["-TERM", &process.id().to_string()]).status();
    let _ = process.wait();
    println!(
        "{CLIENTS} clients, {REQUESTS_PER_CLIENT} requests each of one trace of {spans_each} spans, {ROUNDS} rounds"
    );
    let (straight, through) = (median(&mut straight), median(&mut through));
    println!("straight into the sink   {:>9.0} spans/s", spans as f64 / straight.as_secs_f64());
    println!("through serve            {:>9.0} spans/s", spans as f64 / through.as_secs_f64());
    println!("ratio {:.2}", straight.as_secs_f64() / through.as_secs_f64());
}

/// How long it takes until every span of every client has arrived in the sink.
fn run(port: u16, template: &[u8], round: usize, spans: usize, arrived: &Counter) -> Duration {
    let goal = arrived.load(Ordering::SeqCst) + spans;
    let start = Instant::now();
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            scope.spawn(move || send(port, template, (round * CLIENTS + client) * REQUESTS_PER_CLIENT));
        }
    });
    while arrived.load(Ordering::SeqCst) < goal && start.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(2));
    }
    start.elapsed()
}

fn send(port: u16, template: &[u8], first: usize) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let url = format!("http://127.0.0.1:{port}/v1/traces");
    for number in first..first + REQUESTS_PER_CLIENT {
        let request =
            agent.post(&url).header("content-type", "application/x-protobuf").header("x-mlflow-experiment-id", "1");
        if let Err(error) = request.send(&retraced(template, number)[..]) {
            println!("not sent: {error}");
        }
    }
}

/// The payload under trace ids of its own: their first eight bytes are the number.
fn retraced(template: &[u8], number: usize) -> Vec<u8> {
    let mut body = template.to_vec();
    let ids: Vec<Vec<u8>> = Payload::parse(template)
        .map(|payload| {
            payload.groups.iter().flat_map(|group| &group.spans).map(|span| span.trace_id.to_vec()).collect()
        })
        .unwrap_or_default();
    for id in ids {
        for at in 0..body.len().saturating_sub(16) {
            if body[at..at + 16] == id {
                body[at..at + 8].copy_from_slice(&(number as u64 + 1).to_be_bytes());
            }
        }
    }
    body
}

fn start_sink() -> (u16, Counter) {
    let arrived = Counter::default();
    let routes = Router::new()
        .route("/version", get(|| async { "3.17.2" }))
        .route(
            "/api/2.0/mlflow/experiments/get",
            get(|| async { r#"{"experiment":{"experiment_id":"1","lifecycle_stage":"active"}}"# }),
        )
        .route("/v1/traces", post(count))
        .layer(axum::extract::DefaultBodyLimit::disable())
        .with_state(Arc::clone(&arrived));
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let Ok(runtime) = runtime else { return };
        runtime.block_on(async {
            let Ok(listener) = tokio::net::TcpListener::bind("127.0.0.1:0").await else { return };
            let _ = sender.send(listener.local_addr().map_or(0, |address| address.port()));
            let _ = axum::serve(listener, routes).await;
        });
    });
    (receiver.recv().unwrap_or_default(), arrived)
}

async fn count(State(arrived): State<Counter>, body: Bytes) {
    arrived.fetch_add(Payload::parse(&body).map_or(0, |payload| payload.span_count()), Ordering::SeqCst);
}

fn start_serve(sink: u16) -> (u16, std::process::Child) {
    let binary = std::env::var_os("OPENINFERENCE_MLFLOW_BINARY")
        .map_or_else(|| fixtures::tests_dir().join("../target/release/openinference-mlflow"), PathBuf::from);
    let port = || TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).map_or(0, |a| a.port());
    let (grpc, http) = (port(), port());
    let folder = std::env::temp_dir().join(format!("openinference-mlflow-bench-{http}"));
    let started = Command::new(&binary)
        .args(["serve", "--tracking-uri", &format!("http://127.0.0.1:{sink}"), "--experiment-id", "1"])
        .args(["--grpc-listen", &format!("127.0.0.1:{grpc}"), "--http-listen", &format!("127.0.0.1:{http}")])
        .arg("--data-dir")
        .arg(folder)
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .spawn();
    let process = match started {
        Ok(process) => process,
        Err(error) => {
            println!("{} does not start: {error}", binary.display());
            std::process::exit(1);
        }
    };
    let deadline = Instant::now() + Duration::from_secs(30);
    while std::net::TcpStream::connect(("127.0.0.1", http)).is_err() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(50));
    }
    (http, process)
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}
