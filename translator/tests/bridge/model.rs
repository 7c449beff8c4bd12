//! A model of MLflow 3.17's server, as far as the bridge can tell: experiments, span upserts, and what the store derives
//! of a trace (`log_spans` and `start_trace` in `mlflow/store/tracking/sqlalchemy_store.py`).

use std::collections::{BTreeMap, BTreeSet};

use openinference_mlflow_translator::contract::{Answer, Request, Response};
use openinference_mlflow_translator::mlflow::preview;
use openinference_mlflow_translator::mlflow::server::ServerVersion;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::{Value, json};

/// Where artifacts are, below the tracking URI.
const ARTIFACTS: &str = "api/2.0/mlflow-artifacts/artifacts/";

type Fault = Box<dyn FnMut(&Request) -> Option<Answer>>;

/// A trace as the store has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Stored {
    pub(crate) experiment: String,
    pub(crate) spans: BTreeMap<Vec<u8>, Span>,
    pub(crate) tags: BTreeMap<String, String>,
    /// As the last trace info has it.
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) name: Option<String>,
    pub(crate) state: String,
    /// Milliseconds: start, duration.
    pub(crate) time: (u64, u64),
    pub(crate) previews: (Option<String>, Option<String>),
    pub(crate) runs: BTreeSet<String>,
    /// `name/version` of the prompts it is linked to.
    pub(crate) prompts: BTreeSet<String>,
    /// By id.
    pub(crate) assessments: BTreeMap<String, Value>,
}

/// The server.
#[derive(Default)]
pub(crate) struct Model {
    pub(crate) version: String,
    /// Name → (id, lifecycle stage).
    pub(crate) experiments: BTreeMap<String, (String, String)>,
    /// Id → lifecycle stage.
    pub(crate) runs: BTreeMap<String, String>,
    pub(crate) traces: BTreeMap<Vec<u8>, Stored>,
    /// Tables of Unity Catalog.
    pub(crate) tables: BTreeSet<String>,
    /// Whether it hands artifacts on, and those that it has by their paths (`mlflow server --no-serve-artifacts` does not).
    pub(crate) serves_artifacts: bool,
    pub(crate) artifacts: BTreeMap<String, Vec<u8>>,
    /// Spans with this name are refused with 422, whatever else is in the request.
    pub(crate) poison: Option<&'static str>,
    /// Method and path of each request, in order.
    pub(crate) log: Vec<String>,
    /// Spans in each request.
    pub(crate) batches: Vec<usize>,
    fault: Option<Fault>,
}

impl Model {
    pub(crate) fn new() -> Self {
        let default = ("Default".to_owned(), ("0".to_owned(), "active".to_owned()));
        Self { version: "3.17.2".into(), experiments: [default].into(), serves_artifacts: true, ..Self::default() }
    }

    /// Answers first, when it has an answer.
    pub(crate) fn fault(&mut self, fault: impl FnMut(&Request) -> Option<Answer> + 'static) {
        self.fault = Some(Box::new(fault));
    }

    pub(crate) fn heal(&mut self) {
        self.fault = None;
    }

    pub(crate) fn answer(&mut self, request: &Request) -> Answer {
        self.log.push(format!("{} {}", request.method, request.path));
        if let Some(answer) = self.fault.as_mut().and_then(|fault| fault(request)) {
            return answer;
        }
        match (request.method, request.path.split('?').next().unwrap()) {
            ("GET", "version") => {
                let headers = vec![("content-type".into(), "text/html; charset=utf-8".into())];
                Answer::Response(Response { status: 200, headers, body: self.version.clone().into_bytes() })
            }
            ("GET", "api/2.0/mlflow/experiments/get-by-name") => {
                let found = self.experiments.iter().find(|(name, _)| asked(request) == **name);
                self.experiment(found.map(|(_, (id, stage))| (id, stage)))
            }
            ("GET", "api/2.0/mlflow/experiments/get") => {
                let found = self.experiments.values().find(|(id, _)| asked(request) == *id);
                self.experiment(found.map(|(id, stage)| (id, stage)))
            }
            ("GET", "api/2.0/mlflow/runs/get") => match self.runs.get(&asked(request)) {
                Some(stage) => reply(200, json!({ "run": { "info": { "lifecycle_stage": stage } } }).to_string()),
                None => reply(404, json!({"error_code": "RESOURCE_DOES_NOT_EXIST"}).to_string()),
            },
            ("POST", "api/2.0/mlflow/experiments/create") => self.create(request),
            ("POST", "v1/traces") => self.log_spans(request),
            ("POST", "api/2.0/otel/v1/traces") => self.log_to_table(request),
            ("POST", "api/3.0/mlflow/traces") => self.start_trace(request),
            ("POST", "api/2.0/mlflow/traces/link-prompts") => self.link_prompts(request),
            ("POST", "api/3.0/mlflow/traces/search") => self.search(request),
            (_, path) if path.contains("/assessments") => self.assessments(path, request),
            ("PUT", path) if path.starts_with(ARTIFACTS) => self.upload(path, request),
            ("GET", path) if path.starts_with("api/3.0/mlflow/traces/tr-") => self.trace_info(path),
            _ => reply(404, "<html>no such page</html>".into()),
        }
    }

    fn upload(&mut self, path: &str, request: &Request) -> Answer {
        if !self.serves_artifacts {
            let detail = "Artifact serving is disabled. Run `mlflow server` with `--serve-artifacts` to enable.";
            return reply(503, json!({ "detail": detail }).to_string());
        }
        self.artifacts.insert(path.strip_prefix(ARTIFACTS).unwrap().to_owned(), request.body.clone());
        reply(200, String::new())
    }

    fn experiment(&self, found: Option<(&String, &String)>) -> Answer {
        let Some((id, stage)) = found else {
            return reply(404, json!({"error_code": "RESOURCE_DOES_NOT_EXIST"}).to_string());
        };
        let root = if self.serves_artifacts { "mlflow-artifacts:" } else { "/srv/mlruns" };
        let location = format!("{root}/{id}");
        let experiment = json!({"experiment_id": id, "lifecycle_stage": stage, "artifact_location": location});
        reply(200, json!({ "experiment": experiment }).to_string())
    }

    fn create(&mut self, request: &Request) -> Answer {
        let name = body(request)["name"].as_str().unwrap().to_owned();
        if self.experiments.contains_key(&name) {
            return reply(400, json!({"error_code": "RESOURCE_ALREADY_EXISTS"}).to_string());
        }
        let id = self.experiments.len().to_string();
        self.experiments.insert(name, (id.clone(), "active".into()));
        reply(200, json!({"experiment_id": id}).to_string())
    }

    /// The OTLP endpoint of a Databricks workspace.
    fn log_to_table(&mut self, request: &Request) -> Answer {
        let table = header(request, "x-databricks-uc-table-name").unwrap_or_default();
        if !self.tables.contains(table) {
            return reply(404, json!({"error_code": "TABLE_OR_VIEW_NOT_FOUND", "message": "no table"}).to_string());
        }
        let payload = ExportTraceServiceRequest::decode(&*request.body).unwrap();
        let scopes = payload.resource_spans.into_iter().flat_map(|all| all.scope_spans);
        let spans: Vec<_> = scopes.flat_map(|scope| scope.spans).collect();
        if spans.iter().any(|span| Some(span.name.as_str()) == self.poison) {
            return reply(400, json!({"error_code": "INVALID_PARAMETER_VALUE", "message": "no"}).to_string());
        }
        for span in spans {
            let trace = self.traces.entry(span.trace_id.clone()).or_default();
            trace.experiment = table.to_owned();
            trace.spans.insert(span.span_id.clone(), span);
        }
        reply(200, String::new())
    }

    fn log_spans(&mut self, request: &Request) -> Answer {
        let Some(experiment) = header(request, "x-mlflow-experiment-id") else {
            return reply(422, json!({"detail": "no experiment"}).to_string());
        };
        if !self.experiments.values().any(|(id, _)| id == experiment) {
            return reply(404, json!({"error_code": "RESOURCE_DOES_NOT_EXIST"}).to_string());
        }
        let payload = ExportTraceServiceRequest::decode(&*request.body).unwrap();
        let groups = payload.resource_spans.iter().flat_map(|resource| {
            let tags = resource.resource.iter().flat_map(|resource| strings(&resource.attributes)).collect::<Vec<_>>();
            resource.scope_spans.iter().flat_map(|scope| scope.spans.clone()).map(move |span| (tags.clone(), span))
        });
        let groups: Vec<_> = groups.collect();
        self.batches.push(groups.len());
        if groups.iter().any(|(_, span)| Some(span.name.as_str()) == self.poison) {
            return reply(422, json!({"detail": "Cannot convert OpenTelemetry span to MLflow span"}).to_string());
        }
        let mut by_trace: BTreeMap<Vec<u8>, Vec<_>> = BTreeMap::new();
        for (tags, span) in groups {
            by_trace.entry(span.trace_id.clone()).or_default().push((tags, span));
        }
        for (id, spans) in by_trace {
            let trace = self.traces.entry(id).or_insert_with(|| Stored {
                experiment: experiment.to_owned(),
                state: "IN_PROGRESS".into(),
                ..Stored::default()
            });
            trace.log_spans(&spans, header(request, "x-mlflow-run-id"));
        }
        reply(200, String::new())
    }

    fn trace_info(&self, path: &str) -> Answer {
        let id = trace_id(path.rsplit_once("tr-").unwrap().1);
        match self.traces.get(&id) {
            Some(trace) => {
                let location = json!({"mlflow_experiment": {"experiment_id": trace.experiment}});
                let info = json!({
                    "state": trace.state, "trace_location": location, "trace_metadata": stored_metadata(),
                    "request_preview": trace.previews.0, "response_preview": trace.previews.1,
                });
                reply(200, json!({"trace": {"trace_info": info}}).to_string())
            }
            None => reply(404, json!({"error_code": "RESOURCE_DOES_NOT_EXIST"}).to_string()),
        }
    }

    fn link_prompts(&mut self, request: &Request) -> Answer {
        let body = body(request);
        let id = trace_id(body["trace_id"].as_str().unwrap().strip_prefix("tr-").unwrap());
        let Some(trace) = self.traces.get_mut(&id) else {
            return reply(404, json!({"error_code": "RESOURCE_DOES_NOT_EXIST"}).to_string());
        };
        for prompt in body["prompt_versions"].as_array().unwrap() {
            let part = |key: &str| prompt[key].as_str().unwrap().to_owned();
            trace.prompts.insert(format!("{}/{}", part("name"), part("version")));
        }
        reply(200, "{}".into())
    }

    /// `create_assessment`, `get_assessment` and `delete_assessment` of the store.
    fn assessments(&mut self, path: &str, request: &Request) -> Answer {
        let mut parts = path.strip_prefix("api/3.0/mlflow/traces/tr-").unwrap().split('/');
        let (trace, _, id) = (trace_id(parts.next().unwrap()), parts.next(), parts.next());
        let missing = || reply(404, json!({"error_code": "RESOURCE_DOES_NOT_EXIST"}).to_string());
        match (request.method, id) {
            ("POST", None) => {
                let assessment = body(request)["assessment"].clone();
                let id = assessment["assessment_id"].as_str().unwrap().to_owned();
                assert!(!assessment["feedback"]["value"].is_null(), "MLflow wants a value: {assessment}");
                if !self.traces.contains_key(&trace) {
                    return missing();
                }
                // The id is the table's primary key, whatever the trace.
                if self.traces.values().any(|trace| trace.assessments.contains_key(&id)) {
                    return reply(500, json!({"error_code": "INTERNAL_ERROR"}).to_string());
                }
                self.traces.get_mut(&trace).unwrap().assessments.insert(id, assessment.clone());
                reply(200, json!({ "assessment": assessment }).to_string())
            }
            ("GET", Some(id)) => match self.traces.get(&trace).and_then(|trace| trace.assessments.get(id)) {
                Some(assessment) => reply(200, json!({ "assessment": assessment }).to_string()),
                None => missing(),
            },
            ("DELETE", Some(id)) => {
                self.traces.get_mut(&trace).map(|trace| trace.assessments.remove(id));
                reply(200, "{}".into())
            }
            (method, _) => panic!("MLflow has no {method} {path}"),
        }
    }

    /// `search_traces` with the one filter that is used here: a session, evaluators' own traces left out.
    fn search(&self, request: &Request) -> Answer {
        let body = body(request);
        let filter = body["filter"].as_str().unwrap();
        let (session, rest) = filter.split_once(" AND ").unwrap();
        assert_eq!(rest, "span.type != 'EVALUATOR'");
        let session = session.strip_prefix("metadata.`mlflow.trace.session` = ").unwrap();
        let session = &session[1..session.len() - 1];
        let is_in = |trace: &Stored| {
            let texts = |span: &Span| strings(&span.attributes);
            let has = |span: &Span, key: &str, value: &str| texts(span).contains(&(key.into(), value.into()));
            trace.spans.values().any(|span| has(span, "session.id", session))
                && trace
                    .spans
                    .values()
                    .flat_map(texts)
                    .any(|(key, kind)| key == "mlflow.spanType" && kind != "EVALUATOR")
        };
        let experiment = &body["locations"][0]["mlflow_experiment"]["experiment_id"];
        let found = self.traces.iter().filter(|(_, trace)| *experiment == trace.experiment && is_in(trace));
        let mut found: Vec<_> = found.collect();
        found.sort_by_key(|(_, trace)| std::cmp::Reverse(trace.time.0));
        let traces = found.into_iter().map(|(id, trace)| {
            let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
            json!({"trace_id": format!("tr-{id}"), "assessments": trace.assessments.values().collect::<Vec<_>>()})
        });
        reply(200, json!({"traces": traces.collect::<Vec<_>>()}).to_string())
    }

    fn start_trace(&mut self, request: &Request) -> Answer {
        let info = &body(request)["trace"]["trace_info"];
        let id = trace_id(info["trace_id"].as_str().unwrap().strip_prefix("tr-").unwrap());
        let keeps_metadata = ServerVersion::parse(&self.version) >= Some(ServerVersion::KEEPS_METADATA);
        let metadata: BTreeMap<String, String> = serde_json::from_value(info["trace_metadata"].clone()).unwrap();
        let repeats = stored_metadata().as_object().unwrap().keys().all(|key| metadata.contains_key(key));
        if !keeps_metadata && !repeats {
            return reply(500, json!({"error_code": "INTERNAL_ERROR", "message": "Dependency rule"}).to_string());
        }
        let trace = self.traces.entry(id).or_default();
        trace.experiment = info["trace_location"]["mlflow_experiment"]["experiment_id"].as_str().unwrap().into();
        trace.metadata = metadata;
        trace.state = info["state"].as_str().unwrap().into();
        for (key, value) in info["tags"].as_object().unwrap() {
            let value = value.as_str().unwrap().to_owned();
            match key.as_str() {
                "mlflow.traceName" => trace.name = Some(value),
                _ => drop(trace.tags.insert(key.clone(), value)),
            }
        }
        let text = |key: &str| info[key].as_str().map(str::to_owned);
        // An empty one takes the place of another, and shows as none.
        let preview = |key: &str, old: Option<String>| match text(key) {
            Some(new) => Some(new).filter(|new| !new.is_empty()),
            None => old.filter(|_| keeps_metadata),
        };
        trace.previews.0 = preview("request_preview", trace.previews.0.take());
        trace.previews.1 = preview("response_preview", trace.previews.1.take());
        reply(200, json!({"trace": {}}).to_string())
    }
}

impl Stored {
    fn log_spans(&mut self, spans: &[(Vec<(String, String)>, Span)], run: Option<&str>) {
        for (_, span) in spans {
            self.spans.insert(span.span_id.clone(), span.clone());
        }
        let start = self.spans.values().map(|span| span.start_time_unix_nano / 1_000_000).min().unwrap();
        let end = self.spans.values().map(|span| span.end_time_unix_nano / 1_000_000).max().unwrap();
        self.time = (start, end - start);
        if let Some((tags, _)) = spans.iter().find(|(tags, _)| !tags.is_empty()) {
            self.tags.extend(tags.iter().cloned());
        }
        for (_, root) in spans.iter().filter(|(_, span)| span.parent_span_id.is_empty()) {
            if self.state == "IN_PROGRESS" {
                let error = root.status.as_ref().is_some_and(|status| status.code == 2);
                self.state = if error { "ERROR" } else { "OK" }.into();
            }
            for (key, value) in strings(&root.attributes) {
                match key.strip_prefix("mlflow.traceTag.") {
                    Some("mlflow.traceName") => self.name = Some(value),
                    Some(tag) => drop(self.tags.insert(tag.into(), value)),
                    None if key == "mlflow.spanInputs" => {
                        self.previews.0 = self.previews.0.take().or_else(|| preview::request(&value));
                    }
                    None if key == "mlflow.spanOutputs" => {
                        self.previews.1 = self.previews.1.take().or_else(|| preview::response(&value));
                    }
                    None => {}
                }
            }
            self.runs.extend(run.map(str::to_owned));
        }
    }
}

/// The metadata that the store derives of every trace.
fn stored_metadata() -> Value {
    json!({"mlflow.trace.tokenUsage": "{\"input_tokens\": 3}"})
}

fn trace_id(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn strings(attributes: &[KeyValue]) -> Vec<(String, String)> {
    let strings = attributes.iter().filter_map(|attribute| match attribute.value.as_ref()?.value.as_ref()? {
        any_value::Value::StringValue(text) => Some((attribute.key.clone(), text.clone())),
        _ => None,
    });
    strings.collect()
}

fn asked(request: &Request) -> String {
    let value = request.path.split_once('=').unwrap().1;
    percent_encoding::percent_decode_str(value).decode_utf8().unwrap().into_owned()
}

fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
}

/// An answer as MLflow gives it.
pub(crate) fn reply(status: u16, body: String) -> Answer {
    Answer::Response(Response { status, headers: Vec::new(), body: body.into_bytes() })
}
