"""One application with `phoenix.otel.register()` and the Python package: Phoenix gets what it got, MLflow gets everything."""

from pathlib import Path
from typing import Any

import pytest

from e2e.harness import openai_app
from e2e.harness.application import run_openai_app
from e2e.harness.mlflow_server import MlflowServer
from e2e.harness.mock_openai import MockOpenAI
from e2e.harness.openai_scenarios import SCENARIOS
from e2e.harness.phoenix_server import PhoenixServer
from e2e.harness.readback import Reader
from e2e.harness.wait import eventually

pytestmark = pytest.mark.python_package

_REPOSITORY = Path(__file__).resolve().parents[2]
# The oldest and the newest OpenTelemetry SDK that the package supports, with the same instrumentor.
_SDKS = {name: _REPOSITORY / f".venv-python-{name}/bin/python" for name in ("oldest", "newest")}
_SPANS = len(SCENARIOS) + 3  # The scenario `tools` makes four.


@pytest.fixture(scope="module", params=_SDKS)
def sdk(request: pytest.FixtureRequest) -> Path:
    return _SDKS[request.param]


@pytest.fixture(scope="module")
def alone(sdk: Path, phoenix: PhoenixServer, model_api: MockOpenAI) -> list[dict]:
    """What Phoenix has of the application when it does not use the Python package."""
    return _in_phoenix(phoenix, _run(sdk, phoenix, model_api))


@pytest.mark.parametrize("order", ("autolog first", "autolog last"))
def test_phoenix_gets_the_same_and_mlflow_gets_everything(
    sdk: Path,
    alone: list[dict],
    phoenix: PhoenixServer,
    mlflow_server: MlflowServer,
    reader: Reader,
    model_api: MockOpenAI,
    experiment: str,
    order: str,
) -> None:
    name = reader.client.get_experiment(experiment).name
    last = ("--autolog-last",) if order == "autolog last" else ()
    traces = _run(sdk, phoenix, model_api, "--autolog", mlflow_server.uri, name, *last)

    beside = _in_phoenix(phoenix, traces)
    assert _contents(beside) == _contents(alone)

    stored = {
        (trace_id, span.span_id, span.parent_id) for trace_id in traces for span in reader.trace(trace_id).data.spans
    }
    assert stored == {(span["trace_id"], span["span_id"], span["parent_span_id"] or None) for span in beside}
    assert reader.trace_ids(experiment) == set(traces)


def _run(python: Path, phoenix: PhoenixServer, model_api: MockOpenAI, *options: str) -> list[str]:
    """The traces of one run."""
    endpoint = f"{phoenix.uri}/v1/traces"
    return list(run_openai_app(model_api.base_url, "phoenix", endpoint, options=options, python=python).values())


def _in_phoenix(phoenix: PhoenixServer, traces: list[str]) -> list[dict]:
    """The spans of these traces, as they began."""

    def probe() -> list[dict] | None:
        found = [span for span in phoenix.spans(openai_app.PROJECT) if span["trace_id"] in traces]
        return found if len(found) >= _SPANS else None

    found = eventually(probe, f"{_SPANS} spans in Phoenix", within=60)
    assert len(found) == _SPANS
    return sorted(found, key=lambda span: span["start_time_unix_nano"])


def _contents(spans: list[dict]) -> list[dict]:
    """Everything but ids and times, in which two runs differ; parents as their places in the list."""
    places = {span["span_id"]: place for place, span in enumerate(spans)}
    return [_without_identity(span) | {"parent": places.get(span["parent_span_id"])} for span in spans]


def _without_identity(value: Any) -> Any:
    if isinstance(value, list):
        items = [_without_identity(item) for item in value]
        # Phoenix returns attributes in any order.
        return sorted(items, key=lambda item: item.get("key", "")) if all(isinstance(i, dict) for i in items) else items
    if isinstance(value, dict):
        return {key: _without_identity(item) for key, item in value.items() if not key.endswith(("_id", "_unix_nano"))}
    return value
