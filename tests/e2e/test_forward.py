"""The same application's traces in a real MLflow and a real Phoenix, through one host, also when one of them is away."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.harness import example
from e2e.harness import openai_app
from e2e.harness.application import run_openai_app
from e2e.harness.gateway import Gateway
from e2e.harness.mlflow_server import MlflowServer
from e2e.harness.mock_openai import MockOpenAI
from e2e.harness.phoenix_server import PhoenixServer
from e2e.harness.readback import Reader
from e2e.harness.wait import eventually

_QUICK = ("--settle", "50ms", "--retry-initial", "100ms", "--retry-max", "1s", "--experiment", "beside")


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Iterator[MlflowServer]:
    server = MlflowServer(tmp_path_factory.mktemp("mlflow-beside"), store=empty_store).start()
    yield server
    server.stop()


def _grpc(phoenix: PhoenixServer) -> str:
    return phoenix.grpc.replace("http://", "grpc://")


@pytest.mark.parametrize("over", ("http", "grpc"))
def test_an_application_is_in_both(
    folder: Path, mlflow: MlflowServer, phoenix: PhoenixServer, model_api: MockOpenAI, over: str
):
    destination = phoenix.uri if over == "http" else _grpc(phoenix)
    with Gateway(folder, *_QUICK, "--forward", destination, tracking_uri=mlflow.uri) as gateway:
        traces = run_openai_app(model_api.base_url, "http", gateway.traces_url)
        reader = Reader(mlflow.uri)
        for trace_id in traces.values():
            spans = reader.wait_for_trace(trace_id, 1).data.spans
            _wait_for(phoenix, {(trace_id, span.span_id) for span in spans}, openai_app.PROJECT)
    assert not gateway.quarantine_reasons()


def test_one_that_is_away_holds_the_other_up_in_no_way_and_gets_everything_later(
    folder: Path, mlflow: MlflowServer, phoenix: PhoenixServer
):
    reader = Reader(mlflow.uri)
    with Gateway(folder, *_QUICK, "--forward", phoenix.uri, "--forward", _grpc(phoenix), tracking_uri=mlflow.uri) as gateway:
        without_phoenix = example.agent("while Phoenix is away")
        phoenix.stop()
        example.payload(without_phoenix).post(gateway.traces_url).require(200)
        assert len(reader.wait_for_trace(without_phoenix.trace_id.hex(), 2).data.spans) == 2
        phoenix.start()
        _wait_for(phoenix, _ids(without_phoenix))

        without_mlflow = example.agent("while MLflow is away")
        mlflow.stop()
        example.payload(without_mlflow).post(gateway.traces_url).require(200)
        _wait_for(phoenix, _ids(without_mlflow))
        mlflow.start()
        assert len(reader.wait_for_trace(without_mlflow.trace_id.hex(), 2, within=60).data.spans) == 2
    assert not gateway.quarantine_reasons()


def _ids(trace) -> set[tuple[str, str]]:
    return {(span.trace_id.hex(), span.span_id.hex()) for span in trace.spans}


def _wait_for(phoenix: PhoenixServer, wanted: set[tuple[str, str]], project: str = "default") -> None:
    def arrived() -> bool:
        return wanted <= {(span["trace_id"], span["span_id"]) for span in phoenix.spans(project)}

    eventually(arrived, f"{len(wanted)} spans in Phoenix", within=60)
