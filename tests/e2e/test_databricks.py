"""A Databricks workspace, against a contract: what MLflow's own client sends is recorded, and the gateway must send spans
in the same way. No real workspace was ever asked.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.harness import example
from e2e.harness.application import APPLICATIONS, application_environment
from e2e.harness.databricks import TOKEN, Export, Workspace
from e2e.harness.environment import clean_environment
from e2e.harness.gateway import Gateway, run
from e2e.harness.wait import eventually

_SCHEMA = "main.traces"
_TABLE = f"{_SCHEMA}.mlflow_experiment_trace_otel_spans"
_QUESTION = {"question": ["a", 1]}
_CLIENT = f"""\
import mlflow
with mlflow.start_span("answer", span_type="CHAIN") as span:
    span.set_inputs({_QUESTION!r})
    span.set_outputs("text")
"""
_KEYS = ("mlflow.spanType", "mlflow.spanInputs", "mlflow.spanOutputs")


def _of_mlflows_client(workspace: Workspace, variables: dict[str, str]) -> Export:
    """What the client sends for one span. It takes nothing from a workspace that is not its own to send."""
    settings = {"MLFLOW_TRACING_DESTINATION": _SCHEMA, "MLFLOW_ENABLE_ASYNC_TRACE_LOGGING": "false"}
    environment = clean_environment(**settings, **variables)
    done = subprocess.run([sys.executable, "-c", _CLIENT], env=environment, capture_output=True, text=True, timeout=120)
    assert len(workspace.exports) == 1, done.stderr
    return workspace.exports.pop()


def _values(export: Export) -> dict[str, bytes]:
    """The values of the span, as they are encoded."""
    span = next(span for span in export.spans if span.name == "answer")
    found = {each.key: each.value for each in span.attributes if each.key in _KEYS}
    return {key: found[key].SerializeToString(deterministic=True) for key in _KEYS}


def _payload(name: str):
    trace = example.agent(name)
    values = {"input.value": json.dumps(_QUESTION), "input.mime_type": "application/json", "output.value": "text"}
    trace.span("answer", "CHAIN", values, parent=name)
    return example.payload(trace)


@pytest.mark.parametrize("way", ("variables", "profile", "token of the environment, host of the profile"))
def test_the_gateway_sends_spans_as_mlflows_own_client_does(tmp_path: Path, way: str) -> None:
    with Workspace(_TABLE) as workspace:
        variables = workspace.variables()
        if way != "variables":
            profile = workspace.profile("team")
            variables = {"MLFLOW_TRACKING_URI": "databricks://team"}
            if way != "profile":
                profile = profile.replace(TOKEN, "another")
                variables["DATABRICKS_TOKEN"] = TOKEN
            (tmp_path / ".databrickscfg").write_text(profile)
        variables["HOME"] = str(tmp_path)
        recorded = _of_mlflows_client(workspace, variables)
        variables["MLFLOW_TRACING_DESTINATION"] = _SCHEMA
        with Gateway(tmp_path / "gateway", environment=variables) as gateway:
            _payload(f"to a table, {way}").post(gateway.traces_url).require(200)
        sent = workspace.exports[0]
        for name in ("authorization", "content-type", "x-databricks-uc-table-name"):
            assert sent.headers[name] == recorded.headers[name], name
        assert len(workspace.spans) == 3 and _values(sent) == _values(recorded)
        assert TOKEN not in gateway.log_text() and "delivers   to" in gateway.log_text()


def test_spans_wait_for_a_token_that_is_accepted_and_for_the_table(tmp_path: Path) -> None:
    with Workspace() as workspace:
        workspace.token = "another"
        fast = ("--retry-initial", "50ms", "--retry-max", "200ms")
        environment = workspace.variables() | {"MLFLOW_TRACING_DESTINATION": "main.traces.agent"}
        with Gateway(tmp_path / "gateway", *fast, environment=environment) as gateway:
            _payload("waits").post(gateway.traces_url).require(200)
            gateway.wait_for_log("check DATABRICKS_TOKEN")
            workspace.token = TOKEN
            gateway.wait_for_log("the table main.traces.agent_otel_spans is missing")
            assert {401, 404} == set(workspace.refusals) and not gateway.quarantine_reasons()
            workspace.tables.add("main.traces.agent_otel_spans")
            eventually(lambda: len(workspace.spans) == 3, "the spans in the table")
        assert TOKEN not in gateway.log_text()


def test_an_experiment_is_not_used_and_this_is_said(tmp_path: Path) -> None:
    with Workspace(_TABLE) as workspace:
        environment = workspace.variables() | {"MLFLOW_TRACING_DESTINATION": _SCHEMA, "MLFLOW_EXPERIMENT_NAME": "mine"}
        with Gateway(tmp_path / "gateway", environment=environment) as gateway:
            gateway.wait_for_log("experiment, run and workspace are not used")
            _payload("no experiment").post(gateway.traces_url, {"x-mlflow-experiment-id": "7"}).require(200)
        assert len(workspace.spans) == 3


def test_the_quarantine_is_replayed_into_the_table(tmp_path: Path) -> None:
    with Workspace(_TABLE) as workspace:
        capture = tmp_path / "spans.pb"
        capture.write_bytes(_payload("replayed").body)
        environment = workspace.variables() | {"MLFLOW_TRACING_DESTINATION": _SCHEMA}
        done = run("replay", "--data-dir", str(tmp_path / "data"), str(capture), environment=environment)
        assert done.returncode == 0, done.stderr
        assert len(workspace.spans) == 3


def test_doctor_asks_who_the_token_belongs_to(tmp_path: Path) -> None:
    with Workspace() as workspace:
        environment = workspace.variables() | {"MLFLOW_TRACING_DESTINATION": _SCHEMA}
        for token, state in ((TOKEN, "ok"), ("another", "broken")):
            workspace.token = token
            done = run("doctor", "--data-dir", str(tmp_path), "--json", environment=environment)
            found = {each["check"]: each for each in json.loads(done.stdout)["findings"]}
            assert found["credentials"]["state"] == state and _SCHEMA in found["traces"]["found"]
            assert TOKEN not in (done.stdout + done.stderr).decode()


def test_without_a_trace_location_the_error_says_what_to_name(tmp_path: Path) -> None:
    with Workspace() as workspace:
        done = run("serve", "--data-dir", str(tmp_path), environment=workspace.variables())
        assert done.returncode != 0 and b"MLFLOW_TRACING_DESTINATION" in done.stderr
        assert TOKEN not in done.stderr.decode()


_APPLICATION = f"""
import openinference_mlflow as om
from opentelemetry import trace
om.autolog()
with trace.get_tracer("databricks").start_as_current_span("answer") as span:
    span.set_attributes({{
        "openinference.span.kind": "CHAIN", "input.mime_type": "application/json", "output.value": "text",
        "input.value": {json.dumps(_QUESTION)!r},
    }})
om.log_feedback(om.last_trace_id(), "helpful", True)
om.flush()
print(om.stats(), om.get_trace_url())
"""


@pytest.mark.python_package
@pytest.mark.parametrize("way", ("variables", "profile"))
def test_the_python_package_sends_spans_as_mlflows_own_client_does(tmp_path: Path, way: str) -> None:
    with Workspace(_TABLE) as workspace:
        variables = workspace.variables()
        if way == "profile":
            (tmp_path / "profiles").write_text(workspace.profile("team"))
            variables = {"MLFLOW_TRACKING_URI": "databricks://team", "DATABRICKS_CONFIG_FILE": str(tmp_path / "profiles")}
        recorded = _of_mlflows_client(workspace, variables)
        environment = application_environment(MLFLOW_TRACING_DESTINATION=_SCHEMA, **variables)
        done = subprocess.run(
            [APPLICATIONS, "-c", _APPLICATION], env=environment, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0 and "'delivered': 1," in done.stdout and "None" in done.stdout, done
        sent = workspace.exports[0]
        for name in ("authorization", "content-type", "x-databricks-uc-table-name"):
            assert sent.headers[name] == recorded.headers[name], name
        assert len(workspace.spans) == 1 and _values(sent) == _values(recorded)
        assert "traces are in Unity Catalog, at main.traces" in done.stderr
        assert "a table of Unity Catalog takes spans alone" in done.stderr
        assert TOKEN not in done.stderr + done.stdout
