//! What the MLflow server must do: answer, be new enough, accept the credentials, have the experiment, take traces.
//!
//! Nothing is created or changed. The export that is tried holds no spans, which MLflow refuses with 400 where it would
//! take spans.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::finding::{Finding, State};
use super::version;
use crate::exporter::Destination as _;
use crate::exporter::mlflow::MlflowServer;
use crate::settings::{Credentials, Delivery, Experiment, Server, Tls};
use crate::wasm::{Answer, Request, Response};

/// For each request, in milliseconds.
const TIMEOUT: u32 = 10_000;

/// Every finding about a server; those that a broken one makes pointless are left out.
pub(super) async fn examine(server: &Server, delivery: &Delivery) -> Vec<Finding> {
    let client = match MlflowServer::new(server) {
        Ok(client) => client,
        Err(error) => return vec![Finding::broken("server", error.to_string(), "")],
    };
    let workspace = delivery.workspace.iter().map(|name| ("x-mlflow-workspace".to_owned(), name.clone())).collect();
    let check = ServerCheck { client, workspace };
    let mut findings = Vec::new();
    match check.get("version").await {
        Err(reason) => {
            findings.push(Finding::broken(
                "server",
                format!("{}: {reason}", server.uri),
                advice_on_silence(server, &reason),
            ));
            return findings;
        }
        Ok(response) => findings.extend(judge_version(server, &response)),
    }
    if findings.iter().any(|finding| finding.check == "server" && finding.state == State::Broken) {
        return findings;
    }
    let wanted = delivery.experiment.clone().unwrap_or_else(|| Experiment::Id("0".to_owned()));
    let answer = check.get(&experiment_path(&wanted)).await;
    let (credentials, experiment) = match &answer {
        Err(reason) => (Finding::broken("credentials", format!("no answer: {reason}"), "try again"), None),
        Ok(response) => judge_experiment(server, &delivery.experiment, response),
    };
    findings.push(credentials);
    let Some((experiment, id)) = experiment else { return findings };
    findings.push(experiment);
    let mut headers = check.workspace.clone();
    headers.push(("x-mlflow-experiment-id".to_owned(), id));
    findings.push(judge_traces(post_nothing(server, headers).await));
    findings
}

/// Export no spans.
pub(super) async fn post_nothing(server: &Server, mut headers: Vec<(String, String)>) -> Result<Response, String> {
    let client = MlflowServer::new(server).map_err(|error| error.to_string())?;
    headers.push(("content-type".to_owned(), "application/x-protobuf".to_owned()));
    ask(&client, "POST", "v1/traces", headers).await
}

struct ServerCheck {
    client: MlflowServer,
    workspace: Vec<(String, String)>,
}

impl ServerCheck {
    async fn get(&self, path: &str) -> Result<Response, String> {
        ask(&self.client, "GET", path, self.workspace.clone()).await
    }
}

/// The answer to a request without a body.
pub(super) async fn ask(
    client: &MlflowServer,
    method: &str,
    path: &str,
    headers: Vec<(String, String)>,
) -> Result<Response, String> {
    let (method, path) = (method.to_owned(), path.to_owned());
    match client.perform(Request { id: 0, method, path, headers, body: Vec::new(), timeout: TIMEOUT }).await {
        Answer::Response(response) => Ok(response),
        Answer::NoAnswer(reason) => Err(reason),
    }
}

fn advice_on_silence(server: &Server, reason: &str) -> String {
    let uri = &server.uri;
    if reason.to_lowercase().contains("certificate") {
        "trust the server's certificate authority with --server-cert (MLFLOW_TRACKING_SERVER_CERT_PATH)".to_owned()
    } else if server.trust.verify == Tls::Unverified || uri.as_url().scheme() == "https" {
        format!("check the address and that the server speaks TLS there: curl -v {uri}/version")
    } else {
        format!(
            "start it (mlflow server --port …), or correct the address; to look for yourself: curl -v {uri}/version"
        )
    }
}

fn judge_version(server: &Server, response: &Response) -> Vec<Finding> {
    let uri = &server.uri;
    let text = String::from_utf8_lossy(&response.body);
    match response.status {
        200 if text.len() <= 40 && text.starts_with(|c: char| c.is_ascii_digit()) => {
            vec![Finding::ok("server", format!("{uri} answers")), version::judge(text.trim())]
        }
        // Before the credentials' turn has come, these say nothing about the server.
        401 | 403 => vec![Finding::ok("server", format!("{uri} answers"))],
        status => vec![Finding::broken(
            "server",
            format!("{uri} answers {status} to GET /version, which is not what MLflow would say"),
            "check the path in the tracking URI, and any proxy between this machine and MLflow",
        )],
    }
}

fn experiment_path(experiment: &Experiment) -> String {
    let (call, key, value) = match experiment {
        Experiment::Name(name) => ("get-by-name", "experiment_name", name),
        Experiment::Id(id) => ("get", "experiment_id", id),
    };
    format!("api/2.0/mlflow/experiments/{call}?{key}={}", utf8_percent_encode(value, NON_ALPHANUMERIC))
}

#[derive(Deserialize)]
struct ExperimentAnswer {
    experiment: FoundExperiment,
}

#[derive(Deserialize)]
struct FoundExperiment {
    experiment_id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    lifecycle_stage: String,
}

/// What one answer says about the credentials and, if they were accepted, about the experiment, with the id to export
/// to.
fn judge_experiment(
    server: &Server,
    wanted: &Option<Experiment>,
    response: &Response,
) -> (Finding, Option<(Finding, String)>) {
    let accepted = Finding::ok(
        "credentials",
        match &server.credentials {
            Credentials::None => "none set, and none needed".to_owned(),
            Credentials::Basic { username, .. } => format!("user {username} is accepted"),
            Credentials::Bearer(_) | Credentials::TokenFile(_) => "the token is accepted".to_owned(),
        },
    );
    let shown = match wanted {
        Some(Experiment::Name(name)) => format!("{name:?}"),
        Some(Experiment::Id(id)) => format!("with id {id}"),
        None => "0".to_owned(),
    };
    let finding = match (response.status, wanted) {
        (401, _) => return (rejected(server), None),
        (403, _) => Finding::broken(
            "experiment",
            format!("experiment {shown} may not be read by this user"),
            "ask the server's administrator for EDIT permission on it, or choose another with --experiment",
        ),
        (404, Some(Experiment::Name(_))) => Finding::ok("experiment", format!("experiment {shown} will be created")),
        (404, Some(Experiment::Id(_))) => Finding::broken(
            "experiment",
            format!("there is no experiment {shown}"),
            "choose one that exists, or give a name (--experiment), which is created when missing",
        ),
        (200, _) => match serde_json::from_slice::<ExperimentAnswer>(&response.body) {
            Ok(ExperimentAnswer { experiment }) => return (accepted, Some(judge_found(wanted, experiment))),
            Err(_) => not_mlflow(200),
        },
        (404, None) => per_project(),
        (status, _) => not_mlflow(status),
    };
    (accepted, Some((finding, "0".to_owned())))
}

fn judge_found(wanted: &Option<Experiment>, experiment: FoundExperiment) -> (Finding, String) {
    let FoundExperiment { experiment_id: id, name, lifecycle_stage } = experiment;
    let finding = if wanted.is_none() {
        per_project()
    } else if lifecycle_stage == "deleted" {
        Finding::broken(
            "experiment",
            format!("experiment {name:?} (id {id}) is deleted"),
            format!(
                "restore it with `mlflow experiments restore --experiment-id {id}`, or choose another with --experiment"
            ),
        )
    } else {
        Finding::ok("experiment", format!("experiment {name:?} (id {id}) exists"))
    };
    (finding, id)
}

fn per_project() -> Finding {
    Finding::ok("experiment", "named by each application's openinference.project.name, else experiment 0")
}

fn not_mlflow(status: u16) -> Finding {
    Finding::broken(
        "experiment",
        format!("asked for an experiment, the server answers {status}, which is not what MLflow would say"),
        "check the server's log, and any proxy between this machine and MLflow",
    )
}

fn rejected(server: &Server) -> Finding {
    match &server.credentials {
        Credentials::None => Finding::broken(
            "credentials",
            "the server wants credentials, and none are set",
            "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN",
        ),
        Credentials::Basic { username, .. } => Finding::broken(
            "credentials",
            format!("the server does not accept user {username} with this password"),
            "correct MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD; both win over a token",
        ),
        Credentials::Bearer(_) => {
            Finding::broken("credentials", "the server does not accept the token", "renew MLFLOW_TRACKING_TOKEN")
        }
        Credentials::TokenFile(path) => Finding::broken(
            "credentials",
            format!("the server does not accept the token in {}", path.display()),
            "renew it; a running gateway reads the file again",
        ),
    }
}

fn judge_traces(answer: Result<Response, String>) -> Finding {
    const CHECK: &str = "traces";
    match answer.map(|response| response.status) {
        // 400: "no spans found". It was read, and had it held spans they would have been taken.
        Ok(200 | 400) => Finding::ok(CHECK, "the server takes OTLP traces"),
        Ok(401 | 403) => Finding::broken(
            CHECK,
            "these credentials may not write traces",
            "ask the server's administrator for EDIT permission on the experiment",
        ),
        Ok(404 | 405) => Finding::broken(
            CHECK,
            "the server has no POST /v1/traces",
            "upgrade MLflow to 3.6 or later; if it is, let the proxy before it pass /v1/traces",
        ),
        Ok(status) => Finding::broken(
            CHECK,
            format!("the server answers {status} to POST /v1/traces"),
            "check the server's log, and any proxy between this machine and MLflow",
        ),
        Err(reason) => Finding::broken(CHECK, format!("no answer to POST /v1/traces: {reason}"), "try again"),
    }
}

#[cfg(test)]
mod tests;
