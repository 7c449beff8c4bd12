//! TLS on both receivers: which clients are accepted, and what happens when files are wrong or change.

use std::time::Duration;

use http::{StatusCode, Version};
use openinference_mlflow::settings::{Access, Limits, TlsFiles};
use reqwest::{Client, Response};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::certificates::{Authority, Certified, write_in};
use crate::support::receivers::{self, LIMIT, Running};
use crate::support::until;

/// Receivers with a certificate of an authority.
struct Secured {
    authority: Authority,
    running: Running,
    dir: TempDir,
}

async fn start(clients_authority: Option<&Authority>) -> Secured {
    let (dir, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let mut files = authority.certify().write(dir.path());
    files.client_ca = clients_authority.map(|authority| write_in(dir.path(), "clients.pem", &authority.pem));
    let running = receivers::guarded(over_tls(files)).await;
    Secured { authority, running, dir }
}

fn over_tls(files: TlsFiles) -> Access {
    Access { tls: Some(files), auth_file: None }
}

async fn http(running: &Running, client: &Client) -> reqwest::Result<Response> {
    let url = format!("https://{}/v1/traces", running.receivers.http_address());
    client.post(url).header("content-type", "application/x-protobuf").body("by HTTP").send().await
}

async fn grpc(running: &Running, client: &Client) -> reqwest::Result<Response> {
    let method = "opentelemetry.proto.collector.trace.v1.TraceService/Export";
    let url = format!("https://{}/{method}", running.receivers.grpc_address());
    let frame = [&[0, 0, 0, 0, 7][..], b"by gRPC"].concat();
    client.post(url).header("content-type", "application/grpc").header("te", "trailers").body(frame).send().await
}

#[tokio::test]
async fn given_a_certificate_then_both_receivers_speak_tls_and_http_2_as_the_client_likes() {
    let secured = start(None).await;
    let client = secured.authority.client(None);
    let answer = http(&secured.running, &client).await.unwrap();
    assert_eq!((answer.status(), answer.version()), (StatusCode::OK, Version::HTTP_2));
    let answer = grpc(&secured.running, &client).await.unwrap();
    assert!(answer.headers().get("grpc-status").is_none(), "{answer:?}");
    let texts = || async { secured.running.inbox.texts() == ["by HTTP", "by gRPC"] };
    until("both are delivered", texts).await;
    let stranger = Authority::new().client(None);
    assert!(http(&secured.running, &stranger).await.is_err(), "who does not trust the certificate hangs up");
}

#[tokio::test]
async fn given_an_authority_for_clients_then_only_those_it_vouches_for_are_let_in() {
    let clients = Authority::new();
    let secured = start(Some(&clients)).await;
    let known = secured.authority.client(Some(&clients.certify()));
    assert_eq!(http(&secured.running, &known).await.unwrap().status(), StatusCode::OK);
    assert!(grpc(&secured.running, &known).await.unwrap().headers().get("grpc-status").is_none());
    let expired = clients.certify_until(2001);
    let of_another = Authority::new().certify();
    for (who, identity) in [("nobody", None), ("another's", Some(&of_another)), ("expired", Some(&expired))] {
        let client = secured.authority.client(identity);
        assert!(http(&secured.running, &client).await.is_err(), "{who}");
        assert!(grpc(&secured.running, &client).await.is_err(), "{who}");
    }
    until("those that were let in are delivered", || async { secured.running.inbox.texts().len() == 2 }).await;
}

#[tokio::test]
async fn given_a_client_that_speaks_plain_http_then_it_is_told_what_is_wrong() {
    let secured = start(None).await;
    for address in [secured.running.receivers.http_address(), secured.running.receivers.grpc_address()] {
        for hello in ["GET / HTTP/1.1\r\nhost: x\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(hello.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("https://"), "{answer}");
        }
    }
    assert!(http(&secured.running, &secured.authority.client(None)).await.is_ok());
}

#[tokio::test]
async fn given_a_client_that_speaks_tls_to_a_plain_port_then_it_fails_and_others_are_served() {
    let (running, _) = receivers::fake().await;
    let client = Authority::new().client(None);
    assert!(http(&running, &client).await.is_err());
    assert!(grpc(&running, &client).await.is_err());
    let plain = client.post(running.http("/v1/traces")).header("content-type", "application/x-protobuf").send().await;
    assert!(plain.unwrap().status().is_success());
}

#[tokio::test]
async fn given_a_handshake_that_never_ends_then_the_connection_is_closed() {
    let (dir, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let access = over_tls(authority.certify().write(dir.path()));
    let limits = Limits { handshake_timeout: Duration::from_millis(100), ..Limits::for_bodies(LIMIT) };
    let running = receivers::held_to(limits, access).await;
    for beginning in [&b""[..], &[22, 3, 1, 2, 0, 1]] {
        let mut stream = TcpStream::connect(running.receivers.http_address()).await.unwrap();
        stream.write_all(beginning).await.unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
    }
    assert!(http(&running, &authority.client(None)).await.is_ok());
}

#[tokio::test]
async fn given_a_certificate_that_is_replaced_then_new_connections_get_it_and_those_that_stand_go_on() {
    let secured = start(None).await;
    let standing = secured.authority.client(None);
    assert!(http(&secured.running, &standing).await.is_ok());
    let successor = Authority::new();
    // Half of the change: a key that does not fit is not taken.
    write_in(secured.dir.path(), "server.key", &successor.certify().key);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(http(&secured.running, &secured.authority.client(None)).await.is_ok());

    successor.certify().write(secured.dir.path());
    until("new connections get the new certificate", || async {
        http(&secured.running, &successor.client(None)).await.is_ok()
    })
    .await;
    assert!(http(&secured.running, &secured.authority.client(None)).await.is_err(), "the old one is gone");
    assert!(http(&secured.running, &standing).await.is_ok(), "an open connection goes on");
}

#[tokio::test]
async fn given_files_that_are_wrong_then_the_error_says_which_and_what_would_be_right() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let Certified { certificate, key } = authority.certify();
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let file = |name: &str, text: &str| write_in(dir.path(), name, text);
    let (cert, key) = (file("cert.pem", &certificate), file("key.pem", &key));
    let (other_key, encrypted) = (file("other.key", &authority.certify().key), file("encrypted.key", encrypted));
    let (text, broken) = (file("text", "no PEM"), file("broken", "-----BEGIN CERTIFICATE-----\nAAA"));
    let nowhere = dir.path().join("nowhere.pem");
    let none = None;
    for (cert, key, client_ca, said) in [
        (&nowhere, &key, &none, "--tls-cert"),
        (&cert, &nowhere, &none, "--tls-key"),
        (&text, &key, &none, "BEGIN CERTIFICATE"),
        (&key, &key, &none, "BEGIN CERTIFICATE"),
        (&broken, &key, &none, "not valid PEM"),
        (&cert, &cert, &none, "BEGIN PRIVATE KEY"),
        (&cert, &encrypted, &none, "openssl pkey"),
        (&cert, &other_key, &none, "does not match the certificate"),
        (&cert, &key, &Some(text.clone()), "--tls-client-ca"),
        (&cert, &key, &Some(nowhere.clone()), "--tls-client-ca"),
    ] {
        let files = TlsFiles { cert: cert.clone(), key: key.clone(), client_ca: client_ca.clone() };
        let error = receivers::refused(over_tls(files)).await;
        let text = error.to_string();
        assert!(text.contains(said) && text.contains(dir.path().to_str().unwrap()), "{text}");
        let key = std::fs::read_to_string(key).unwrap_or_default();
        assert!(key.lines().filter(|line| line.len() > 30).all(|line| !text.contains(line)), "{text}");
    }
}
