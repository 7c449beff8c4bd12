//! `quarantine` as a process, on a folder of quarantined payloads, beside an MLflow that takes them or does not.

use std::path::Path;
use std::process::Output;

use openinference_mlflow::payload::{Encoding, PayloadContext};
use openinference_mlflow::quarantine::Quarantine;
use openinference_mlflow::wasm::Quarantined;
use tempfile::TempDir;

use crate::support::mlflow::{Mlflow, say};
use crate::support::payload;
use crate::support::program::command;

const ID: &str = "01010101010101010101010101010101-0101010101010101";

/// A data directory with a span that MLflow refused, and a payload that it did not get.
fn quarantine() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let folder = Quarantine::below(dir.path());
    let span = Quarantined {
        trace_id: "01".repeat(16),
        span_id: "01".repeat(8),
        reason: "MLflow answers 422".to_owned(),
        payload: payload::trace(1),
        receipt: None,
    };
    folder.keep_span(&span, None).unwrap();
    let context = PayloadContext {
        encoding: Encoding::Protobuf,
        experiment_id: Some("7".to_owned()),
        experiment_name: None,
        run_id: None,
        workspace: None,
    };
    folder.keep_payload(&payload::trace(2), &context, "the program stopped").unwrap();
    dir
}

fn quarantined(data_dir: &Path) -> Vec<String> {
    let items = Quarantine::below(data_dir).entries().unwrap();
    items.into_iter().map(|item| item.id).collect()
}

async fn run(data_dir: &Path, arguments: &[&str]) -> Output {
    let mut command = command(data_dir, &[&["quarantine"], arguments].concat());
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap() + &String::from_utf8(output.stderr.clone()).unwrap()
}

#[tokio::test]
async fn given_quarantined_payloads_then_list_and_show_tell_what_and_why_and_content_only_when_asked() {
    let dir = quarantine();
    let list = run(dir.path(), &["list"]).await;
    let table = said(&list);
    assert!(list.status.success(), "{table}");
    let row = table.lines().find(|line| line.starts_with(ID)).unwrap();
    for part in [&"01".repeat(16), "mlflow", "MLflow answers 422"] {
        assert!(row.contains(part), "{part} is missing in {row}");
    }
    let list: serde_json::Value = serde_json::from_slice(&run(dir.path(), &["list", "--json"]).await.stdout).unwrap();
    let list = list.as_array().unwrap();
    assert_eq!(list.len(), 2);
    let id = payload::quarantine_id(&payload::trace(2));
    let payload = list.iter().find(|item| item["id"] == *id).unwrap();
    assert_eq!((&payload["spans"], &payload["experiment_id"]), (&1.into(), &"7".into()));

    let shown = said(&run(dir.path(), &["show", ID]).await);
    assert!(shown.contains("MLflow answers 422") && shown.contains(" chat\n"), "{shown}");
    assert!(!shown.contains("openinference.span.kind"), "{shown}");
    let content = run(dir.path(), &["show", ID, "--content"]).await;
    let content: serde_json::Value = serde_json::from_slice(&content.stdout).unwrap();
    let span = &content["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
    assert_eq!(span["attributes"][0]["key"], "openinference.span.kind");
}

#[tokio::test]
async fn given_a_replay_then_what_mlflow_takes_leaves_the_quarantine_and_the_rest_stays_with_its_reason() {
    let mlflow = Mlflow::start().await;
    mlflow.script(|seen| {
        let refused = seen.path == "/v1/traces" && seen.body.windows(8).any(|bytes| bytes == [1; 8]);
        if refused { say(422, r#"{"detail": "still not"}"#) } else { crate::support::mlflow::Reply::Healthy }
    });
    let uri = format!("--tracking-uri=http://{}", mlflow.address);
    let dir = quarantine();
    let replayed = run(dir.path(), &["replay", "--all", &uri]).await;
    assert_eq!(replayed.status.code(), Some(1), "{}", said(&replayed));
    assert!(said(&replayed).contains("refused again: 1"), "{}", said(&replayed));
    assert_eq!(quarantined(dir.path()), [ID]);
    let kept = Quarantine::below(dir.path()).entries().unwrap();
    assert!(kept[0].record.reason.contains("still not"), "{:?}", kept[0].record);
    let asked = mlflow.seen();
    assert!(asked.iter().any(|seen| seen.path.ends_with("experiments/get?experiment_id=7")), "{asked:#?}");

    mlflow.script(|_| crate::support::mlflow::Reply::Healthy);
    let replayed = run(dir.path(), &["replay", ID, &uri]).await;
    assert!(replayed.status.success(), "{}", said(&replayed));
    assert!(quarantined(dir.path()).is_empty());
    assert_eq!(std::fs::read_dir(dir.path().join("quarantine")).unwrap().count(), 0);
}

#[tokio::test]
async fn given_an_mlflow_that_is_away_then_a_replay_says_so_and_removes_nothing() {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind((std::net::Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let dir = quarantine();
    let uri = format!("--tracking-uri=http://{}", socket.local_addr().unwrap());
    let replayed = run(dir.path(), &["replay", "--all", &uri]).await;
    assert_eq!(replayed.status.code(), Some(1));
    assert!(said(&replayed).contains("does not answer"), "{}", said(&replayed));
    assert_eq!(quarantined(dir.path()).len(), 2);
}

#[tokio::test]
async fn given_a_drop_then_nothing_goes_unasked() {
    let dir = quarantine();
    let unasked = run(dir.path(), &["drop", "--all"]).await;
    assert_eq!(unasked.status.code(), Some(1));
    assert!(said(&unasked).contains("--yes"), "{}", said(&unasked));
    assert_eq!(quarantined(dir.path()).len(), 2);
    let unknown = run(dir.path(), &["drop", "no-such-id", "--yes"]).await;
    assert!(said(&unknown).contains("no-such-id") && said(&unknown).contains("hint:"), "{}", said(&unknown));
    assert!(run(dir.path(), &["drop", ID, "--yes"]).await.status.success());
    assert_eq!(quarantined(dir.path()), [payload::quarantine_id(&payload::trace(2))]);
    assert!(run(dir.path(), &["drop", "--all", "--yes"]).await.status.success());
    assert!(said(&run(dir.path(), &["list"]).await).contains("Nothing is quarantined"));
}

/// The same with a payload that was for a destination of `--forward`.
fn quarantine_of_forwarding(destination: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let folder = Quarantine::below(dir.path());
    folder
        .keep_payload_for(Some(destination), &payload::trace(3), &payload::nowhere_special(), "it answers 400")
        .unwrap();
    dir
}

#[tokio::test]
async fn given_a_payload_that_was_for_another_destination_then_a_replay_sends_it_there_as_it_was_received() {
    let phoenix = Mlflow::start().await;
    let url = format!("http://{}/v1/traces", phoenix.address);
    let dir = quarantine_of_forwarding(&url);
    let unknown = run(dir.path(), &["replay", "--all"]).await;
    assert_eq!(unknown.status.code(), Some(1));
    assert!(said(&unknown).contains("--forward") && said(&unknown).contains(&url), "{}", said(&unknown));

    let forward = format!("--forward=http://{}", phoenix.address);
    phoenix.script(|_| say(400, "still not"));
    let refused = run(dir.path(), &["replay", "--all", &forward]).await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("refused again: 1"), "{}", said(&refused));
    let items = Quarantine::below(dir.path()).entries().unwrap();
    assert!(items[0].record.reason.contains("rejected it: it answers 400"), "{items:?}");
    assert_eq!(items[0].record.destination.as_deref(), Some(url.as_str()));

    phoenix.script(|_| crate::support::mlflow::Reply::Healthy);
    let replayed = run(dir.path(), &["replay", "--all", &forward]).await;
    assert!(replayed.status.success(), "{}", said(&replayed));
    assert!(quarantined(dir.path()).is_empty());
    assert_eq!(phoenix.exports().last().unwrap().body, payload::trace(3));
}

#[tokio::test]
async fn given_another_destination_that_is_away_then_a_replay_says_so_and_removes_nothing() {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind((std::net::Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let address = socket.local_addr().unwrap();
    let dir = quarantine_of_forwarding(&format!("grpc://{address}"));
    let id = payload::quarantine_id(&payload::trace(3));
    let replayed = run(dir.path(), &["replay", &id, &format!("--forward=grpc://{address}")]).await;
    assert_eq!(replayed.status.code(), Some(1));
    assert!(said(&replayed).contains("not delivered: 1"), "{}", said(&replayed));
    assert_eq!(quarantined(dir.path()), [id]);
}
