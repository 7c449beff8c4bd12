"""A server that asks for a password: right and wrong credentials, and what may never be seen of them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.harness import example
from e2e.harness.auth import PASSWORD, USERNAME, basic_auth_server
from e2e.harness.gateway import Gateway, run
from e2e.harness.mlflow_server import MlflowServer
from e2e.harness.readback import Reader

_RIGHT = {"MLFLOW_TRACKING_USERNAME": USERNAME, "MLFLOW_TRACKING_PASSWORD": PASSWORD}
_WRONG = _RIGHT | {"MLFLOW_TRACKING_PASSWORD": "the-wrong-password"}
_SECRETS = (PASSWORD, "the-wrong-password")
_QUICK = ("--settle", "50ms", "--retry-initial", "100ms", "--retry-max", "500ms")


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Iterator[MlflowServer]:
    server = basic_auth_server(tmp_path_factory.mktemp("mlflow-auth"), empty_store).start()
    yield server
    server.stop()


@pytest.fixture
def reader(guarded: MlflowServer, monkeypatch: pytest.MonkeyPatch) -> Reader:
    for name, value in _RIGHT.items():
        monkeypatch.setenv(name, value)
    return Reader(guarded.uri)


def test_with_the_right_password_traces_arrive(folder: Path, guarded: MlflowServer, reader: Reader):
    payload = example.payload(example.agent("with the right password"))
    arguments = (*_QUICK, "--experiment", "guarded")
    with Gateway(folder, *arguments, tracking_uri=guarded.uri, environment=_RIGHT) as gateway:
        payload.post(gateway.traces_url).require(200)
        found = reader.wait_for_trace(payload.trace_ids[0], 2)
    assert reader.client.get_experiment(found.info.experiment_id).name == "guarded"
    assert not any(secret in gateway.log_text() for secret in _SECRETS)


@pytest.mark.parametrize("environment", (_WRONG, {}), ids=("wrong", "none"))
def test_without_the_right_password_traces_wait_in_the_journal(
    folder: Path, guarded: MlflowServer, reader: Reader, environment: dict[str, str]
):
    trace = example.agent(f"refused, then taken: {len(environment)}")
    arguments = (*_QUICK, "--experiment", "guarded", "--shutdown-timeout", "1s")
    gateway = Gateway(folder, *arguments, tracking_uri=guarded.uri, environment={"RUST_LOG": "debug"} | environment)
    gateway.start()
    example.payload(trace).post(gateway.traces_url).require(200)
    gateway.wait_for_log("does not accept the credentials (401)")
    assert gateway.stop() == 0
    assert not any(secret in gateway.log_text() for secret in _SECRETS)

    with Gateway(folder, *arguments, tracking_uri=guarded.uri, environment=_RIGHT):
        assert len(reader.wait_for_trace(trace.trace_id.hex(), 2).data.spans) == 2


@pytest.mark.parametrize(
    ("environment", "state", "advice"),
    ((_RIGHT, "ok", ""), (_WRONG, "broken", "correct MLFLOW_TRACKING_USERNAME"), ({}, "broken", "set MLFLOW_TRACKING")),
    ids=("right", "wrong", "none"),
)
def test_doctor_tells_whether_the_credentials_are_accepted(
    tmp_path: Path, guarded: MlflowServer, environment: dict[str, str], state: str, advice: str
):
    arguments = ("--tracking-uri", guarded.uri, "--data-dir", str(tmp_path), "--json")
    ports = ("--grpc-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0")
    done = run("doctor", *arguments, *ports, environment=environment)
    report = json.loads(done.stdout)
    (finding,) = [each for each in report["findings"] if each["check"] == "credentials"]
    assert finding["state"] == state and finding.get("do", "").startswith(advice)
    assert (done.returncode == 0, report["healthy"]) == (state == "ok", state == "ok")
    assert not any(secret in (done.stdout + done.stderr).decode() for secret in _SECRETS)
