//! `serve` as a process: how it starts, how it stops, and what it says.

use std::net::TcpListener;
use std::path::Path;

use crate::support::mlflow::{Mlflow, Reply, say};
use crate::support::payload;
use crate::support::program::{Program, command, get, post};
use crate::support::until;

async fn send(program: &Program, payload: Vec<u8>) {
    assert_eq!(post(&program.url().await, payload).await, 200);
}

fn files_below(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn given_no_tracking_uri_then_traces_are_kept_in_the_local_folder_and_it_ends_well() {
    let dir = tempfile::tempdir().unwrap();
    let program = Program::serve(dir.path(), &[], &[]);
    send(&program, payload::trace(1)).await;
    program.terminate();
    let (status, said) = program.end();
    assert!(status.success(), "{said}");
    assert!(said.contains("OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:"), "{said}");
    assert!(said.contains("no tracking URI is set"), "{said}");
    let experiments = files_below(&dir.path().join("traces"));
    assert_eq!(experiments.len(), 1, "{experiments:?}");
    let traces = files_below(&dir.path().join("traces").join(&experiments[0]));
    assert_eq!(traces, [format!("tr-{}.json", "01".repeat(16))]);
}

#[tokio::test]
async fn given_mlflow_then_what_was_accepted_is_delivered_before_it_ends() {
    let mlflow = Mlflow::start().await;
    let dir = tempfile::tempdir().unwrap();
    let uri = format!("--tracking-uri=http://{}", mlflow.address);
    // An unfinished trace would wait for an hour; the end of the program is no reason to lose it.
    let program = Program::serve(dir.path(), &[&uri, "--settle=1h"], &[]);
    send(&program, payload::trace(1)).await;
    program.terminate();
    let (status, said) = tokio::task::spawn_blocking(|| program.end()).await.unwrap();
    assert!(status.success(), "{said}");
    assert!(!mlflow.exports().is_empty());
}

#[tokio::test]
async fn given_mlflow_that_hangs_then_it_ends_in_time_and_the_journal_has_what_was_left() {
    let mlflow = Mlflow::start().await;
    mlflow.script(|_| Reply::Hang);
    let dir = tempfile::tempdir().unwrap();
    let uri = format!("--tracking-uri=http://{}", mlflow.address);
    let program = Program::serve(dir.path(), &[&uri, "--shutdown-timeout=200ms"], &[]);
    send(&program, payload::trace(1)).await;
    program.terminate();
    let (status, said) = tokio::task::spawn_blocking(|| program.end()).await.unwrap();
    assert!(status.success(), "{said}");
    assert!(said.contains("the journal keeps what was not delivered"), "{said}");

    mlflow.script(|_| Reply::Healthy);
    let program = Program::serve(dir.path(), &[&uri], &[]);
    until("what was left is delivered", || async { !mlflow.exports().is_empty() }).await;
    drop(program);
}

#[tokio::test]
async fn given_a_kill_then_what_was_acknowledged_is_delivered_by_the_next_start() {
    let mlflow = Mlflow::start().await;
    mlflow.script(|_| say(503, "later"));
    let dir = tempfile::tempdir().unwrap();
    let uri = format!("--tracking-uri=http://{}", mlflow.address);
    for number in 1..=3 {
        let program = Program::serve(dir.path(), &[&uri], &[]);
        send(&program, payload::trace(number)).await;
        // Dropping it is SIGKILL.
        drop(program);
    }
    mlflow.script(|_| Reply::Healthy);
    let _program = Program::serve(dir.path(), &[&uri], &[]);
    let has = |number: u8| mlflow.exports().iter().any(|seen| seen.body.windows(8).any(|bytes| bytes == [number; 8]));
    until("all three are delivered", || async { (1..=3).all(has) }).await;
}

#[tokio::test]
async fn given_a_second_serve_on_the_same_folder_then_it_says_who_has_it() {
    let dir = tempfile::tempdir().unwrap();
    let program = Program::serve(dir.path(), &[], &[]);
    program.url().await;
    let ports = ["serve", "--grpc-listen=127.0.0.1:0", "--http-listen=127.0.0.1:0"];
    let output = command(dir.path(), &ports).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("another process") && said.contains("--data-dir"), "{said}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn given_a_disk_that_is_full_then_senders_keep_their_data_until_it_has_room_again() {
    let mlflow = Mlflow::start().await;
    mlflow.script(|_| say(503, "later"));
    let dir = tempfile::tempdir().unwrap();
    let uri = format!("--tracking-uri=http://{}", mlflow.address);
    let program = Program::serve(dir.path(), &[&uri], &[]);
    let url = program.url().await;
    send(&program, payload::trace(1)).await;
    // No write to a file succeeds any more, as on a disk without room.
    program.limit_files(Some(0));
    until("payloads are refused", || async { post(&url, payload::trace(2)).await == 503 }).await;
    let (status, report) = get(&program.admin("/readyz?exclude=mlflow").await).await;
    assert!(status == 503 && report.contains(r#"{"name":"journal","ok":false,"required":true"#), "{report}");
    program.limit_files(None);
    until("it takes payloads again", || async { post(&url, payload::trace(3)).await == 200 }).await;
    mlflow.script(|_| Reply::Healthy);
    let has = |number: u8| mlflow.exports().iter().any(|seen| seen.body.windows(8).any(|bytes| bytes == [number; 8]));
    until("what was acknowledged is delivered", || async { has(1) && has(3) }).await;
    let said = program.said();
    assert_eq!(said.matches("refusing new payloads").count(), 1, "{said}");
    assert!(said.contains("works again"), "{said}");
}

#[tokio::test]
async fn given_no_journal_and_mlflow_that_hangs_then_it_ends_in_time_and_says_what_was_left_and_where() {
    let mlflow = Mlflow::start().await;
    mlflow.script(|_| Reply::Hang);
    let dir = tempfile::tempdir().unwrap();
    let uri = format!("--tracking-uri=http://{}", mlflow.address);
    let program = Program::serve(dir.path(), &[&uri, "--shutdown-timeout=200ms", "--no-journal"], &[]);
    send(&program, payload::trace(1)).await;
    program.terminate();
    let (status, said) = tokio::task::spawn_blocking(|| program.end()).await.unwrap();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("replay"), "{said}");
    let id = payload::quarantine_id(&payload::trace(1));
    assert_eq!(files_below(&dir.path().join("quarantine")), [format!("{id}.pb"), format!("{id}.reason.json")]);
}

#[tokio::test]
async fn given_a_second_signal_then_it_ends_at_once() {
    let mlflow = Mlflow::start().await;
    mlflow.script(|_| Reply::Hang);
    let dir = tempfile::tempdir().unwrap();
    let uri = format!("--tracking-uri=http://{}", mlflow.address);
    let program = Program::serve(dir.path(), &[&uri, "--shutdown-timeout=1h"], &[]);
    send(&program, payload::trace(1)).await;
    program.terminate();
    until("it says that it is stopping", || async { program.said().contains("stopping") }).await;
    program.terminate();
    let (status, said) = tokio::task::spawn_blocking(|| program.end()).await.unwrap();
    assert_eq!(status.code(), Some(130), "{said}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn given_a_supervisor_then_it_is_told_of_the_start_and_of_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notify");
    let supervisor = tokio::net::UnixDatagram::bind(&path).unwrap();
    let program = Program::serve(dir.path(), &[], &[("NOTIFY_SOCKET", path.to_str().unwrap())]);
    let mut heard = [0; 64];
    let length = supervisor.recv(&mut heard).await.unwrap();
    assert_eq!(std::str::from_utf8(&heard[..length]).unwrap().trim(), "READY=1");
    assert_eq!(post(&program.url().await, payload::trace(1)).await, 200);
    program.terminate();
    let length = supervisor.recv(&mut heard).await.unwrap();
    assert_eq!(std::str::from_utf8(&heard[..length]).unwrap().trim(), "STOPPING=1");
}

#[test]
fn given_a_port_that_is_taken_then_it_says_so_and_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let dir = tempfile::tempdir().unwrap();
    for flag in ["--grpc-listen", "--http-listen"] {
        let other = if flag == "--grpc-listen" { "--http-listen=127.0.0.1:0" } else { "--grpc-listen=127.0.0.1:0" };
        let output = command(dir.path(), &["serve", &format!("{flag}={address}"), other]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(&address.to_string()) && said.contains("in use"), "{said}");
        assert!(said.contains("hint:") && said.contains(flag), "{said}");
    }
}

#[tokio::test]
async fn given_credentials_then_not_even_the_most_talkative_log_shows_them() {
    let mlflow = Mlflow::start().await;
    let dir = tempfile::tempdir().unwrap();
    let uri = format!("--tracking-uri=http://someone:s3cret-in-uri@{}", mlflow.address);
    let (phoenix, collector) = (Mlflow::start().await, Mlflow::start().await);
    let forward = format!("--forward=http://me:s3cret-in-url@{}?key=s3cret-key", phoenix.address);
    let over_grpc = format!("--forward=grpc://{}", collector.address);
    let headers = format!("grpc://{} x-api-key=s3cret-header", collector.address);
    let environment = [
        ("MLFLOW_TRACKING_TOKEN", "s3cret-token"),
        ("OPENINFERENCE_MLFLOW_FORWARD_HEADERS", &headers),
        ("RUST_LOG", "trace,cranelift=info,regalloc2=info,wasmtime=info"),
    ];
    let program = Program::serve(dir.path(), &[&uri, &forward, &over_grpc], &environment);
    send(&program, payload::trace(1)).await;
    until("the trace is delivered", || async { !mlflow.exports().is_empty() }).await;
    until("the others were asked", || async { !phoenix.seen().is_empty() && !collector.seen().is_empty() }).await;
    program.terminate();
    let (_, said) = tokio::task::spawn_blocking(|| program.end()).await.unwrap();
    assert_eq!(mlflow.exports()[0].headers["authorization"], "Bearer s3cret-token");
    assert_eq!(phoenix.seen()[0].path, "/v1/traces?key=s3cret-key");
    assert_eq!(collector.seen()[0].headers["x-api-key"], "s3cret-header");
    assert!(said.contains("TRACE"), "the log must be talkative");
    let shown = said.lines().find(|line| line.contains("s3cret"));
    assert_eq!(shown, None, "a secret is in the log");
}
