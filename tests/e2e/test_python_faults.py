"""The Python package and a real MLflow that is killed and starts again, that asks for a password, that gets a large span."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.harness.application import APPLICATIONS, application_environment
from e2e.harness.auth import PASSWORD, USERNAME, basic_auth_server
from e2e.harness.mlflow_server import MlflowServer
from e2e.harness.readback import Reader

pytestmark = pytest.mark.python_package

_APPLICATION = """
import sys
import openinference_mlflow as om
from opentelemetry import trace
om.autolog(experiment="faults")
def span(name, value):
    with trace.get_tracer("faults").start_as_current_span(name) as each:
        each.set_attributes({"openinference.span.kind": "CHAIN", "input.value": value})
    print(om.last_trace_id().removeprefix("tr-"), flush=True)
"""
_LIMIT_S = 120.0


@pytest.fixture
def mlflow(empty_store: Path, tmp_path: Path) -> Iterator[MlflowServer]:
    server = MlflowServer(tmp_path / "mlflow", store=empty_store).start()
    yield server
    server.stop()


@pytest.fixture
def guarded(empty_store: Path, tmp_path: Path) -> Iterator[MlflowServer]:
    server = basic_auth_server(tmp_path / "guarded", empty_store).start()
    yield server
    server.stop()


def _start(code: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [APPLICATIONS, "-c", _APPLICATION + code],
        env=application_environment(**environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_spans_that_end_while_mlflow_is_killed_arrive_once_it_is_back(mlflow: MlflowServer) -> None:
    application = _start(
        """
span("before", "x")
assert om.flush(60), om.stats()
print("delivered", flush=True)
sys.stdin.readline()
for number in range(20): span(f"meanwhile-{number}", "x")
print("ended", flush=True)
sys.stdin.readline()
while not om.flush(60): pass
""",
        MLFLOW_TRACKING_URI=mlflow.uri,
    )
    before = application.stdout.readline().strip()
    assert application.stdout.readline() == "delivered\n", application.stderr.read()
    mlflow.kill()
    application.stdin.write("killed\n")
    application.stdin.flush()
    meanwhile = [application.stdout.readline().strip() for _ in range(20)]
    assert application.stdout.readline() == "ended\n"
    success, held = application.stderr.readline(), application.stderr.readline()
    mlflow.start()
    _, err = application.communicate("back\n", timeout=_LIMIT_S)

    assert application.returncode == 0, err
    assert f"traces are at {mlflow.uri}/#/experiments/" in success
    assert "no answer from the MLflow server" in held and "spans are held and tried again" in held
    assert err == ""
    assert set(mlflow.span_ids().values()) == {1}
    assert {trace_id for trace_id, _ in mlflow.span_ids()} == {before, *meanwhile}


@pytest.mark.parametrize("password", (PASSWORD, "the-wrong-password"))
def test_a_password_that_is_right_delivers_and_one_that_is_wrong_is_reported(guarded: MlflowServer, password: str) -> None:
    address = guarded.uri.replace("//", f"//{USERNAME}:{password}@")
    application = _start('span("guarded", "x")', MLFLOW_TRACKING_URI=address)
    out, err = application.communicate(timeout=_LIMIT_S)

    assert application.returncode == 0, err
    assert password not in err
    if password == PASSWORD:
        assert [trace_id for trace_id, _ in guarded.span_ids()] == [out.strip()]
        assert f"traces are at {guarded.uri}/#/experiments/" in err and len(err.splitlines()) == 1
    else:
        assert not guarded.span_ids()
        refused, left = err.splitlines()
        assert "the MLflow server does not accept the credentials (401)" in refused
        assert left == "openinference-mlflow: the process ends before 1 spans are delivered"


def test_a_span_of_five_megabytes_is_read_back_whole(mlflow_server: MlflowServer, reader: Reader) -> None:
    application = _start("span('large', 'a b ' * 1_310_720)", MLFLOW_TRACKING_URI=mlflow_server.uri)
    out, err = application.communicate(timeout=_LIMIT_S)
    assert application.returncode == 0, err
    (span,) = reader.trace(out.strip()).data.spans
    assert span.inputs == "a b " * 1_310_720
    assert f"traces are at {mlflow_server.uri}/#/experiments/" in err and len(err.splitlines()) == 1
