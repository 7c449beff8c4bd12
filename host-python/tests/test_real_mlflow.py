"""A real MLflow server, read back with MLflow's own client; beside `mlflow.otel.autolog()` in one process."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MLFLOW_PYTHON = ROOT / ".venv/bin/python"
SOURCES = ROOT / "host-python/src"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("mlflow")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(MLFLOW_PYTHON.parent / "mlflow"), "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "1", "--backend-store-uri", f"sqlite:///{folder}/mlflow.db"]
    command += ["--artifacts-destination", str(folder / "artifacts")]
    env = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    process = subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    uri = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 300
    try:
        while True:
            try:
                urllib.request.urlopen(f"{uri}/health", timeout=10)
                break
            except OSError:
                assert time.monotonic() < deadline and process.poll() is None, "mlflow server does not start"
                time.sleep(0.2)
        yield uri
    finally:
        process.terminate()
        process.wait()


def python(executable: Path | str, code: str, **environment: str) -> str:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "OTEL_"))}
    done = subprocess.run(
        [str(executable), "-c", code], env=env | environment, capture_output=True, text=True, timeout=180
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def read_back(uri: str, experiment: str) -> list[dict]:
    code = f"""
import json, mlflow
mlflow.set_tracking_uri({uri!r})
experiment = mlflow.get_experiment_by_name({experiment!r})
traces = mlflow.search_traces(experiment_ids=[experiment.experiment_id], return_type="list", include_spans=True)
print("RESULT" + json.dumps([{{
    "id": t.info.trace_id, "state": str(t.info.state), "preview": [t.info.request_preview, t.info.response_preview],
    "usage": t.info.token_usage,
    "assessments": [[a.name, a.value, a.rationale] for a in t.info.assessments],
    "spans": [[s.name, s.span_type, s.parent_id is not None, s.inputs, s.outputs] for s in t.data.spans],
}} for t in traces]))
"""
    out = python(MLFLOW_PYTHON, code)
    return json.loads(next(line for line in out.splitlines() if line.startswith("RESULT"))[6:])


OPENAI_APP = """
import sys; sys.path.insert(0, SOURCES)
import openai
import openinference_mlflow as om
from openinference.instrumentation.openai import OpenAIInstrumentor
from opentelemetry import trace
om.autolog(tracking_uri=URI, experiment="openai")
OpenAIInstrumentor().instrument()
client = openai.OpenAI(api_key="none", base_url=MODEL + "/v1", max_retries=0)
with trace.get_tracer("app").start_as_current_span("agent", attributes={"openinference.span.kind": "AGENT"}):
    client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "Hello"}])
om.log_feedback(om.last_trace_id(), "correct", True, "as expected")
"""


def test_an_openai_agent_is_in_mlflow_as_a_person_expects_it(server, mlflow):
    app = (
        OPENAI_APP.replace("SOURCES", repr(str(SOURCES)))
        .replace("URI", repr(server))
        .replace("MODEL", repr(mlflow.uri))
    )
    assert f"traces are at {server}/#/experiments/" in python(sys.executable, app)
    (trace,) = read_back(server, "openai")
    assert trace["state"].endswith("OK")
    assert trace["usage"]["total_tokens"] == 11
    assert trace["assessments"] == [["correct", True, "as expected"]]
    spans = {name: rest for name, *rest in trace["spans"]}
    assert spans["agent"][0] == "AGENT"
    kind, has_parent, inputs, outputs = spans["ChatCompletion"]
    assert (kind, has_parent) == ("CHAT_MODEL", True) or (kind, has_parent) == ("LLM", True)
    assert inputs["messages"][0]["content"] == "Hello"
    assert "Hi" in json.dumps(outputs)
    assert "Hello" in trace["preview"][0] and "Hi" in trace["preview"][1]


THEIRS, OURS = "mlflow.otel.autolog()", "om.autolog()"
OUR_PROCESSOR = "trace.get_tracer_provider().add_span_processor(om.MlflowSpanProcessor())"


@pytest.mark.parametrize(
    ("name", "steps"),
    [("theirs-first", [THEIRS, OURS]), ("ours-first", [OURS, THEIRS]), ("processor", [THEIRS, OUR_PROCESSOR])],
)
def test_beside_mlflow_otel_autolog_this_package_delivers_and_no_trace_is_there_twice(server, name, steps):
    packages = [path for path in sys.path if path.endswith("site-packages")]
    code = f"""
import sys
import mlflow, mlflow.otel
sys.path.append({packages[0]!r}); sys.path.insert(0, {str(SOURCES)!r})
import openinference_mlflow as om
from opentelemetry import trace
mlflow.set_tracking_uri({server!r}); mlflow.set_experiment({name!r})
{chr(10).join(steps)}
with trace.get_tracer("app").start_as_current_span("root", attributes={{
    "openinference.span.kind": "LLM", "llm.input_messages.0.message.role": "user",
    "llm.input_messages.0.message.content": "Hello"}}): pass
assert om.flush(), om.stats()
"""
    out = python(MLFLOW_PYTHON, code)
    assert "mlflow.otel.autolog() pauses" in out
    (trace,) = read_back(server, name)
    assert len(trace["spans"]) == 1 and trace["spans"][0][1] in ("LLM", "CHAT_MODEL")
    assert trace["spans"][0][3]["messages"] == [{"role": "user", "content": "Hello"}]


def test_the_readmes_quickstart_runs_in_an_empty_environment_with_the_built_wheel(server, tmp_path):
    (wheel,) = (ROOT / "dist").glob("openinference_mlflow-*-py3-none-any.whl")
    quickstart = (ROOT / "host-python/examples/quickstart.py").read_text()
    assert re.findall(r"```python\n(.*?)```", (ROOT / "host-python/README.md").read_text(), re.S) == [quickstart]
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    installed = tmp_path / "venv/bin/python"
    subprocess.run([installed, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel], check=True)
    out = python(installed, quickstart.replace("http://127.0.0.1:5000", server))
    assert f"traces are at {server}/#/experiments/" in out
    (trace,) = read_back(server, "quickstart")
    assert trace["spans"] == [["answer", "CHAIN", False, "Hi", "Hello!"]]
