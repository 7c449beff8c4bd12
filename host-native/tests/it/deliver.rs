//! Requests to MLflow: credentials, certificates, redirects, and answers that are none.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use axum::body::Body;
use http::Response;
use openinference_mlflow::exporter::Destination;
use openinference_mlflow::exporter::mlflow::{ClientError, MAX_ANSWER, MlflowServer};
use openinference_mlflow::settings::{Credentials, Server, Tls, TrackingUri, Trust};
use openinference_mlflow::wasm::{self, Answer, Request};
use secrecy::SecretString;

use crate::support::mlflow::{Mlflow, Reply, TlsMlflow, say};
use crate::support::until;

fn request(path: &str) -> Request {
    Request {
        id: 1,
        method: "POST".to_owned(),
        path: path.to_owned(),
        headers: vec![("x-mlflow-experiment-id".to_owned(), "7".to_owned())],
        body: b"a body".to_vec(),
        timeout: 60_000,
    }
}

async fn ask(server: &Server, request: Request) -> Answer {
    MlflowServer::new(server).unwrap().perform(request).await
}

fn answered(answer: Answer) -> wasm::Response {
    match answer {
        Answer::Response(response) => response,
        Answer::NoAnswer(reason) => panic!("no answer: {reason}"),
    }
}

fn unanswered(answer: Answer) -> String {
    match answer {
        Answer::NoAnswer(reason) => reason,
        Answer::Response(response) => panic!("answered with {}", response.status),
    }
}

fn basic() -> Credentials {
    Credentials::Basic { username: "me".to_owned(), password: SecretString::from("s3cret") }
}

#[tokio::test]
async fn given_a_request_then_the_server_sees_it_with_credentials_and_who_asks() {
    let mlflow = Mlflow::start().await;
    mlflow.script(|_| say(200, "fine"));
    let response = answered(ask(&mlflow.settings(basic()), request("v1/traces?a=b")).await);
    assert_eq!((response.status, response.body.as_slice()), (200, &b"fine"[..]));

    let seen = &mlflow.seen()[0];
    assert_eq!((seen.method.as_str(), seen.path.as_str(), &seen.body[..]), ("POST", "/v1/traces?a=b", &b"a body"[..]));
    assert_eq!(seen.headers["authorization"], "Basic bWU6czNjcmV0");
    assert_eq!(seen.headers["x-mlflow-experiment-id"], "7");
    assert_eq!(seen.headers["user-agent"], concat!("openinference-mlflow/", env!("CARGO_PKG_VERSION")));
    assert!(!seen.headers.contains_key("content-encoding"));
}

#[tokio::test]
async fn given_a_token_then_it_is_sent_as_a_bearer_token() {
    let mlflow = Mlflow::start().await;
    ask(&mlflow.settings(Credentials::Bearer(SecretString::from("t0ken"))), request("version")).await;
    assert_eq!(mlflow.seen()[0].headers["authorization"], "Bearer t0ken");
}

#[tokio::test]
async fn given_a_token_file_that_changes_then_requests_carry_its_new_content() {
    let (mlflow, dir) = (Mlflow::start().await, tempfile::tempdir().unwrap());
    let file = dir.path().join("token");
    std::fs::write(&file, "first\n").unwrap();
    let server = MlflowServer::new(&mlflow.settings(Credentials::TokenFile(file.clone()))).unwrap();
    server.perform(request("version")).await;
    assert_eq!(mlflow.seen()[0].headers["authorization"], "Bearer first");
    assert!(!format!("{server:?}").contains("first"));

    // A secret that is mounted anew: another file at its path.
    std::fs::write(dir.path().join("next"), "second token\n").unwrap();
    std::fs::rename(dir.path().join("next"), &file).unwrap();
    until("the new token is in use", || async {
        server.perform(request("version")).await;
        mlflow.seen().last().unwrap().headers["authorization"] == "Bearer second token"
    })
    .await;
    std::fs::write(&file, "").unwrap();
    let empty = MlflowServer::new(&mlflow.settings(Credentials::TokenFile(file))).unwrap_err();
    assert!(empty.to_string().contains("it is empty"), "{empty}");
}

#[tokio::test]
async fn given_credentials_then_no_text_shows_them() {
    let mlflow = Mlflow::start().await;
    let server = mlflow.settings(basic());
    let shown = format!("{server:?} {:?}", MlflowServer::new(&server).unwrap());
    assert!(!shown.contains("s3cret") && !shown.contains("bWU6czNjcmV0"), "{shown}");

    let line_break = mlflow.settings(Credentials::Bearer(SecretString::from("t0ken\nx")));
    let error = MlflowServer::new(&line_break).unwrap_err();
    assert!(matches!(error, ClientError::Credentials) && !error.to_string().contains("t0ken"));
}

#[tokio::test]
async fn given_a_tracking_uri_with_a_path_then_requests_go_below_it() {
    let mlflow = Mlflow::start().await;
    let (uri, _) = TrackingUri::parse(&format!("http://{}/team/mlflow", mlflow.address)).unwrap();
    let server = Server { uri, credentials: Credentials::None, trust: Trust::default() };
    ask(&server, request("api/2.0/x")).await;
    assert_eq!(mlflow.seen()[0].path, "/team/mlflow/api/2.0/x");
}

#[tokio::test]
async fn given_a_path_that_names_another_host_then_nothing_is_sent() {
    let (mlflow, other) = (Mlflow::start().await, Mlflow::start().await);
    for path in [format!("//{}/x", other.address), format!("http://{}/x", other.address)] {
        unanswered(ask(&mlflow.settings(basic()), request(&path)).await);
    }
    assert!(mlflow.seen().is_empty() && other.seen().is_empty());
}

#[tokio::test]
async fn given_a_redirect_to_another_host_then_it_is_the_answer_and_is_not_followed() {
    let (mlflow, other) = (Mlflow::start().await, Mlflow::start().await);
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = format!("http://{}/x", other.address);
        mlflow.script(move |_| {
            let redirect = Response::builder().status(status).header("location", &elsewhere);
            Reply::Say(redirect.body(Body::empty()).unwrap())
        });
        assert_eq!(answered(ask(&mlflow.settings(basic()), request("x")).await).status, status);
    }
    assert!(other.seen().is_empty());
}

#[tokio::test]
async fn given_a_redirect_within_the_server_that_keeps_the_request_then_it_is_followed() {
    let mlflow = Mlflow::start().await;
    mlflow.script(|seen| match seen.path.as_str() {
        "/old" => Reply::Say(Response::builder().status(308).header("location", "/new").body(Body::empty()).unwrap()),
        _ => say(200, ""),
    });
    assert_eq!(answered(ask(&mlflow.settings(basic()), request("old")).await).status, 200);
    let seen = mlflow.seen();
    assert_eq!((seen[1].path.as_str(), &seen[1].body[..]), ("/new", &b"a body"[..]));
    assert_eq!(seen[1].headers["authorization"], "Basic bWU6czNjcmV0");
}

#[tokio::test]
async fn given_an_endless_answer_then_it_is_cut() {
    let mlflow = Mlflow::start().await;
    mlflow.script(|_| say(200, vec![b'x'; MAX_ANSWER * 3]));
    assert_eq!(answered(ask(&mlflow.settings(basic()), request("x")).await).body.len(), MAX_ANSWER);
}

#[tokio::test]
async fn given_a_server_that_is_not_there_then_the_text_says_so() {
    // A port that was free a moment ago, and that nobody else gets while it is bound and not listening.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let (uri, _) = TrackingUri::parse(&format!("http://{}", socket.local_addr().unwrap())).unwrap();
    let server = Server { uri, credentials: basic(), trust: Trust::default() };
    let reason = unanswered(ask(&server, request("x")).await);
    assert!(reason.to_lowercase().contains("refused"), "{reason}");
}

#[tokio::test]
async fn given_a_server_that_does_not_answer_then_the_request_ends_at_its_timeout() {
    let mlflow = Mlflow::start().await;
    mlflow.script(|_| Reply::Hang);
    let mut request = request("x");
    request.timeout = 100;
    assert_eq!(unanswered(ask(&mlflow.settings(basic()), request).await), "no answer in time");
}

#[tokio::test]
async fn given_a_private_authority_then_only_who_is_told_of_it_connects() {
    let tls = TlsMlflow::start().await;
    let dir = tempfile::tempdir().unwrap();
    let authority = dir.path().join("ca.pem");
    std::fs::write(&authority, &tls.authority).unwrap();

    assert_eq!(answered(ask(&tls.settings(Tls::Authorities(authority)), request("x")).await).status, 200);
    assert_eq!(answered(ask(&tls.settings(Tls::Unverified), request("x")).await).status, 200);

    let other = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let stranger = dir.path().join("stranger.pem");
    std::fs::write(&stranger, other.cert.pem()).unwrap();
    let reason = unanswered(ask(&tls.settings(Tls::Authorities(stranger)), request("x")).await);
    assert!(reason.contains("certificate"), "{reason}");
}

#[tokio::test]
async fn given_a_certificate_file_that_is_none_then_the_error_names_it() {
    let tls = TlsMlflow::start().await;
    let dir = tempfile::tempdir().unwrap();
    let empty = dir.path().join("empty.pem");
    std::fs::write(&empty, "nothing").unwrap();
    for path in [PathBuf::from("/does/not/exist.pem"), empty] {
        let error = MlflowServer::new(&tls.settings(Tls::Authorities(path.clone()))).unwrap_err();
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    }
}
