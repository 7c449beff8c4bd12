"""`doctor`: what works, what does not, and what to do about it."""

import json
import socket
from pathlib import Path

import mlflow
import pytest

from e2e.harness.gateway import Gateway, run
from e2e.harness.mlflow_server import MlflowServer
from e2e.harness.otlp_sink import OtlpSink
from e2e.harness.ports import free_ports
from e2e.harness.readback import Reader


def _findings(tmp_path: Path, *arguments: str) -> tuple[int, dict[str, dict]]:
    """The exit status, and what was found of each check."""
    ports = [f"127.0.0.1:{port}" for port in free_ports(2)] if "--grpc-listen" not in arguments else []
    listen = ("--grpc-listen", ports[0], "--http-listen", ports[1]) if ports else ()
    done = run("doctor", "--json", "--data-dir", str(tmp_path / "data"), *listen, *arguments)
    report = json.loads(done.stdout)
    return done.returncode, {each["check"]: each for each in report["findings"]}


def test_a_healthy_server_is_reported_with_its_version(tmp_path: Path, mlflow_server: MlflowServer):
    status, found = _findings(tmp_path, "--tracking-uri", mlflow_server.uri, "--experiment", "not there yet")
    assert status == 0 and {each["state"] for each in found.values()} == {"ok"}, found
    assert mlflow.__version__ in found["version"]["found"]
    assert "will be created" in found["experiment"]["found"]
    assert {"server", "credentials", "traces", "grpc port", "http port", "data folder"} <= found.keys()


def test_doctor_changes_nothing_on_the_server(tmp_path: Path, mlflow_server: MlflowServer, reader: Reader):
    _findings(tmp_path, "--tracking-uri", mlflow_server.uri, "--experiment", "never created")
    assert reader.client.get_experiment_by_name("never created") is None


def test_a_deleted_experiment_is_broken_and_can_be_restored(
    tmp_path: Path, mlflow_server: MlflowServer, reader: Reader, experiment: str
):
    reader.client.delete_experiment(experiment)
    status, found = _findings(tmp_path, "--tracking-uri", mlflow_server.uri, "--experiment-id", experiment)
    assert (status, found["experiment"]["state"]) == (1, "broken")
    assert f"mlflow experiments restore --experiment-id {experiment}" in found["experiment"]["do"]


def test_nobody_at_the_address_is_broken(tmp_path: Path):
    (port,) = free_ports(1)
    status, found = _findings(tmp_path, "--tracking-uri", f"http://127.0.0.1:{port}")
    assert (status, found["server"]["state"]) == (1, "broken") and found["server"]["do"]


def test_something_else_than_mlflow_is_broken(tmp_path: Path):
    with OtlpSink() as sink:
        status, found = _findings(tmp_path, "--tracking-uri", sink.traces_url.removesuffix("/v1/traces"))
    assert (status, found["server"]["state"]) == (1, "broken") and found["server"]["do"]


def test_a_port_that_is_taken_is_broken_and_a_running_bridge_is_recognised(
    tmp_path: Path, folder: Path, mlflow_server: MlflowServer
):
    uri = ("--tracking-uri", mlflow_server.uri)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        free = f"127.0.0.1:{free_ports(1)[0]}"
        status, found = _findings(tmp_path, *uri, "--grpc-listen", address, "--http-listen", free)
        assert (status, found["grpc port"]["state"], found["http port"]["state"]) == (1, "broken", "ok")
    with Gateway(folder, tracking_uri=mlflow_server.uri) as gateway:
        listen = ("--grpc-listen", gateway.grpc_target, "--http-listen", gateway.http_uri.removeprefix("http://"))
        status, found = _findings(tmp_path, *uri, *listen)
        assert (status, found["http port"]["state"]) == (0, "warning")


@pytest.mark.parametrize("uri", ("databricks", "sqlite:///mlflow.db", "http://"))
def test_an_address_that_cannot_be_used_is_said_to_be_one(tmp_path: Path, uri: str):
    status, found = _findings(tmp_path, "--tracking-uri", uri)
    assert status == 1 and found["settings"]["state"] == "broken"
