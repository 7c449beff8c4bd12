use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request as HttpRequest, State as Shared};
use axum::http::StatusCode;
use tokio::net::TcpListener;

use super::*;
use crate::settings::{Destination, Environment, Sources, TrackingUri};

type Answers = HashMap<&'static str, (u16, &'static str)>;

const ACTIVE: &str = r#"{"experiment": {"experiment_id": "7", "name": "agent", "lifecycle_stage": "active"}}"#;
const DELETED: &str = r#"{"experiment": {"experiment_id": "7", "name": "agent", "lifecycle_stage": "deleted"}}"#;
const MISSING: &str = r#"{"error_code": "RESOURCE_DOES_NOT_EXIST"}"#;

/// A server of this test's own that gives one answer a path.
async fn server_with(answers: &[(&'static str, u16, &'static str)]) -> TrackingUri {
    async fn give(Shared(answers): Shared<Arc<Answers>>, request: HttpRequest) -> (StatusCode, &'static str) {
        let (status, body) = answers.get(request.uri().path()).copied().unwrap_or((404, "not here"));
        (StatusCode::from_u16(status).unwrap(), body)
    }
    let answers: Answers = answers.iter().map(|(path, status, body)| (*path, (*status, *body))).collect();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let routes = Router::new().fallback(give).with_state(Arc::new(answers));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    TrackingUri::parse(&format!("http://{address}")).unwrap().0
}

/// The findings about a server, by what was checked.
async fn findings(uri: TrackingUri, environment: &[(&str, &str)]) -> HashMap<&'static str, Finding> {
    let uri = [("MLFLOW_TRACKING_URI".to_owned(), uri.to_string())];
    let environment: Environment =
        environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).chain(uri).collect();
    let delivery =
        Sources::new(environment, Default::default()).delivery(&Default::default(), &Default::default()).unwrap();
    let Destination::Server(server) = &delivery.destination else { panic!("expected a server") };
    examine(server, &delivery).await.into_iter().map(|finding| (finding.check, finding)).collect()
}

const BY_NAME: &str = "/api/2.0/mlflow/experiments/get-by-name";
const BY_ID: &str = "/api/2.0/mlflow/experiments/get";
const NAMED: (&str, &str) = ("MLFLOW_EXPERIMENT_NAME", "agent");

#[tokio::test]
async fn given_a_good_server_then_every_finding_is_well() {
    let uri =
        server_with(&[("/version", 200, "3.17.2"), (BY_NAME, 200, ACTIVE), ("/v1/traces", 400, "no spans")]).await;
    let findings = findings(uri, &[NAMED]).await;
    assert_eq!(findings.len(), 5);
    assert!(findings.values().all(|finding| finding.state == State::Ok), "{findings:#?}");
    assert!(findings["experiment"].found.contains("id 7"));
}

#[tokio::test]
async fn given_nobody_who_listens_then_the_server_is_broken_and_nothing_else_is_tried() {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let uri = TrackingUri::parse(&format!("http://{address}")).unwrap().0;
    let findings = findings(uri, &[]).await;
    assert_eq!(findings.len(), 1);
    assert_eq!(findings["server"].state, State::Broken);
    assert!(findings["server"].advice.contains("mlflow server"));
}

#[tokio::test]
async fn given_a_server_that_is_not_mlflow_then_the_path_is_suspected() {
    let findings = findings(server_with(&[]).await, &[]).await;
    assert_eq!(findings["server"].state, State::Broken);
    assert!(findings["server"].advice.contains("path"));
}

#[tokio::test]
async fn given_credentials_that_are_missing_or_wrong_then_the_advice_names_the_variables() {
    for (environment, expected) in [
        (&[][..], "MLFLOW_TRACKING_USERNAME"),
        (&[("MLFLOW_TRACKING_TOKEN", "stale")][..], "MLFLOW_TRACKING_TOKEN"),
        (
            &[("MLFLOW_TRACKING_USERNAME", "ada"), ("MLFLOW_TRACKING_PASSWORD", "hunter2")][..],
            "MLFLOW_TRACKING_PASSWORD",
        ),
    ] {
        let uri = server_with(&[("/version", 401, ""), (BY_ID, 401, "")]).await;
        let findings = findings(uri, environment).await;
        let credentials = &findings["credentials"];
        assert_eq!(credentials.state, State::Broken);
        assert!(credentials.advice.contains(expected), "{}", credentials.advice);
        assert!(!format!("{findings:?}").contains("stale") && !format!("{findings:?}").contains("hunter2"));
    }
}

#[tokio::test]
async fn given_an_experiment_then_its_life_is_told() {
    let id = ("MLFLOW_EXPERIMENT_ID", "7");
    for (path, status, body, setting, state, said) in [
        (BY_NAME, 404, MISSING, Some(NAMED), State::Ok, "will be created"),
        (BY_NAME, 200, DELETED, Some(NAMED), State::Broken, "is deleted"),
        (BY_NAME, 403, "", Some(NAMED), State::Broken, "may not be read"),
        (BY_ID, 404, MISSING, Some(id), State::Broken, "there is no experiment with id 7"),
        (BY_ID, 200, ACTIVE, Some(id), State::Ok, "exists"),
        (BY_ID, 200, ACTIVE, None, State::Ok, "openinference.project.name"),
        (BY_ID, 200, "<html>", Some(id), State::Broken, "not what MLflow would say"),
    ] {
        let uri = server_with(&[("/version", 200, "3.17.2"), (path, status, body), ("/v1/traces", 400, "")]).await;
        let findings = findings(uri, setting.as_slice()).await;
        let experiment = &findings["experiment"];
        assert_eq!(experiment.state, state, "{experiment:?}");
        assert!(experiment.found.contains(said), "{experiment:?}");
    }
}

#[tokio::test]
async fn given_a_server_that_takes_no_traces_then_that_is_broken() {
    for (status, said) in [(404, "has no POST /v1/traces"), (403, "may not write"), (502, "answers 502")] {
        let uri = server_with(&[("/version", 200, "3.17.2"), (BY_ID, 200, ACTIVE), ("/v1/traces", status, "")]).await;
        let findings = findings(uri, &[]).await;
        assert_eq!(findings["traces"].state, State::Broken);
        assert!(findings["traces"].found.contains(said), "{}", findings["traces"].found);
    }
}
