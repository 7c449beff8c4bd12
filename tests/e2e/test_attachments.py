"""A real application shows a model a picture → a real MLflow: an attachment where MLflow serves artifacts."""

import json
from pathlib import Path
from urllib.parse import urlencode

import pytest
from mlflow.artifacts import download_artifacts
from mlflow.entities import Trace
from mlflow.tracing.attachments import Attachment

from e2e.harness import http
from e2e.harness.application import APPLICATIONS, run_openai_app
from e2e.harness.gateway import Gateway
from e2e.harness.mlflow_server import MlflowServer
from e2e.harness.mock_openai import MockOpenAI
from e2e.harness.openai_scenarios import PICTURE
from e2e.harness.otlp_sink import OtlpSink
from e2e.harness.readback import Reader

_SPANS = 3


def _references(trace: Trace) -> set[str]:
    """What MLflow's client finds in the places that its UI reads, and everywhere else."""
    calls = [span for span in trace.data.spans if span.span_type == "LLM"]
    assert len(calls) == _SPANS - 1
    shown = {span.inputs["messages"][0]["content"][1]["image_url"]["url"] for span in calls}
    for span in calls:
        (kept,) = {value for key, value in span.attributes.items() if key.endswith("image.image.url")}
        assert {kept} == shown
    return shown


@pytest.fixture
def through_the_gateway(mlflow_server: MlflowServer, reader: Reader, model_api: MockOpenAI, folder: Path) -> Trace:
    # An experiment that does not exist yet.
    with Gateway(folder, "--experiment", "pictures", tracking_uri=mlflow_server.uri) as gateway:
        trace_id = run_openai_app(model_api.base_url, "http", gateway.traces_url, "picture")["picture"]
        return reader.wait_for_trace(trace_id, _SPANS)


@pytest.fixture
def with_the_python_package(mlflow_server: MlflowServer, reader: Reader, model_api: MockOpenAI) -> Trace:
    options = ("--autolog", mlflow_server.uri, "pictures of the Python package")
    with OtlpSink() as sink:
        made = run_openai_app(model_api.base_url, "http", sink.traces_url, "picture", options=options, python=APPLICATIONS)
    return reader.trace(made["picture"])


@pytest.mark.parametrize(
    "way", ("through_the_gateway", pytest.param("with_the_python_package", marks=pytest.mark.python_package))
)
def test_a_picture_is_an_attachment_that_mlflow_returns_byte_for_byte(
    request: pytest.FixtureRequest, mlflow_server: MlflowServer, tmp_path: Path, way: str
) -> None:
    trace: Trace = request.getfixturevalue(way)
    (reference,) = _references(trace)
    parsed = Attachment.parse_ref(reference)
    assert parsed is not None
    assert parsed["content_type"] == "image/png" and parsed["size"] == len(PICTURE)
    assert parsed["trace_id"] == trace.info.trace_id
    assert len(json.dumps(trace.to_dict())) < len(PICTURE), "nothing of the picture is left in the spans"

    # As the UI asks for it.
    query = urlencode({"request_id": parsed["trace_id"], "path": parsed["attachment_id"]})
    answer = http.request("GET", f"{mlflow_server.uri}/ajax-api/2.0/mlflow/get-trace-artifact?{query}")
    assert (answer.status, answer.body) == (200, PICTURE)

    # As the client does, from the place that MLflow gave the trace.
    location = f"{trace.info.tags['mlflow.artifactLocation']}/attachments/{parsed['attachment_id']}"
    local = download_artifacts(location, dst_path=str(tmp_path), tracking_uri=mlflow_server.uri)
    assert Path(local).read_bytes() == PICTURE


def test_a_server_without_artifacts_keeps_the_picture_in_the_spans(
    empty_store: Path, model_api: MockOpenAI, tmp_path: Path
) -> None:
    # One experiment that the server was to serve the artifacts of once, and one that it never was.
    server = MlflowServer(tmp_path / "mlflow", store=empty_store, extra_arguments=("--no-serve-artifacts",)).start()
    try:
        reader = Reader(server.uri)
        once = reader.client.create_experiment("once", artifact_location="mlflow-artifacts:/once")
        for experiment in (once, reader.create_experiment("never")):
            folder = tmp_path / f"gateway-{experiment}"
            with Gateway(folder, "--experiment-id", experiment, tracking_uri=server.uri) as gateway:
                trace_id = run_openai_app(model_api.base_url, "http", gateway.traces_url, "picture")["picture"]
                trace = reader.wait_for_trace(trace_id, _SPANS)
            (url,) = _references(trace)
            assert url.startswith("data:image/png;base64,")
            assert ("as attachments (503)" in gateway.log_text()) == (experiment == once)
            assert gateway.quarantine_reasons() == []
    finally:
        server.stop()
