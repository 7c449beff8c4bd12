//! Imports from a Phoenix that misbehaves when asked to, to a server that takes what MLflow would take.

use std::time::Duration;

use axum::body::Body;
use axum::http::Response;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::pretend_phoenix::{PretendPhoenix, answer, ids};
use super::*;
use crate::cli::{Cli, Command};
use crate::command::transfer::pretend_mlflow::Mlflow;
use crate::settings::SettingsFile;

const QUICK: Patience =
    Patience { first: Duration::from_millis(5), longest: Duration::from_millis(10), limit: Duration::from_millis(300) };

/// A Phoenix, an MLflow, and a machine between them.
struct Machine {
    phoenix: PretendPhoenix,
    mlflow: Mlflow,
    data: TempDir,
    from: String,
    to: String,
}

impl Machine {
    async fn new() -> Self {
        let (phoenix, mlflow) = (PretendPhoenix::default(), Mlflow::default());
        let (from, to) = (phoenix.start().await, mlflow.start().await);
        Self { phoenix, mlflow, data: tempfile::tempdir().unwrap(), from, to }
    }

    async fn import_with(&self, flags: &[&str], environment: &[(&str, &str)]) -> anyhow::Result<Tally> {
        let arguments = ["x", "import", "--from-phoenix", &self.from, "--tracking-uri", &self.to, "--settle", "1ms"];
        let which: &[&str] = if flags.contains(&"--project") { &[] } else { &["--all-projects"] };
        let cli = Cli::try_from_arguments(arguments.iter().chain(flags).chain(which).copied())?;
        let Command::Import(args) = &cli.command else { panic!("expected import") };
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        import(args, &Sources::new(environment, SettingsFile::default()), self.data.path(), QUICK).await
    }

    async fn import(&self, flags: &[&str]) -> anyhow::Result<Tally> {
        self.import_with(flags, &[]).await
    }

    async fn error(&self, flags: &[&str]) -> String {
        self.import(flags).await.unwrap_err().to_string()
    }

    /// How many spans MLflow got since the last call.
    fn delivered(&self) -> usize {
        let spans = |body: &[u8]| {
            let request = ExportTraceServiceRequest::decode(body).unwrap();
            let scopes = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
            scopes.map(|scope| scope.spans.len()).sum::<usize>()
        };
        self.mlflow.bodies().iter().map(|(_, body)| spans(body)).sum()
    }
}

#[tokio::test]
async fn given_a_project_of_many_pages_then_each_span_is_sent_once_and_later_only_what_is_new() {
    let machine = Machine::new().await;
    machine.phoenix.put_traces(0..230, 2);
    let first = machine.import(&["--page-size", "200"]).await.unwrap();
    assert_eq!((first.traces, first.spans, first.complete()), (230, 460, true));
    assert_eq!(machine.delivered(), 460);
    let asked = machine.phoenix.asked("/v1/");
    let pages = asked.iter().filter(|path| path.contains("/traces?")).count();
    let spans: Vec<_> = asked.iter().filter(|path| path.contains("otlpv1")).collect();
    assert_eq!((pages, spans.len()), (3, 3));
    assert!(spans.iter().all(|path| path.len() < 8_000));

    let second = machine.import(&[]).await.unwrap();
    assert_eq!((second.traces, second.known_traces, second.complete()), (0, 230, true));
    assert_eq!((machine.delivered(), machine.phoenix.asked("otlpv1").len()), (0, 0));

    machine.phoenix.put_traces(230..231, 2);
    let third = machine.import(&[]).await.unwrap();
    assert_eq!((third.traces, third.known_traces, machine.delivered()), (1, 230, 2));
    assert_eq!((machine.import(&["--again"]).await.unwrap().traces, machine.delivered()), (231, 462));
}

#[tokio::test]
async fn given_a_trace_of_more_spans_than_a_request_names_then_it_is_sent_as_a_whole() {
    let machine = Machine::new().await;
    machine.phoenix.put_traces(0..2, 25);
    let tally = machine.import(&["--page-size", "10"]).await.unwrap();
    assert_eq!((tally.traces, tally.spans, tally.totals.taken, machine.delivered()), (2, 50, 2, 50));
    assert_eq!(machine.phoenix.asked("otlpv1").len(), 5);

    machine.phoenix.put_traces(2..3, 600);
    let tally = machine.import(&[]).await.unwrap();
    assert_eq!((tally.traces, tally.totals.taken, machine.delivered()), (1, 2, 600));
}

#[tokio::test]
async fn given_annotations_then_each_is_an_assessment_once_and_a_new_text_of_it_another() {
    let machine = Machine::new().await;
    machine.phoenix.put_traces(0..2, 2);
    machine.phoenix.put_session("talk", 1);
    let at = "2026-11-02T12:00:00+00:00";
    machine.phoenix.annotate("span_id", &ids(0, 1).1, "good", 0.5, at);
    machine.phoenix.annotate("trace_id", &ids(1, 0).0, "helpful", 1.0, at);
    machine.phoenix.annotate("session_id", "talk", "polite", 0.25, at);
    let first = machine.import(&[]).await.unwrap();
    assert_eq!((first.annotations, first.complete(), machine.delivered()), (3, true, 4));
    let sent = machine.mlflow.assessments();
    for (name, span) in [("good", ids(0, 1).1), ("helpful", String::new()), ("polite", "talk".to_owned())] {
        let found = sent.iter().filter(|body| body.contains(name) && body.contains(&span)).count();
        assert_eq!(found, 1, "{name} in {sent:?}");
    }

    let second = machine.import(&[]).await.unwrap();
    assert_eq!((second.annotations, second.known_annotations), (0, 3));
    assert!(machine.mlflow.assessments().is_empty());

    machine.phoenix.annotate("span_id", &ids(0, 1).1, "good", 0.75, "2026-11-03T12:00:00.5+00:00");
    let third = machine.import(&[]).await.unwrap();
    assert_eq!((third.annotations, third.known_annotations, third.spans), (1, 2, 0));
    assert!(machine.mlflow.assessments().iter().all(|body| body.contains("0.75")));
}

#[tokio::test]
async fn given_a_span_on_which_phoenix_fails_then_it_alone_is_missing_and_the_import_is_not_complete() {
    let machine = Machine::new().await;
    machine.phoenix.put_traces(0..6, 2);
    let odd = ids(3, 1).1;
    machine.phoenix.script(move |path| {
        let fails = path.contains("otlpv1") && path.contains(&odd);
        fails.then(|| Response::builder().status(500).body(Body::empty()).unwrap())
    });
    let tally = machine.import(&[]).await.unwrap();
    assert_eq!((tally.unreadable, tally.complete(), machine.delivered()), (1, false, 11));
    // The trace of that span is asked for again, the others are not.
    machine.phoenix.script(|_| None);
    let again = machine.import(&[]).await.unwrap();
    assert_eq!((again.known_traces, again.traces, again.complete()), (5, 1, true));
}

#[tokio::test]
async fn given_a_span_that_nobody_can_read_then_it_is_quarantined_with_the_reason_and_the_others_are_sent() {
    let machine = Machine::new().await;
    machine.phoenix.put_traces(0..1, 3);
    let (trace_id, _) = ids(0, 0);
    machine.phoenix.put_span(json!({"trace_id": trace_id, "span_id": "00000000000000ff", "attributes": 7}));
    let tally = machine.import(&[]).await.unwrap();
    assert_eq!((tally.totals.quarantined, tally.complete(), machine.delivered()), (1, false, 3));
    let reasons: Vec<_> = std::fs::read_dir(machine.data.path().join("quarantine"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_str().unwrap().ends_with(".reason.json"))
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    let [reason] = &reasons[..] else { panic!("{reasons:?}") };
    assert!(reason.contains("from Phoenix"), "{reason}");
}

#[tokio::test]
async fn given_a_phoenix_that_is_away_for_a_while_then_it_is_asked_again() {
    let machine = Machine::new().await;
    machine.phoenix.put_traces(0..3, 1);
    let mut failures = 3;
    machine.phoenix.script(move |path| {
        let fails = path.contains("otlpv1") && failures > 0;
        failures -= i32::from(fails);
        fails.then(|| answer(503, &json!("database unreachable")))
    });
    let tally = machine.import(&[]).await.unwrap();
    assert_eq!((tally.complete(), machine.delivered()), (true, 3));
}

#[tokio::test]
async fn given_a_phoenix_that_does_not_come_back_then_what_was_read_is_delivered_and_the_next_import_goes_on() {
    let machine = Machine::new().await;
    machine.phoenix.put_traces(0..150, 1);
    machine.phoenix.script(|path| path.contains("cursor=").then(|| answer(502, &json!(null))));
    let said = machine.error(&[]).await;
    assert!(said.contains("has not answered") && said.contains("goes on"), "{said}");
    assert_eq!(machine.delivered(), 100);
    machine.phoenix.script(|_| None);
    let tally = machine.import(&[]).await.unwrap();
    assert_eq!((tally.known_traces, tally.traces, machine.delivered()), (100, 50, 50));
}

#[tokio::test]
async fn given_a_dry_run_then_it_is_counted_what_is_new_and_nothing_is_sent() {
    let machine = Machine::new().await;
    machine.phoenix.put_traces(0..2, 3);
    machine.phoenix.annotate("span_id", &ids(0, 1).1, "good", 0.5, "2026-11-02T12:00:00+00:00");
    machine.import(&[]).await.unwrap();
    machine.phoenix.put_traces(2..3, 3);
    machine.delivered();
    let tally = machine.import(&["--dry-run", "--project", "shop"]).await.unwrap();
    assert_eq!((tally.traces, tally.spans, tally.known_traces, tally.known_annotations), (1, 3, 2, 1));
    assert_eq!(machine.delivered(), 0);
}

#[tokio::test]
async fn given_an_interval_then_phoenix_is_asked_for_the_traces_that_began_in_it() {
    let machine = Machine::new().await;
    machine.import(&["--since", "2026-11-01", "--until", "2026-11-02T12:00:00Z"]).await.unwrap();
    let asked = machine.phoenix.asked("/traces?");
    assert!(asked[0].contains("start_time=2026-11-01T00%3A00%3A00.000000Z"), "{asked:?}");
    assert!(asked[0].contains("end_time=2026-11-02T12%3A00%3A00.000000Z"), "{asked:?}");
}

#[tokio::test]
async fn given_what_cannot_work_then_the_error_says_what_to_do() {
    let mut machine = Machine::new().await;
    let said = machine.error(&["--project", "shopp"]).await;
    assert!(said.contains("no project shopp") && said.contains("it has shop"), "{said}");

    machine.phoenix.script(|_| Some(answer(401, &json!("Invalid token"))));
    let said = machine.error(&[]).await;
    assert!(said.contains("asks for credentials") && said.contains("PHOENIX_API_KEY"), "{said}");
    let said = machine.import_with(&[], &[("PHOENIX_API_KEY", "s3cret")]).await.unwrap_err().to_string();
    assert!(said.contains("does not accept") && !said.contains("s3cret"), "{said}");
    assert_eq!(machine.phoenix.last_header("authorization").unwrap(), "Bearer s3cret");

    let redirect = |_: &str| {
        Some(Response::builder().status(301).header("location", "https://other/x").body(Body::empty()).unwrap())
    };
    machine.phoenix.script(redirect);
    let said = machine.error(&[]).await;
    assert!(said.contains("redirects to https://other\n"), "{said}");

    // The page that Phoenix answers with where it knows no such path.
    machine.phoenix.script(|path| {
        let page = Response::builder().header("content-type", "text/html").header("x-phoenix-server-version", "8.0.0");
        path.contains("/traces").then(|| page.body("<html>".into()).unwrap())
    });
    let said = machine.error(&[]).await;
    assert!(said.contains("Phoenix 8.0.0") && said.contains("update"), "{said}");

    for status in [200, 404] {
        machine.phoenix.script(move |_| Some(Response::builder().status(status).body("hello".into()).unwrap()));
        let said = machine.error(&[]).await;
        assert!(said.contains("not as Phoenix does"), "{said}");
    }

    machine.phoenix.script(|_| Some(answer(200, &json!({"data": [{"name": 7}]}))));
    let said = machine.error(&[]).await;
    assert!(said.contains("another shape"), "{said}");

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    machine.from = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let said = machine.error(&[]).await;
    assert!(said.contains("does not answer") && said.contains("--from-phoenix"), "{said}");
}
