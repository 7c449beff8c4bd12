//! What operators see of `serve` as a process: whether it is alive and ready, and its metrics.

use std::collections::HashMap;

use crate::support::mlflow::{Mlflow, say};
use crate::support::payload;
use crate::support::program::{Program, get, post};
use crate::support::until;

/// The metrics by name and labels, as Prometheus would read them.
async fn metrics(program: &Program) -> HashMap<String, f64> {
    let (status, text) = get(&program.admin("/metrics").await).await;
    assert_eq!(status, 200, "{text}");
    assert!(text.ends_with("# EOF\n"), "{text}");
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(name, value)| (name.into(), value.parse().unwrap()))
        .collect()
}

fn metric(metrics: &HashMap<String, f64>, name: &str) -> f64 {
    metrics.get(&format!("openinference_mlflow_{name}")).copied().unwrap_or_default()
}

async fn ready(program: &Program, query: &str) -> (u16, serde_json::Value) {
    let (status, body) = get(&program.admin(&format!("/readyz{query}")).await).await;
    (status, serde_json::from_str(&body).unwrap())
}

fn failing(report: &serde_json::Value) -> Vec<&str> {
    let checks = report["checks"].as_array().unwrap();
    checks.iter().filter(|check| check["ok"] == false).map(|check| check["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn given_traces_that_are_delivered_then_the_metrics_say_so_from_end_to_end() {
    let mlflow = Mlflow::start().await;
    let dir = tempfile::tempdir().unwrap();
    let uri = format!("--tracking-uri=http://{}", mlflow.address);
    let program = Program::serve(dir.path(), &[&uri, "--settle=1ms"], &[]);
    let url = program.url().await;
    let payloads = [payload::trace(1), payload::trace(2), payload::trace(1)];
    let bytes: usize = payloads.iter().map(Vec::len).sum();
    for payload in payloads {
        assert_eq!(post(&url, payload).await, 200);
    }
    assert_eq!(post(&url, b"no OTLP".to_vec()).await, 400);
    until("all is delivered", || async {
        let metrics = metrics(&program).await;
        metric(&metrics, "delivered_spans_total") >= 2.0
            && metric(&metrics, "queue_payloads{destination=\"mlflow\"}") == 0.0
    })
    .await;

    let metrics = metrics(&program).await;
    for (name, expected) in [
        ("received_payloads_total{transport=\"http\"}", 4.0),
        ("received_bytes_total{transport=\"http\"}", (bytes + b"no OTLP".len()) as f64),
        ("acknowledged_payloads_total{transport=\"http\"}", 3.0),
        ("acknowledged_spans_total{transport=\"http\"}", 3.0),
        ("refused_payloads_total{transport=\"http\",reason=\"malformed\"}", 1.0),
        ("received_spans_total", 3.0),
        ("delivered_spans_total", 2.0),
        ("duplicate_spans_total", 1.0),
        ("quarantined_spans_total", 0.0),
        ("open_spans", 0.0),
        ("queue_bytes{destination=\"mlflow\"}", 0.0),
        ("queue_oldest_age_seconds{destination=\"mlflow\"}", 0.0),
        ("request_duration_seconds_count{destination=\"mlflow\",status=\"2xx\"}", mlflow.seen().len() as f64),
        ("translator_call_duration_seconds_count{call=\"ingest\"}", 4.0),
    ] {
        assert_eq!(metric(&metrics, name), expected, "{name} in {metrics:#?}");
    }
    assert!(metric(&metrics, "translator_call_duration_seconds_sum{call=\"ingest\"}") > 0.0);
}

#[tokio::test]
async fn given_a_server_that_refuses_and_fails_then_the_metrics_tell_what_was_quarantined_and_what_waits() {
    const POISON: u8 = 66;
    let mlflow = Mlflow::start().await;
    mlflow.script(|seen| {
        let poisonous = seen.body.windows(8).any(|bytes| bytes == [POISON; 8]);
        if seen.path == "/v1/traces" && poisonous {
            say(422, r#"{"detail": "no such span"}"#)
        } else {
            crate::support::mlflow::Reply::Healthy
        }
    });
    let dir = tempfile::tempdir().unwrap();
    let uri = format!("--tracking-uri=http://{}", mlflow.address);
    let program = Program::serve(dir.path(), &[&uri, "--settle=1ms"], &[]);
    let url = program.url().await;
    assert_eq!(post(&url, payload::trace(POISON)).await, 200);
    until("the span is quarantined", || async { metric(&metrics(&program).await, "quarantined_spans_total") == 1.0 })
        .await;

    mlflow.script(|_| say(503, "no"));
    let waits = payload::trace(1);
    let length = waits.len() as f64;
    assert_eq!(post(&url, waits).await, 200);
    until("it has failed", || async {
        metric(&metrics(&program).await, "request_duration_seconds_count{destination=\"mlflow\",status=\"5xx\"}") >= 1.0
    })
    .await;
    let metrics = metrics(&program).await;
    assert_eq!(metric(&metrics, "queue_bytes{destination=\"mlflow\"}"), length);
    assert_eq!(metric(&metrics, "open_spans"), 1.0);
    assert!(metric(&metrics, "queue_oldest_age_seconds{destination=\"mlflow\"}") > 0.0);
}

#[tokio::test]
async fn given_mlflow_then_readiness_follows_it_and_says_what_is_wrong() {
    let mlflow = Mlflow::start().await;
    let dir = tempfile::tempdir().unwrap();
    let uri = format!("--tracking-uri=http://{}", mlflow.address);
    let program = Program::serve(dir.path(), &[&uri], &[("MLFLOW_TRACKING_TOKEN", "s3cret-token")]);
    assert_eq!(get(&program.admin("/healthz").await).await, (200, "ok\n".to_owned()));
    let (status, report) = ready(&program, "").await;
    assert_eq!((status, &report["ready"]), (200, &true.into()), "{report}");

    mlflow.script(|_| say(401, "who are you?"));
    assert_eq!(post(&program.url().await, payload::trace(1)).await, 200);
    until("it is not ready", || async { ready(&program, "").await.0 == 503 }).await;
    let (_, report) = ready(&program, "").await;
    assert_eq!(failing(&report), ["mlflow"]);
    assert!(report.to_string().contains("credentials") && !report.to_string().contains("s3cret"), "{report}");
    assert_eq!(ready(&program, "?exclude=mlflow").await.0, 200);
    assert_eq!(get(&program.admin("/healthz").await).await.0, 200);

    mlflow.script(|_| crate::support::mlflow::Reply::Healthy);
    until("it is ready again", || async { ready(&program, "").await.0 == 200 }).await;
}

#[tokio::test]
async fn given_an_idle_host_whose_mlflow_is_away_or_something_else_then_it_is_not_ready() {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind((std::net::Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let uri = format!("--tracking-uri=http://{}", socket.local_addr().unwrap());
    let program = Program::serve(dir.path(), &[&uri], &[]);
    let (status, report) = ready(&program, "").await;
    assert_eq!((status, failing(&report)), (503, vec!["mlflow"]), "{report}");
    assert!(report.to_string().contains("does not answer"), "{report}");

    let other = Mlflow::start().await;
    other.script(|_| say(404, "what do you want?"));
    let dir = tempfile::tempdir().unwrap();
    let program = Program::serve(dir.path(), &[&format!("--tracking-uri=http://{}", other.address)], &[]);
    let (status, report) = ready(&program, "").await;
    assert_eq!((status, failing(&report)), (503, vec!["mlflow"]), "{report}");
}

#[tokio::test]
async fn given_a_data_directory_that_takes_no_file_then_it_is_not_ready() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let program = Program::serve(&data, &[], &[]);
    assert_eq!(ready(&program, "").await.0, 200);
    // A file in its place is an error even for root.
    std::fs::rename(&data, dir.path().join("elsewhere")).unwrap();
    std::fs::write(&data, "").unwrap();
    until("it is not ready", || async { ready(&program, "").await.0 == 503 }).await;
    let (_, report) = ready(&program, "").await;
    assert_eq!(failing(&report), ["data_dir"], "{report}");
}

#[tokio::test]
async fn given_a_signal_to_stop_then_it_is_not_ready_and_its_metrics_can_be_read_until_the_end() {
    let mlflow = Mlflow::start().await;
    mlflow.script(|_| crate::support::mlflow::Reply::Hang);
    let dir = tempfile::tempdir().unwrap();
    let uri = format!("--tracking-uri=http://{}", mlflow.address);
    let program = Program::serve(dir.path(), &[&uri, "--shutdown-timeout=1h"], &[]);
    assert_eq!(post(&program.url().await, payload::trace(1)).await, 200);
    program.terminate();
    until("it is stopping", || async { ready(&program, "?exclude=mlflow").await.0 == 503 }).await;
    assert_eq!(failing(&ready(&program, "?exclude=mlflow").await.1), ["serving"]);
    assert_eq!(metric(&metrics(&program).await, "open_spans"), 1.0);
}

#[tokio::test]
async fn given_no_address_for_operators_then_it_serves_without() {
    let dir = tempfile::tempdir().unwrap();
    let program = Program::serve(dir.path(), &["--admin-listen=off"], &[]);
    assert_eq!(post(&program.url().await, payload::trace(1)).await, 200);
    until("it says so", || async { program.said().contains("metrics    at nowhere") }).await;
}

#[tokio::test]
async fn given_a_destination_that_is_dead_then_it_is_seen_and_the_host_stays_ready() {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind((std::net::Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let phoenix = Mlflow::at(socket.local_addr().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let forward = format!("--forward=http://me:s3cret@{}", phoenix.address);
    let program = Program::serve(dir.path(), &[&forward], &[]);
    let name = format!("http://{}/v1/traces", phoenix.address);
    let trace = payload::trace(1);
    let length = trace.len() as f64;
    assert_eq!(post(&program.url().await, trace).await, 200);
    until("it is seen", || async { failing(&ready(&program, "").await.1) == ["forward"] }).await;
    let (status, report) = ready(&program, "").await;
    assert_eq!((status, &report["ready"]), (200, &true.into()), "{report}");
    let check = report["checks"].as_array().unwrap().iter().find(|check| check["ok"] == false).unwrap().clone();
    assert_eq!((&check["destination"], &check["required"]), (&name.clone().into(), &false.into()), "{check}");
    assert!(check["reason"].as_str().unwrap().contains("does not accept payloads"), "{check}");
    assert!(failing(&ready(&program, "?exclude=forward").await.1).is_empty());
    let of = |name: &str, more: &str| format!("{name}{{destination=\"http://{}/v1/traces\"{more}}}", phoenix.address);
    let seen = metrics(&program).await;
    assert_eq!(metric(&seen, &of("queue_payloads", "")), 1.0, "{seen:#?}");
    assert_eq!(metric(&seen, &of("queue_bytes", "")), length);
    assert!(metric(&seen, &of("queue_oldest_age_seconds", "")) > 0.0);
    assert!(metric(&seen, &of("request_duration_seconds_count", ",status=\"none\"")) >= 1.0);
    assert!(metric(&seen, "journal_bytes") >= length);

    phoenix.serve(socket.listen(64).unwrap());
    until("it takes payloads", || async { failing(&ready(&program, "").await.1).is_empty() }).await;
    let seen = metrics(&program).await;
    assert_eq!(metric(&seen, &of("queue_payloads", "")), 0.0);
    assert_eq!(metric(&seen, &of("queue_oldest_age_seconds", "")), 0.0);
    assert_eq!(metric(&seen, &of("forwarded_payloads_total", ",outcome=\"delivered\"")), 1.0);
    assert_eq!(metric(&seen, &of("request_duration_seconds_count", ",status=\"2xx\"")), 1.0);
    assert!(metric(&seen, &of("last_success_timestamp_seconds", "")) > 1e9);
    assert!(!format!("{seen:?} {check} {}", program.said()).contains("s3cret"));
}

#[tokio::test]
async fn given_a_quarantine_without_room_then_it_is_seen_until_somebody_makes_some() {
    let mlflow = Mlflow::start().await;
    mlflow.script(|seen| match seen.path == "/v1/traces" {
        true => say(422, r#"{"detail": "no such span"}"#),
        false => crate::support::mlflow::Reply::Healthy,
    });
    let dir = tempfile::tempdir().unwrap();
    let uri = format!("--tracking-uri=http://{}", mlflow.address);
    let trace = payload::trace(1);
    let limit = format!("--quarantine-max-bytes={}B", trace.len());
    let program = Program::serve(dir.path(), &[&uri, "--settle=1ms", &limit], &[]);
    for number in 1..=3 {
        assert_eq!(post(&program.url().await, payload::trace(number)).await, 200);
    }
    let pending_quarantine = || async { metric(&metrics(&program).await, "pending_quarantine_payloads") };
    until("two have no room", || async { pending_quarantine().await == 2.0 }).await;
    assert_eq!(metric(&metrics(&program).await, "quarantine_entries_total"), 1.0);
    let (status, report) = ready(&program, "").await;
    assert_eq!((status, failing(&report)), (200, vec!["quarantine"]), "{report}");
    assert!(report.to_string().contains("quarantine drop"), "{report}");
    assert_eq!(program.said().matches("the quarantine cannot store a payload").count(), 1, "{}", program.said());
    for left in [1.0, 0.0] {
        let drop = crate::support::program::command(dir.path(), &["quarantine", "drop", "--all", "--yes"]).output();
        assert!(drop.unwrap().status.success());
        until("the next has room", || async { pending_quarantine().await == left }).await;
    }
    assert!(failing(&ready(&program, "").await.1).is_empty());
    let metrics = metrics(&program).await;
    assert_eq!(metric(&metrics, "queue_payloads{destination=\"mlflow\"}"), 0.0);
    assert_eq!(metric(&metrics, "quarantine_entries_total"), 3.0);
}
