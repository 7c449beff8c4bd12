//! A Phoenix for tests: the API that the import reads, with what a test puts into it, and the failures that it scripts.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Response, Uri};
use serde_json::{Value, json};
use tokio::net::TcpListener;

type Script = dyn FnMut(&str) -> Option<Response<Body>> + Send;

/// Its content and what it was asked.
#[derive(Default)]
struct State {
    /// Of one project, by start.
    spans: Vec<Value>,
    /// With `span_id`, `trace_id` or `session_id`.
    annotations: Vec<Value>,
    sessions: Vec<Value>,
    asked: Vec<(String, HeaderMap)>,
    script: Option<Box<Script>>,
}

/// A server on loopback; it ends with the test's runtime.
#[derive(Clone, Default)]
pub(super) struct PretendPhoenix(Arc<Mutex<State>>);

/// An answer in JSON.
pub(super) fn answer(status: u16, body: &Value) -> Response<Body> {
    let builder = Response::builder().status(status).header("content-type", "application/json");
    builder.header("x-phoenix-server-version", "20.26.1").body(body.to_string().into()).unwrap()
}

/// Hexadecimal ids of a trace and of a span in it.
pub(super) fn ids(trace: usize, span: usize) -> (String, String) {
    (format!("{:032x}", trace + 1), format!("{:016x}", (trace + 1) * 1000 + span))
}

impl PretendPhoenix {
    /// Listens; returns its address.
    pub(super) async fn start(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let phoenix = self.clone();
        let routes = Router::new().fallback(move |uri: Uri, headers: HeaderMap| {
            let phoenix = phoenix.clone();
            async move { phoenix.respond(&uri, headers) }
        });
        tokio::spawn(async move { axum::serve(listener, routes).await });
        format!("http://{address}")
    }

    /// Puts traces of so many spans in, the first of which is their root.
    pub(super) fn put_traces(&self, traces: std::ops::Range<usize>, spans: usize) {
        for trace in traces {
            for span in 0..spans {
                let (trace_id, span_id) = ids(trace, span);
                let start = 1_700_000_000_000_000_000_u64 + trace as u64 * 1_000_000_000;
                let kind =
                    json!({"key": "openinference.span.kind", "value": {"string_value": "CHAIN", "int_value": null}});
                self.put_span(json!({
                    "trace_id": trace_id, "span_id": span_id, "name": "step", "kind": "SPAN_KIND_INTERNAL",
                    "parent_span_id": (span > 0).then(|| ids(trace, 0).1), "start_time_unix_nano": start,
                    "end_time_unix_nano": start + 1_000_000, "attributes": [kind], "events": null, "links": null,
                    "status": {"code": 1, "message": null},
                }));
            }
        }
    }

    pub(super) fn put_span(&self, span: Value) {
        self.0.lock().unwrap().spans.push(span);
    }

    /// Puts an annotation in, of the subject that this key names, in place of an earlier one of the same name.
    pub(super) fn annotate(&self, key: &str, subject: &str, name: &str, score: f64, updated_at: &str) {
        let mut state = self.0.lock().unwrap();
        state.annotations.retain(|known| known[key] != subject || known["name"] != name);
        state.annotations.push(json!({
            "id": "x", key: subject, "name": name, "annotator_kind": "HUMAN", "result": {"score": score}, "metadata": {},
            "identifier": "", "created_at": updated_at, "updated_at": updated_at, "source": "API", "user_id": null,
        }));
    }

    pub(super) fn put_session(&self, session: &str, trace: usize) {
        let traces = json!([{"trace_id": ids(trace, 0).0, "start_time": "2023-11-14T22:13:20+00:00"}]);
        self.0.lock().unwrap().sessions.push(json!({"session_id": session, "traces": traces}));
    }

    /// From now on answers so, where the script gives an answer to the path and query.
    pub(super) fn script(&self, script: impl FnMut(&str) -> Option<Response<Body>> + Send + 'static) {
        self.0.lock().unwrap().script = Some(Box::new(script));
    }

    /// The paths and queries that it was asked for since the last call, with this in them.
    pub(super) fn asked(&self, part: &str) -> Vec<String> {
        let asked = std::mem::take(&mut self.0.lock().unwrap().asked);
        asked.into_iter().map(|(path, _)| path).filter(|path| path.contains(part)).collect()
    }

    /// The value of a header of the last request.
    pub(super) fn last_header(&self, name: &str) -> Option<String> {
        let state = self.0.lock().unwrap();
        Some(state.asked.last()?.1.get(name)?.to_str().unwrap().to_owned())
    }

    fn respond(&self, uri: &Uri, headers: HeaderMap) -> Response<Body> {
        let mut state = self.0.lock().unwrap();
        let path_and_query = uri.to_string();
        state.asked.push((path_and_query.clone(), headers));
        if let Some(scripted) = state.script.as_mut().and_then(|script| script(&path_and_query)) {
            return scripted;
        }
        let query: Vec<_> = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
        let first = |key: &str| query.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
        let with = |key: &str| query.iter().filter(|(name, _)| name == key).map(|(_, value)| value.clone()).collect();
        let all = |data: Vec<Value>| answer(200, &json!({"data": data, "next_cursor": null}));
        let of = |items: &[Value], field: &str, ids: BTreeSet<String>| {
            items.iter().filter(|item| item[field].as_str().is_some_and(|id| ids.contains(id))).cloned().collect()
        };
        match uri.path().rsplit('/').next().unwrap_or_default() {
            "projects" => all(vec![json!({"id": "UHJvamVjdDox", "name": "shop", "description": null})]),
            "traces" => {
                let (from, limit) = (first("cursor").map_or(0, |at| at.parse().unwrap()), first("limit").unwrap());
                answer(200, &traces(&state.spans, from, limit.parse().unwrap()))
            }
            "otlpv1" => all(of(&state.spans, "span_id", with("span_id"))),
            "span_annotations" => all(of(&state.annotations, "span_id", with("span_ids"))),
            "trace_annotations" => all(of(&state.annotations, "trace_id", with("trace_ids"))),
            "session_annotations" => all(of(&state.annotations, "session_id", with("session_ids"))),
            "sessions" => all(state.sessions.clone()),
            _ => Response::builder().header("content-type", "text/html").body("<html>".into()).unwrap(),
        }
    }
}

fn traces(spans: &[Value], from: usize, limit: usize) -> Value {
    let mut traces: Vec<(Value, Vec<Value>)> = Vec::new();
    for span in spans {
        let id = json!({"span_id": span["span_id"]});
        match traces.iter_mut().find(|(trace_id, _)| *trace_id == span["trace_id"]) {
            Some((_, ids)) => ids.push(id),
            None => traces.push((span["trace_id"].clone(), vec![id])),
        }
    }
    let next = (from + limit < traces.len()).then(|| (from + limit).to_string());
    let page = traces.into_iter().skip(from).take(limit).map(|(id, spans)| json!({"trace_id": id, "spans": spans}));
    json!({"data": page.collect::<Vec<_>>(), "next_cursor": next})
}
