//! A healthy MLflow server, and the local folder, as far as the bridge talks to them.

use std::collections::{BTreeMap, BTreeSet};

use openinference_mlflow_translator::contract::{Answer, Request, Response};
use openinference_mlflow_translator::otlp::Payload;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

/// Experiments by name, files by trace, the traces that spans came of, and the assessments of each.
#[derive(Debug, Default)]
pub struct Server {
    experiments: BTreeMap<String, String>,
    files: BTreeMap<String, Vec<u8>>,
    /// By the ids that spans refer to.
    attachments: BTreeSet<String>,
    traces: BTreeSet<String>,
    /// By trace and id.
    assessments: BTreeMap<(String, String), Value>,
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
                respond_json(200, &described(id))
            }
            ("GET", "api/2.0/mlflow/experiments/get-by-name") => {
                let name = query.strip_prefix("experiment_name=").expect("the experiment's name");
                let name = percent_decode_str(name).decode_utf8().expect("the experiment's name is UTF-8");
                match self.experiments.get(name.as_ref()) {
                    Some(id) => respond_json(200, &described(id)),
                    None => respond_json(404, &json!({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "none"})),
                }
            }
            ("POST", "api/2.0/mlflow/experiments/create") => self.create(&request.body),
            ("GET", "api/2.0/mlflow/runs/get") => {
                assert!(query.starts_with("run_id="), "{query}");
                respond_json(404, &json!({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "none"}))
            }
            ("POST", "v1/traces") => {
                let payload = Payload::parse(&request.body).expect("the spans that are delivered are a payload");
                assert!(payload.span_count() > 0, "a request without spans");
                let experiment = request.headers.iter().find(|(name, _)| *name == "x-mlflow-experiment-id");
                assert!(experiment.is_some_and(|(_, id)| !id.is_empty()), "MLflow drops spans without an experiment");
                for reference in String::from_utf8_lossy(&request.body).split("mlflow-attachment://").skip(1) {
                    let id = reference.split('?').next().unwrap_or_default();
                    assert!(self.attachments.contains(id), "a span refers to an attachment that never came");
                }
                let spans = payload.groups.iter().flat_map(|group| &group.spans);
                self.traces.extend(spans.map(|span| format!("tr-{}", hex(span.trace_id))));
                respond_json(200, &json!({}))
            }
            ("POST", "api/3.0/mlflow/traces") => {
                let body: Value = serde_json::from_slice(&request.body).expect("the trace info is JSON");
                assert!(body["trace"]["trace_info"]["trace_id"].is_string(), "trace info without a trace id");
                respond_json(200, &body)
            }
            ("POST", "api/3.0/mlflow/traces/search") => {
                let body: Value = serde_json::from_slice(&request.body).expect("the search is JSON");
                assert!(body["filter"].is_string() && body["locations"][0].is_object(), "{body}");
                let found: Vec<_> = self.traces.iter().take(1).map(|trace| json!({"trace_id": trace})).collect();
                respond_json(200, &json!({"traces": found}))
            }
            (method, path) if path.contains("/assessments") => self.assess(method, path, &request.body),
            ("GET", path) if path.starts_with("api/3.0/mlflow/traces/tr-") => {
                respond_json(200, &json!({"trace": {"trace_info": {"state": "IN_PROGRESS"}}}))
            }
            ("GET", path) => match self.files.get(file_name(path)) {
                Some(file) => respond(200, file.clone()),
                None => respond(404, Vec::new()),
            },
            ("PUT", path) if path.starts_with("api/2.0/mlflow-artifacts/artifacts/") => {
                assert!(request.body.starts_with(b"\x89PNG"), "no picture: {:?}", request.body);
                self.attachments.extend(path.rsplit('/').next().map(str::to_owned));
                respond(200, Vec::new())
            }
            ("PUT", path) => {
                serde_json::from_slice::<Value>(&request.body).expect("a trace's file is JSON");
                self.files.insert(file_name(path).to_owned(), request.body.clone());
                respond(200, Vec::new())
            }
            (method, path) => panic!("MLflow has no {method} {path}"),
        }
    }

    fn assess(&mut self, method: &str, path: &str, body: &[u8]) -> Answer {
        let path = path.strip_prefix("api/3.0/mlflow/traces/").expect("the trace's path");
        let (trace, rest) = path.split_once("/assessments").expect("the trace's id");
        let key = (trace.to_owned(), rest.trim_start_matches('/').to_owned());
        let missing = || respond_json(404, &json!({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "none"}));
        match method {
            "POST" => {
                let body: Value = serde_json::from_slice(body).expect("the assessment is JSON");
                let assessment = body["assessment"].clone();
                let id = assessment["assessment_id"].as_str().expect("the assessment's id").to_owned();
                assert!(id.len() <= 50, "MLflow's column holds 50 characters, not {id:?}");
                if !self.traces.contains(trace) {
                    return missing();
                }
                if self.assessments.keys().any(|(_, known)| *known == id) {
                    return respond_json(500, &json!({"error_code": "INTERNAL_ERROR", "message": "constraint"}));
                }
                self.assessments.insert((key.0, id), assessment);
                respond_json(200, &body)
            }
            "GET" => match self.assessments.get(&key) {
                Some(assessment) => respond_json(200, &json!({ "assessment": assessment })),
                None => missing(),
            },
            "DELETE" => {
                self.assessments.remove(&key);
                respond_json(200, &json!({}))
            }
            _ => panic!("MLflow has no {method} {path}"),
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

fn described(id: &str) -> Value {
    let location = format!("mlflow-artifacts:/{id}");
    json!({"experiment": {"experiment_id": id, "lifecycle_stage": "active", "artifact_location": location}})
}

fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn file_name(path: &str) -> &str {
    assert!(path.starts_with("traces/") && path.ends_with(".json"), "no place in the local folder: {path}");
    path.rsplit('/').next().unwrap_or_default()
}
