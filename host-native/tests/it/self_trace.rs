//! The host's own spans, as a collector of another kind receives them.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

use crate::support::mlflow::Mlflow;
use crate::support::payload;
use crate::support::program::{Program, command, post};

fn spans(collector: &Mlflow) -> Vec<Span> {
    let exports = collector.exports().into_iter().map(|seen| ExportTraceServiceRequest::decode(seen.body).unwrap());
    let resources = exports.flat_map(|export| export.resource_spans);
    let resources = resources.inspect(|spans| {
        let attributes = &spans.resource.as_ref().unwrap().attributes;
        assert!(format!("{attributes:?}").contains("openinference-mlflow"), "{attributes:?}");
    });
    resources.flat_map(|spans| spans.scope_spans).flat_map(|scope| scope.spans).collect()
}

#[tokio::test]
async fn given_an_endpoint_then_the_work_on_a_payload_is_told_in_spans_without_its_content() {
    let (mlflow, collector) = (Mlflow::start().await, Mlflow::start().await);
    let dir = tempfile::tempdir().unwrap();
    let uri = format!("--tracking-uri=http://{}", mlflow.address);
    let endpoint = format!("--self-trace-endpoint=http://{}", collector.address);
    let program = Program::serve(dir.path(), &[&uri, &endpoint, "--settle=1ms"], &[]);
    assert_eq!(post(&program.url().await, payload::trace(1)).await, 200);
    program.terminate();
    let (status, said) = tokio::task::spawn_blocking(|| program.end()).await.unwrap();
    assert!(status.success(), "{said}");

    let spans = spans(&collector);
    let named = |name: &str| spans.iter().filter(|span| span.name == name).collect::<Vec<_>>();
    let (receive, ingest) = (named("receive"), named("ingest"));
    assert_eq!((receive.len(), ingest.len()), (1, 1), "{spans:#?}");
    assert_eq!(ingest[0].parent_span_id, receive[0].span_id);
    assert_eq!(named("request").len(), mlflow.seen().len());
    assert_eq!(spans.len(), 2 + mlflow.seen().len(), "{spans:#?}");
    let text = format!("{spans:?}");
    assert!(!text.contains("openinference.span.kind") && !text.contains("chat"), "{text}");
}

#[tokio::test]
async fn given_no_endpoint_then_the_variables_of_applications_make_it_export_nothing() {
    let collector = Mlflow::start().await;
    let dir = tempfile::tempdir().unwrap();
    let environment = [("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{}", collector.address))];
    let environment: Vec<_> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let program = Program::serve(dir.path(), &[], &environment);
    assert_eq!(post(&program.url().await, payload::trace(1)).await, 200);
    program.terminate();
    assert!(tokio::task::spawn_blocking(|| program.end()).await.unwrap().0.success());
    assert!(collector.seen().is_empty());
}

#[test]
fn given_its_own_receiver_as_the_endpoint_then_it_refuses() {
    let dir = tempfile::tempdir().unwrap();
    for (listen, endpoint) in [
        ("127.0.0.1:4318", "http://127.0.0.1:4318"),
        ("127.0.0.1:4318", "http://localhost:4318/"),
        ("0.0.0.0:4318", "http://127.0.0.1:4318"),
        ("[::1]:4318", "http://[::1]:4318"),
    ] {
        let flags = [
            "serve",
            &format!("--http-listen={listen}"),
            &format!("--self-trace-endpoint={endpoint}"),
            "--admin-listen=off",
        ];
        let output = command(dir.path(), &flags).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{endpoint}: {said}");
        assert!(said.contains("own receiver") && said.contains("hint:"), "{said}");
    }
}
