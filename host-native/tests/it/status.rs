//! `status` as a process, beside a host that is well, one that is not, and none.

use std::path::Path;
use std::process::Output;

use crate::support::mlflow::{Mlflow, say};
use crate::support::payload;
use crate::support::program::{Program, command, post};
use crate::support::until;

async fn status(data_dir: &Path, arguments: &[&str]) -> Output {
    let mut command = command(data_dir, &[&["status"], arguments].concat());
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn given_a_host_then_status_shows_what_it_does_and_its_exit_code_whether_it_is_ready() {
    let mlflow = Mlflow::start().await;
    let dir = tempfile::tempdir().unwrap();
    let uri = format!("--tracking-uri=http://{}", mlflow.address);
    let program = Program::serve(dir.path(), &[&uri, "--settle=1ms"], &[]);
    assert_eq!(post(&program.url().await, payload::trace(1)).await, 200);
    let url = format!("--url={}", program.admin("").await);
    until("it is delivered", || async {
        let json: serde_json::Value =
            serde_json::from_slice(&status(dir.path(), &[&url, "--json"]).await.stdout).unwrap();
        let metrics = json["metrics"].as_array().unwrap();
        json["ready"] == true
            && metrics.iter().any(|metric| metric["name"] == "delivered_spans_total" && metric["value"] == 1.0)
    })
    .await;
    let shown = status(dir.path(), &[&url, "--once"]).await;
    let frame = text(&shown.stdout);
    assert!(shown.status.success(), "{frame}");
    for part in ["  ready\n", "1 received", "1 acknowledged", "1 delivered", "to mlflow", "2xx", "0 traps"] {
        assert!(frame.contains(part), "{part:?} is missing in\n{frame}");
    }

    mlflow.script(|_| say(401, "who are you?"));
    assert_eq!(post(&program.url().await, payload::trace(2)).await, 200);
    until("it is not ready", || async { status(dir.path(), &[&url, "--once"]).await.status.code() == Some(1) }).await;
    let shown = text(&status(dir.path(), &[&url, "--once"]).await.stdout);
    assert!(shown.contains("NOT READY: mlflow: it answers 401"), "{shown}");
}

#[tokio::test]
async fn given_no_terminal_then_each_moment_is_a_line_until_the_host_and_its_watcher_end() {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;
    let dir = tempfile::tempdir().unwrap();
    let program = Program::serve(dir.path(), &[], &[]);
    let url = format!("--url={}", program.admin("").await);
    let mut command = command(dir.path(), &["status", &url, "--interval=100ms"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let stdout = child.stdout.take().unwrap();
    let lines = tokio::task::spawn_blocking(|| BufReader::new(stdout).lines().take(2).collect::<Result<Vec<_>, _>>());
    let lines = lines.await.unwrap().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    for line in lines {
        assert!(line.contains(" ready; 0 requests") && line.contains("waiting for folder"), "{line}");
    }
}

#[tokio::test]
async fn given_nobody_or_somebody_else_then_status_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind((std::net::Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let nobody = status(dir.path(), &[&format!("--url=http://{}", socket.local_addr().unwrap())]).await;
    assert_eq!(nobody.status.code(), Some(1));
    assert!(text(&nobody.stderr).contains("nobody answers"), "{}", text(&nobody.stderr));
    let mlflow = Mlflow::start().await;
    let other = status(dir.path(), &[&format!("--url=http://{}", mlflow.address), "--once"]).await;
    assert_eq!(other.status.code(), Some(1));
    assert!(text(&other.stderr).contains("--admin-listen"), "{}", text(&other.stderr));
}
