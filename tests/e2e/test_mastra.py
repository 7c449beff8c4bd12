"""Mastra as docs/gateway.md sets it up: its own exporter → serve → a real MLflow."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from e2e.harness import mock_openai_answers as answers
from e2e.harness.environment import clean_environment
from e2e.harness.gateway import Gateway
from e2e.harness.mlflow_server import MlflowServer
from e2e.harness.mock_openai import MockOpenAI
from e2e.harness.readback import Reader
from e2e.harness.wait import eventually

_REPOSITORY = Path(__file__).resolve().parents[2]
# The captures of Mastra have its packages, and the Node that it wants.
_PACKAGES = _REPOSITORY / "tests/capture/javascript/mastra"
_NODE = _PACKAGES / "node_modules/node-22/bin/node"

_AGENT = """
import { createOpenAI } from "@ai-sdk/openai";
import { Agent } from "@mastra/core/agent";
const model = createOpenAI().chat("gpt-4o-mini");
const assistant = new Agent({ id: "assistant", name: "assistant", instructions: "Be brief.", model });
"""
_RUN = """
await mastra.getAgent("assistant").generate("What is the capital of France?");
await mastra.shutdown();
"""
_BY_OPTION = """  endpoint: "http://127.0.0.1:4318/v1/traces",
  projectName: "my-agent",
"""


def _example() -> str:
    page = (_REPOSITORY / "docs/gateway.md").read_text()
    (example,) = re.findall(r"```ts\n(.*?)```", page, re.S)
    assert _BY_OPTION in example
    return example


@pytest.fixture(scope="module")
def packages() -> None:
    installed = _PACKAGES / "node_modules/.package-lock.json"
    lock = _PACKAGES / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        npm = shutil.which("npm")
        assert npm is not None, "npm is missing"
        subprocess.run([npm, "ci", "--ignore-scripts"], cwd=_PACKAGES, check=True, timeout=600, capture_output=True)


@pytest.mark.parametrize("way", ["options", "variables"])
def test_the_pages_example_has_its_trace_in_mlflow(
    way: str, packages: None, folder: Path, mlflow_server: MlflowServer, reader: Reader, model_api: MockOpenAI
) -> None:
    experiment = f"mastra by {way}"
    example, variables = _example(), {}
    with Gateway(folder, tracking_uri=mlflow_server.uri) as gateway:
        if way == "options":
            example = example.replace("http://127.0.0.1:4318/v1/traces", gateway.traces_url).replace("my-agent", experiment)
        else:
            example = example.replace(_BY_OPTION, "")
            variables = {"PHOENIX_COLLECTOR_ENDPOINT": gateway.traces_url, "PHOENIX_PROJECT_NAME": experiment}
        environment = clean_environment(OPENAI_BASE_URL=model_api.base_url, OPENAI_API_KEY="none", MASTRA_TELEMETRY_DISABLED="1")
        done = subprocess.run(
            [str(_NODE), "--input-type=module", "--eval", _AGENT + example + _RUN],
            cwd=_PACKAGES,
            env=environment | variables,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        found = eventually(lambda: reader.client.get_experiment_by_name(experiment), "the experiment")
        (trace,) = eventually(
            lambda: reader.client.search_traces(locations=[found.experiment_id]), "the trace", within=60
        )
    spans = {span.name: span for span in trace.data.spans}
    assert spans["invoke_agent assistant"].span_type == "AGENT"
    model = spans["chat gpt-4o-mini"]
    assert model.inputs["messages"][-1] == {"role": "user", "content": "What is the capital of France?"}
    assert model.outputs["choices"][0]["message"]["content"] == answers.CHAT_TEXT
    assert str(trace.info.state) == "OK"
    assert trace.info.trace_metadata["mlflow.trace.tokenUsage"]
