//! `serve` as a process: how it starts, how it stops, and what it says.

use std::net::TcpListener;
use std::path::Path;

use crate::support::mlflow::{Mlflow, Reply};
use crate::support::payload;
use crate::support::program::{Program, command, post};
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
async fn given_mlflow_that_hangs_then_it_ends_in_time_and_says_what_was_left_and_where() {
    let mlflow = Mlflow::start().await;
    mlflow.script(|_| Reply::Hang);
    let dir = tempfile::tempdir().unwrap();
    let uri = format!("--tracking-uri=http://{}", mlflow.address);
    let program = Program::serve(dir.path(), &[&uri, "--shutdown-timeout=200ms"], &[]);
    send(&program, payload::trace(1)).await;
    program.terminate();
    let (status, said) = tokio::task::spawn_blocking(|| program.end()).await.unwrap();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("replay"), "{said}");
    assert_eq!(files_below(&dir.path().join("set-aside")), ["payload.pb", "payload.reason.json"]);
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
        assert!(said.contains(&address.to_string()) && said.contains("already in use"), "{said}");
        assert!(said.contains("hint:") && said.contains(flag), "{said}");
    }
}

#[tokio::test]
async fn given_credentials_then_not_even_the_most_talkative_log_shows_them() {
    let mlflow = Mlflow::start().await;
    let dir = tempfile::tempdir().unwrap();
    let uri = format!("--tracking-uri=http://someone:s3cret-in-uri@{}", mlflow.address);
    let environment =
        [("MLFLOW_TRACKING_TOKEN", "s3cret-token"), ("RUST_LOG", "trace,cranelift=info,regalloc2=info,wasmtime=info")];
    let program = Program::serve(dir.path(), &[&uri], &environment);
    send(&program, payload::trace(1)).await;
    until("the trace is delivered", || async { !mlflow.exports().is_empty() }).await;
    program.terminate();
    let (_, said) = tokio::task::spawn_blocking(|| program.end()).await.unwrap();
    assert_eq!(mlflow.exports()[0].headers["authorization"], "Bearer s3cret-token");
    assert!(said.contains("TRACE"), "the log must be talkative");
    assert!(!said.contains("s3cret"), "a secret is in the log");
}
