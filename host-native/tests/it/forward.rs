//! What was received reaches other endpoints as well: unchanged, over both protocols, each at its own pace.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use openinference_mlflow::forwarder::Forwarding;
use openinference_mlflow::journal::{Consumer, Journal, JournalLimits};
use openinference_mlflow::payload::{Encoding, PayloadContext};
use openinference_mlflow::quarantine::{Quarantine, retry};
use openinference_mlflow::settings::ForwardEndpoint;
use openinference_mlflow::settings::{Access, Tls, Trust};
use openinference_mlflow::telemetry::Metrics;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::certificates::{Authority, write_in};
use crate::support::fake_bridge::MALFORMED;
use crate::support::mlflow::{Mlflow, Reply, say};
use crate::support::receivers::{self, TRANSLATOR};
use crate::support::{payload, until};

/// What the quarantine may hold, in bytes.
const QUARANTINE: u64 = 1 << 16;

struct Host {
    journal: Journal,
    consumers: Vec<Consumer>,
    forwarding: Forwarding,
}

fn start(dir: &TempDir, destinations: &[&str], headers: &str) -> Host {
    start_trusting(dir, destinations, headers, &Trust::default())
}

fn start_trusting(dir: &TempDir, destinations: &[&str], headers: &str, trust: &Trust) -> Host {
    let mut endpoints = ForwardEndpoint::parse_all(destinations.iter().copied(), headers).unwrap();
    endpoints.iter_mut().for_each(|endpoint| endpoint.trust = trust.clone());
    let names: Vec<_> = endpoints.iter().map(ToString::to_string).collect();
    let limits = JournalLimits { max_bytes: 1 << 24, max_age: Duration::from_secs(3600) };
    let (journal, consumers) = Journal::open(&dir.path().join("journal"), limits, &names).unwrap();
    let quarantine = Quarantine::below(dir.path()).limited(Some(QUARANTINE));
    retry::watch(journal.clone(), quarantine.clone());
    let destinations = endpoints.into_iter().zip(consumers.iter().copied());
    let forwarding = Forwarding::start(&journal, destinations, &quarantine, &TRANSLATOR, &Metrics::default()).unwrap();
    Host { journal, consumers, forwarding }
}

impl Host {
    async fn receive(&self, payload: impl Into<Bytes>, encoding: Encoding) {
        let none = None;
        let context = PayloadContext {
            encoding,
            experiment_id: none.clone(),
            experiment_name: Some("agents".to_owned()),
            run_id: none.clone(),
            workspace: none,
        };
        let (answer, answered) = tokio::sync::oneshot::channel();
        self.journal.append(payload.into(), context, |appended| answer.send(appended).unwrap()).await;
        answered.await.unwrap().unwrap();
    }

    /// Waits until this destination is owed nothing.
    async fn forwarded(&self, destination: usize) {
        until("everything is forwarded", || async { self.journal.pending_count(self.consumers[destination]) == 0 })
            .await;
    }

    async fn stop(self) {
        self.forwarding.drain(tokio::time::Instant::now()).await;
        self.journal.close().await;
    }
}

fn reasons(dir: &TempDir) -> Vec<Value> {
    let Ok(entries) = std::fs::read_dir(dir.path().join("quarantine")) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    let reasons = paths.filter(|path| path.to_string_lossy().ends_with(".reason.json"));
    reasons.map(|path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()).collect()
}

#[tokio::test]
async fn given_destinations_of_both_protocols_then_each_gets_the_bytes_that_were_received() {
    let dir = tempfile::tempdir().unwrap();
    let (http, _) = receivers::fake().await;
    let (grpc, _) = receivers::fake().await;
    let host = start(&dir, &[http.http("").as_str(), &grpc.grpc().replace("http", "grpc")], "");
    let mut texts: Vec<_> = (0..100).map(|number| format!("payload {number}")).collect();
    for text in &texts {
        host.receive(text.clone(), Encoding::Protobuf).await;
    }
    for (destination, running) in [(0, &http), (1, &grpc)] {
        host.forwarded(destination).await;
        texts.sort();
        until("all have arrived", || async { running.inbox.texts() == texts }).await;
    }
}

#[tokio::test]
async fn given_json_then_http_gets_it_as_it_is_and_grpc_as_protobuf() {
    let dir = tempfile::tempdir().unwrap();
    let phoenix = Mlflow::start().await;
    let (grpc, _) = receivers::fake().await;
    let host = start(&dir, &[&format!("http://{}", phoenix.address), &grpc.grpc().replace("http", "grpc")], "");
    let protobuf = payload::trace(1);
    let json = TRANSLATOR.transcode(&protobuf, Encoding::Protobuf, Encoding::Json).unwrap().unwrap();
    host.receive(json.clone(), Encoding::Json).await;
    host.forwarded(0).await;
    host.forwarded(1).await;
    let export = &phoenix.exports()[0];
    assert_eq!((export.headers["content-type"].as_bytes(), &export.body[..]), (&b"application/json"[..], &json[..]));
    until("it has arrived", || async { *grpc.inbox.0.lock().unwrap() == [protobuf.clone()] }).await;
}

#[tokio::test]
async fn given_a_payload_that_is_refused_for_good_then_it_is_quarantined_with_the_reason_and_the_others_go_on() {
    for is_grpc in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let (running, _) = receivers::fake().await;
        let url = if is_grpc { running.grpc().replace("http", "grpc") } else { running.http("").to_string() };
        let host = start(&dir, &[&url], "");
        for text in ["before", MALFORMED, "after"] {
            host.receive(text, Encoding::Protobuf).await;
        }
        host.forwarded(0).await;
        until("the others have arrived", || async { running.inbox.texts() == ["after", "before"] }).await;
        let reasons = reasons(&dir);
        assert_eq!(reasons.len(), 1);
        let reason = reasons[0]["reason"].as_str().unwrap();
        assert!(reason.contains("rejected it") && reason.contains("127.0.0.1"), "{reason}");
        assert_eq!(reasons[0]["experiment_name"], "agents");
        assert!(reasons[0]["destination"].as_str().is_some_and(|name| name.contains("127.0.0.1")), "{reasons:?}");
    }
}

#[tokio::test]
async fn given_a_destination_that_is_dead_then_the_other_goes_on_and_it_gets_everything_when_it_lives() {
    let dir = tempfile::tempdir().unwrap();
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind((std::net::Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let dead = Mlflow::at(socket.local_addr().unwrap());
    let alive = Mlflow::start().await;
    let urls = [format!("http://{}", dead.address), format!("http://{}", alive.address)];
    let urls: Vec<_> = urls.iter().map(String::as_str).collect();
    let host = start(&dir, &urls, "");
    for number in 1..=20 {
        host.receive(payload::trace(number), Encoding::Protobuf).await;
    }
    host.forwarded(1).await;
    assert_eq!(host.journal.pending_count(host.consumers[0]), 20);
    // Through the end of the program as well.
    host.stop().await;
    let host = start(&dir, &urls, "");
    dead.serve(socket.listen(64).unwrap());
    host.forwarded(0).await;
    assert_eq!((dead.exports().len(), alive.exports().len()), (20, 20));
    assert!(reasons(&dir).is_empty());
}

#[tokio::test]
async fn given_a_destination_in_a_bad_mood_then_payloads_wait_and_none_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let phoenix = Mlflow::start().await;
    let asked = AtomicUsize::new(0);
    phoenix.script(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => {
            let busy = http::Response::builder().status(429).header("retry-after", "0");
            Reply::Say(busy.body(axum::body::Body::empty()).unwrap())
        }
        1 => say(401, "who are you?"),
        2 => say(503, ""),
        _ => Reply::Healthy,
    });
    let host = start(&dir, &[&format!("http://{}", phoenix.address)], "");
    host.receive(payload::trace(1), Encoding::Protobuf).await;
    host.forwarded(0).await;
    assert_eq!(phoenix.exports().len(), 4);
    assert!(reasons(&dir).is_empty());
}

#[tokio::test]
async fn given_a_payload_that_always_fails_while_others_do_not_then_it_is_quarantined_in_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let phoenix = Mlflow::start().await;
    let taken = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&taken);
    phoenix.script(move |seen| {
        if seen.body.windows(8).any(|bytes| bytes == [66; 8]) {
            return say(500, "");
        }
        counted.fetch_add(1, Ordering::SeqCst);
        Reply::Healthy
    });
    let host = start(&dir, &[&format!("http://{}", phoenix.address)], "");
    host.receive(payload::trace(66), Encoding::Protobuf).await;
    for number in 1..=12 {
        host.receive(payload::trace(number), Encoding::Protobuf).await;
        until("it is taken", || async { taken.load(Ordering::SeqCst) >= usize::from(number) }).await;
    }
    host.forwarded(0).await;
    let reasons = reasons(&dir);
    assert_eq!(reasons.len(), 1);
    assert!(reasons[0]["reason"].as_str().unwrap().contains("while it accepted other"), "{reasons:?}");
}

#[tokio::test]
async fn given_headers_then_they_reach_their_destination_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (Mlflow::start().await, Mlflow::start().await);
    let urls = [format!("http://{}", one.address), format!("http://{}", other.address)];
    let headers = format!("{} authorization=Bearer%20right", urls[0]);
    let host = start(&dir, &[&urls[0], &urls[1]], &headers);
    host.receive(payload::trace(1), Encoding::Protobuf).await;
    host.forwarded(0).await;
    host.forwarded(1).await;
    assert_eq!(one.exports()[0].headers["authorization"], "Bearer right");
    assert!(!other.exports()[0].headers.contains_key("authorization"));
}

#[tokio::test]
async fn given_a_quarantine_without_room_then_what_a_destination_refuses_stays_in_the_journal_until_there_is() {
    let dir = tempfile::tempdir().unwrap();
    let folder = Quarantine::below(dir.path());
    folder.keep_payload(&[0; QUARANTINE as usize], &payload::nowhere_special(), "it fills the quarantine").unwrap();
    let (running, _) = receivers::fake().await;
    let host = start(&dir, &[running.http("").as_str()], "");
    for text in [MALFORMED, "good"] {
        host.receive(text, Encoding::Protobuf).await;
    }
    until("the other has arrived", || async { running.inbox.texts() == ["good"] }).await;
    until("it is pending quarantine", || async { host.journal.pending_quarantine() == 1 }).await;
    assert_eq!(host.journal.pending_count(host.consumers[0]), 1);
    folder.entries().unwrap()[0].remove().unwrap();
    host.forwarded(0).await;
    let items = folder.entries().unwrap();
    assert_eq!(std::fs::read(&items[0].path).unwrap(), MALFORMED.as_bytes());
    assert!(items[0].record.destination.as_deref().is_some_and(|name| name.contains("127.0.0.1")), "{items:?}");
}

#[tokio::test]
async fn given_destinations_that_ask_for_a_certificate_then_they_get_it_and_are_trusted_by_their_authority_alone() {
    let (servers, clients) = (Authority::new(), Authority::new());
    let files = tempfile::tempdir().unwrap();
    let mut tls = servers.certify().write(files.path());
    tls.client_ca = Some(write_in(files.path(), "clients.pem", &clients.pem));
    let running = receivers::guarded(Access { tls: Some(tls), auth_file: None }).await;
    let (http, grpc) = (running.receivers.http_address(), running.receivers.grpc_address());
    let urls = [format!("https://{http}"), format!("grpcs://{grpc}")];
    let urls: Vec<_> = urls.iter().map(String::as_str).collect();
    let own = clients.certify();
    let trust = Trust {
        verify: Tls::Authorities(write_in(files.path(), "servers.pem", &servers.pem)),
        identity: Some(write_in(files.path(), "own.pem", &(own.certificate + &own.key))),
    };
    let dir = tempfile::tempdir().unwrap();
    let host = start_trusting(&dir, &urls, "", &trust);
    host.receive("a payload", Encoding::Protobuf).await;
    host.forwarded(0).await;
    host.forwarded(1).await;
    until("both have arrived", || async { running.inbox.texts() == ["a payload", "a payload"] }).await;

    // A sender without a certificate, or with another authority's, is rejected and keeps its payload.
    let stranger = write_in(files.path(), "stranger.pem", &Authority::new().pem);
    let nobody = [Trust { identity: None, ..trust.clone() }, Trust { verify: Tls::Authorities(stranger), ..trust }];
    for trust in nobody {
        let dir = tempfile::tempdir().unwrap();
        let host = start_trusting(&dir, &urls, "", &trust);
        host.receive("another", Encoding::Protobuf).await;
        until("both are in trouble", || async { host.forwarding.states().iter().all(|s| s.trouble().is_some()) }).await;
        assert_eq!(host.journal.pending_count(host.consumers[0]), 1);
    }
    assert_eq!(running.inbox.texts().len(), 2);
}

#[test]
fn given_files_that_are_no_certificates_then_the_error_names_the_file_and_shows_nothing_of_it() {
    let files = tempfile::tempdir().unwrap();
    let path = write_in(files.path(), "s.pem", "s3cret");
    for (trust, expected) in [
        (Trust { verify: Tls::Authorities(path.clone()), identity: None }, "no certificate"),
        (Trust { verify: Tls::System, identity: Some(path.clone()) }, "private key"),
        (Trust { verify: Tls::System, identity: Some("/nowhere.pem".into()) }, "failed to read"),
    ] {
        let mut endpoint = ForwardEndpoint::parse_all(["https://127.0.0.1:1"], "").unwrap().remove(0);
        endpoint.trust = trust;
        let said = openinference_mlflow::forwarder::Client::new(&endpoint, TRANSLATOR.clone()).unwrap_err().to_string();
        assert!(said.contains(expected) && said.contains(".pem") && !said.contains("s3cret"), "{said}");
    }
}
