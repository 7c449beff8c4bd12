//! Who may send to the program: what it asks, what it answers, and where it refuses to listen.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::StatusCode;
use reqwest::{Client, Response};
use tonic::metadata::AsciiMetadataValue;
use tonic::{Code, Request, Status};

use crate::support::certificates::Authority;
use crate::support::grpc_client::{EXPORT, call};
use crate::support::program::{Program, command};
use crate::support::{payload, until};

/// Adds an entry to the auth file; returns the secret.
fn add(dir: &Path, arguments: &[&str]) -> String {
    let mut command = command(dir, &[&["auth", "add"], arguments].concat());
    let output = command.arg("--auth-file").arg(dir.join("senders")).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let secret = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    assert!(output.status.success() && said.contains("OTEL_EXPORTER_OTLP_HEADERS"), "{said}");
    assert!(!said.contains(&secret), "the secret is on standard output alone");
    secret
}

/// `serve` for those in the auth file.
fn serve(dir: &Path) -> Program {
    let file = format!("--auth-file={}", dir.join("senders").display());
    Program::serve(dir, &[&file], &[("RUST_LOG", "trace,cranelift=info,regalloc2=info,wasmtime=info")])
}

async fn http(program: &Program, authorization: Option<&str>) -> Response {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().tls_certs_only([]).build().unwrap();
    let mut request = client.post(program.url().await).header("content-type", "application/x-protobuf");
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    request.body(payload::trace(1)).send().await.unwrap()
}

async fn grpc(program: &Program, authorization: Option<&str>) -> Result<Bytes, Status> {
    let mut request = Request::new(Bytes::from(payload::trace(2)));
    if let Some(authorization) = authorization {
        let value: AsciiMetadataValue = authorization.parse().unwrap();
        request.metadata_mut().insert("authorization", value);
    }
    call(&format!("http://{}", program.grpc_address().await), EXPORT, request, None).await
}

#[tokio::test]
async fn given_an_auth_file_then_who_is_in_it_is_served_others_are_asked_for_credentials_and_no_log_shows_any() {
    let dir = tempfile::tempdir().unwrap();
    let token = add(dir.path(), &["team-a"]);
    let password = add(dir.path(), &["ada", "--password"]);
    let program = serve(dir.path());
    let basic = format!("Basic {}", STANDARD.encode(format!("ada:{password}")));
    for authorization in [format!("Bearer {token}"), basic.clone()] {
        assert_eq!(http(&program, Some(&authorization)).await.status(), StatusCode::OK);
        assert!(grpc(&program, Some(&authorization)).await.is_ok());
    }
    let wrong = format!("Basic {}", STANDARD.encode("ada:s3cret-guess"));
    for authorization in [None, Some("Bearer s3cret-guess"), Some(&wrong), Some("Bearer"), Some("Digest s3cret-guess")]
    {
        let answer = http(&program, authorization).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{authorization:?}");
        let challenge = answer.headers()["www-authenticate"].to_str().unwrap();
        assert!(challenge.contains("Bearer realm=") && challenge.contains("Basic realm="), "{challenge}");
        let status = grpc(&program, authorization).await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated, "{authorization:?}");
        assert!(status.message().contains("authorization: Bearer"), "{status}");
    }
    program.terminate();
    let (_, said) = tokio::task::spawn_blocking(|| program.end()).await.unwrap();
    assert!(said.contains("TRACE"), "the log must be talkative");
    for secret in [&token, &password, basic.trim_start_matches("Basic "), "s3cret-guess"] {
        assert!(!said.contains(secret), "a secret is in the log");
    }
}

#[test]
fn given_an_address_beyond_loopback_then_it_refuses_unless_somebody_is_asked_or_told_so_in_words() {
    let dir = tempfile::tempdir().unwrap();
    for (flag, other) in [("--grpc-listen", "--http-listen"), ("--http-listen", "--grpc-listen")] {
        let arguments = ["serve", &format!("{flag}=0.0.0.0:0"), &format!("{other}=127.0.0.1:0")];
        let output = command(dir.path(), &arguments).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        for part in [flag, "0.0.0.0:0", "hint:", "--auth-file", "--tls-client-ca", "--allow-unauthenticated"] {
            assert!(said.contains(part), "{part} is missing in {said}");
        }
    }
}

#[tokio::test]
async fn given_a_certificate_that_has_expired_then_it_serves_and_warns() {
    let dir = tempfile::tempdir().unwrap();
    let files = Authority::new().certify_until(2001).write(dir.path());
    let (cert, key) = (format!("--tls-cert={}", files.cert.display()), format!("--tls-key={}", files.key.display()));
    let program = Program::serve(dir.path(), &[&cert, &key], &[]);
    until("it warns", || async { program.said().contains("expired on 2001-01-01") }).await;
    until("it serves", || async { program.said().contains("https://127.0.0.1:") }).await;
}
