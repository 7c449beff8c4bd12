"""An agent and the MCP server of its tool, two programs: `openinference-instrumentation-mcp` makes one trace of both.

The agent is the client and has the root span. The server's span ends first, and comes from another sender.
"""

from pathlib import Path

import pytest
from mlflow.entities import Trace

from e2e.harness import mcp_scenario as scenario
from e2e.harness.application import MCP, run_module
from e2e.harness.gateway import Gateway
from e2e.harness.mlflow_server import MlflowServer
from e2e.harness.readback import Reader
from e2e.harness.wait import eventually

pytestmark = pytest.mark.python_package

_SPANS = sorted((scenario.AGENT, scenario.TOOL))


@pytest.fixture(params=("through the gateway", "with autolog()"))
def run(request: pytest.FixtureRequest, folder: Path, mlflow_server: MlflowServer, reader: Reader, experiment: str):
    """Runs both programs; the traces in MLflow once it has the spans of both."""

    def with_options(*options: str) -> list[Trace]:
        name = reader.client.get_experiment(experiment).name
        if request.param == "with autolog()":
            run_module(MCP, "e2e.harness.mcp_app", "agent", mlflow_server.uri, name, "--autolog", *options)
            return _traces(reader, experiment)
        with Gateway(folder, "--experiment-id", experiment, tracking_uri=mlflow_server.uri) as gateway:
            run_module(MCP, "e2e.harness.mcp_app", "agent", gateway.traces_url, name, *options)
            return _traces(reader, experiment)

    return with_options


def _traces(reader: Reader, experiment: str) -> list[Trace]:
    def probe() -> list[Trace] | None:
        found = [reader.trace(trace_id) for trace_id in reader.trace_ids(experiment)]
        return found if sorted(span.name for trace in found for span in trace.data.spans) == _SPANS else None

    return eventually(probe, f"the spans {_SPANS} in MLflow", within=60)


def test_client_and_server_of_a_call_are_one_trace(run, reader: Reader) -> None:
    (trace,) = run("--instrumented")

    spans = {span.name: span for span in trace.data.spans}
    agent, tool = spans[scenario.AGENT], spans[scenario.TOOL]
    assert (agent.span_type, agent.parent_id) == ("AGENT", None)
    assert (tool.span_type, tool.parent_id) == ("TOOL", agent.span_id)
    assert agent.start_time_ns <= tool.start_time_ns <= tool.end_time_ns <= agent.end_time_ns
    assert (tool.inputs, tool.outputs) == ({"city": scenario.CITY}, scenario.WEATHER)

    trace_id = trace.info.trace_id.removeprefix("tr-")
    info = reader.wait_for_previews(trace_id, (scenario.QUESTION, scenario.WEATHER))
    assert str(info.state) == "OK"
    assert info.tags["mlflow.traceName"] == scenario.AGENT


def test_without_the_instrumentation_they_are_two(run) -> None:
    assert len(run()) == 2
