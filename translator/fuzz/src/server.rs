//! A healthy MLflow server, and the local folder, as far as the bridge talks to them.

use std::collections::BTreeMap;

use openinference_mlflow_translator::contract::{Answer, Request, Response};
use openinference_mlflow_translator::otlp::Payload;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

/// Experiments by name, and files by trace.
#[derive(Debug, Default)]
pub struct Server {
    experiments: BTreeMap<String, String>,
    files: BTreeMap<String, Vec<u8>>,
}

fn respond(status: u16, body: Vec<u8>) -> Answer {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    Answer::Response(Response { status, headers, body })
}

fn respond_json(status: u16, body: &Value) -> Answer {
    respond(status, body.to_string().into_bytes())
}

impl Server {
    /// What a healthy server answers. Panics at a request that no such server would take.
    pub fn answer(&mut self, request: &Request) -> Answer {
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        match (request.method, path) {
            ("GET", "version") => respond(200, b"3.17.2".to_vec()),
            ("GET", "api/2.0/mlflow/experiments/get") => {
                let id = query.strip_prefix("experiment_id=").expect("the experiment's id");
                respond_json(200, &json!({"experiment": {"experiment_id": id, "lifecycle_stage": "active"}}))
            }
            ("GET", "api/2.0/mlflow/experiments/get-by-name") => {
                let name = query.strip_prefix("experiment_name=").expect("the experiment's name");
                let name = percent_decode_str(name).decode_utf8().expect("the experiment's name is UTF-8");
                match self.experiments.get(name.as_ref()) {
                    Some(id) => {
                        respond_json(200, &json!({"experiment": {"experiment_id": id, "lifecycle_stage": "active"}}))
                    }
                    None => respond_json(404, &json!({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "none"})),
                }
            }
            ("POST", "api/2.0/mlflow/experiments/create") => self.create(&request.body),
            ("POST", "v1/traces") => {
                let payload = Payload::parse(&request.body).expect("the spans that are delivered are a payload");
                assert!(payload.span_count() > 0, "a request without spans");
                let experiment = request.headers.iter().find(|(name, _)| *name == "x-mlflow-experiment-id");
                assert!(experiment.is_some_and(|(_, id)| !id.is_empty()), "MLflow drops spans without an experiment");
                respond_json(200, &json!({}))
            }
            ("POST", "api/3.0/mlflow/traces") => {
                let body: Value = serde_json::from_slice(&request.body).expect("the trace info is JSON");
                assert!(body["trace"]["trace_info"]["trace_id"].is_string(), "trace info without a trace id");
                respond_json(200, &body)
            }
            ("GET", path) if path.starts_with("api/3.0/mlflow/traces/tr-") => {
                respond_json(200, &json!({"trace": {"trace_info": {"state": "IN_PROGRESS"}}}))
            }
            ("GET", path) => match self.files.get(file_name(path)) {
                Some(file) => respond(200, file.clone()),
                None => respond(404, Vec::new()),
            },
            ("PUT", path) => {
                serde_json::from_slice::<Value>(&request.body).expect("a trace's file is JSON");
                self.files.insert(file_name(path).to_owned(), request.body.clone());
                respond(200, Vec::new())
            }
            (method, path) => panic!("MLflow has no {method} {path}"),
        }
    }

    fn create(&mut self, body: &[u8]) -> Answer {
        let body: Value = serde_json::from_slice(body).expect("the experiment is JSON");
        let name = body["name"].as_str().expect("the experiment's name").to_owned();
        if self.experiments.contains_key(&name) {
            return respond_json(400, &json!({"error_code": "RESOURCE_ALREADY_EXISTS", "message": "there"}));
        }
        let id = (self.experiments.len() + 1).to_string();
        self.experiments.insert(name, id.clone());
        respond_json(200, &json!({"experiment_id": id}))
    }
}

fn file_name(path: &str) -> &str {
    assert!(path.starts_with("traces/") && path.ends_with(".json"), "no place in the local folder: {path}");
    path.rsplit('/').next().unwrap_or_default()
}
