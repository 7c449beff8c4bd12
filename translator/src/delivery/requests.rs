//! MLflow's endpoints, and that of a Databricks workspace, as requests. Paths are relative to the tracking URI.

use std::collections::BTreeSet;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::assembly::destination::Experiment;
use crate::assembly::ids::TraceId;
use crate::contract::Request;
use crate::feedback::assessment::Assessment;
use crate::mapping::media;
use crate::mlflow::keys;
use crate::mlflow::trace_info::TraceInfo;

/// A request without an id and a timeout, which the delivery gives it.
#[derive(Clone, Debug)]
pub struct Draft {
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Draft {
    fn get(path: String) -> Self {
        Self { method: "GET", path, headers: Vec::new(), body: Vec::new() }
    }

    fn json(method: &'static str, path: &str, body: &serde_json::Value) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self { method, path: path.to_owned(), headers, body: body.to_string().into_bytes() }
    }

    /// In this workspace.
    #[must_use]
    pub fn workspace(mut self, workspace: Option<&str>) -> Self {
        self.headers.extend(workspace.map(|name| ("x-mlflow-workspace", name.to_owned())));
        self
    }

    /// The request.
    pub fn finish(self, id: u64, timeout: u32) -> Request {
        let Self { method, path, headers, body } = self;
        Request { id, method, path, headers, body, timeout }
    }
}

/// Which version the server has.
pub fn version() -> Draft {
    Draft::get("version".to_owned())
}

/// Looks an experiment up.
pub fn find_experiment(experiment: &Experiment) -> Draft {
    let (call, key, value) = match experiment {
        Experiment::Id(id) => ("get", "experiment_id", id),
        Experiment::Name(name) => ("get-by-name", "experiment_name", name),
    };
    let value = utf8_percent_encode(value, NON_ALPHANUMERIC);
    Draft::get(format!("api/2.0/mlflow/experiments/{call}?{key}={value}"))
}

/// Creates an experiment.
pub fn create_experiment(name: &str) -> Draft {
    Draft::json("POST", "api/2.0/mlflow/experiments/create", &json!({ "name": name }))
}

/// Looks a run up.
pub fn find_run(id: &str) -> Draft {
    Draft::get(format!("api/2.0/mlflow/runs/get?run_id={}", utf8_percent_encode(id, NON_ALPHANUMERIC)))
}

/// Sends spans.
pub fn spans(experiment_id: &str, run_id: Option<&str>, payload: Vec<u8>) -> Draft {
    let mut headers = vec![
        ("content-type", "application/x-protobuf".to_owned()),
        ("x-mlflow-experiment-id", experiment_id.to_owned()),
    ];
    headers.extend(run_id.map(|id| ("x-mlflow-run-id", id.to_owned())));
    Draft { method: "POST", path: "v1/traces".to_owned(), headers, body: payload }
}

/// Sends spans to a table of Unity Catalog, at the OTLP endpoint of a Databricks workspace.
pub fn table_spans(table: &str, payload: Vec<u8>) -> Draft {
    let headers =
        vec![("content-type", "application/x-protobuf".to_owned()), ("x-databricks-uc-table-name", table.to_owned())];
    Draft { method: "POST", path: "api/2.0/otel/v1/traces".to_owned(), headers, body: payload }
}

/// Sends an attachment, below the root of the experiment's artifacts that the server hands on.
pub fn attachment(root: &str, trace: TraceId, id: media::AttachmentId, body: Vec<u8>) -> Draft {
    const PATH: &percent_encoding::AsciiSet = &FILE_NAME.remove(b'/').remove(b'.').add(b' ');
    let root = utf8_percent_encode(root, PATH);
    let path = format!("api/2.0/mlflow-artifacts/artifacts/{root}/traces/tr-{trace}/artifacts/attachments/{id}");
    Draft { method: "PUT", path, headers: vec![("content-type", "application/octet-stream".to_owned())], body }
}

/// Asks for a trace's info.
pub fn find_trace(trace: TraceId) -> Draft {
    Draft::get(format!("api/3.0/mlflow/traces/tr-{trace}"))
}

/// Writes a trace's complete info (`StartTraceV3`).
pub fn trace_info(info: &TraceInfo) -> Draft {
    Draft::json("POST", "api/3.0/mlflow/traces", &json!({ "trace": { "trace_info": info.to_json() } }))
}

/// Links a trace to versions of prompts, each an object of MLflow's tag for them. One that is linked already stays so.
pub fn link_prompts(trace: TraceId, prompts: &BTreeSet<String>) -> Draft {
    let versions: Vec<Value> = prompts.iter().filter_map(|prompt| serde_json::from_str(prompt).ok()).collect();
    let body = json!({ "trace_id": format!("tr-{trace}"), "prompt_versions": versions });
    Draft::json("POST", "api/2.0/mlflow/traces/link-prompts", &body)
}

/// Creates an assessment.
pub fn create_assessment(trace: TraceId, assessment: &Assessment) -> Draft {
    let body = json!({ "assessment": assessment.to_json(&format!("tr-{trace}")) });
    Draft::json("POST", &format!("api/3.0/mlflow/traces/tr-{trace}/assessments"), &body)
}

/// Asks for an assessment.
pub fn find_assessment(trace: TraceId, id: &str) -> Draft {
    Draft::get(assessment_path(trace, id))
}

/// Removes an assessment. MLflow answers 200 also when there is none.
pub fn remove_assessment(trace: TraceId, id: &str) -> Draft {
    Draft { method: "DELETE", path: assessment_path(trace, id), headers: Vec::new(), body: Vec::new() }
}

fn assessment_path(trace: TraceId, id: &str) -> String {
    let id = utf8_percent_encode(id, FILE_NAME);
    format!("api/3.0/mlflow/traces/tr-{trace}/assessments/{id}")
}

/// Asks for the traces of a session, the newest first. `None` for a session whose name MLflow's filters cannot hold.
///
/// Traces of evaluators alone are left out: a carrier of feedback says in which session it is, too.
pub fn find_session(experiment_id: &str, session: &str) -> Option<Draft> {
    let quote = ['\'', '"'].into_iter().find(|quote| !session.contains(*quote) && !session.contains('\\'))?;
    let location = json!({"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment_id}});
    let body = json!({
        "locations": [location],
        "filter": format!("metadata.`{}` = {quote}{session}{quote} AND span.type != 'EVALUATOR'", keys::TRACE_SESSION),
        "order_by": ["timestamp DESC"],
        "max_results": SESSION_TRACES,
    });
    Some(Draft::json("POST", "api/3.0/mlflow/traces/search", &body))
}

/// How many traces of a session are looked at for an assessment that is there already. Few enough for the 1 MiB of an
/// answer that a host need not cut.
const SESSION_TRACES: u32 = 50;

/// Reads a trace of the local folder, whichever experiment it is in.
pub fn read_trace(trace: &str) -> Draft {
    Draft::get(format!("traces/{trace}.json"))
}

/// Writes a trace of the local folder. What a file name cannot hold is percent-encoded.
pub fn write_trace(experiment: &str, trace: &str, body: Vec<u8>) -> Draft {
    let folder = utf8_percent_encode(experiment, FILE_NAME);
    let headers = vec![("content-type", "application/json".to_owned())];
    Draft { method: "PUT", path: format!("traces/{folder}/{trace}.json"), headers, body }
}

/// Everything but letters, digits and what file names of all systems take.
const FILE_NAME: &percent_encoding::AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b' ');
