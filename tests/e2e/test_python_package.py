"""Published instrumentors with the Python package's `autolog()`: what MLflow shows of them, read with its own client.

The gateway's tests say what MLflow must show of these payloads. So the same payloads go through the gateway too, and
MLflow must show the same of both.
"""

from dataclasses import dataclass
from pathlib import Path

import pytest

from capture.autolog import payload_names
from e2e.harness import gateway
from e2e.harness.mlflow_server import MlflowServer
from e2e.harness.payloads import Payload
from e2e.harness.readback import Reader
from e2e.parity.compare import differences
from e2e.parity.copies import Copy, read_back
from e2e.parity.sent_attributes import protobuf_spans

pytestmark = pytest.mark.python_package


@dataclass(frozen=True)
class Sides:
    """The same payloads on both, by name."""

    package: dict[str, Copy]
    gateway: dict[str, Copy]


@pytest.fixture(scope="module")
def sides(
    mlflow_server: MlflowServer,
    reader: Reader,
    with_autolog: dict[str, Payload],
    tmp_path_factory: pytest.TempPathFactory,
) -> Sides:
    package = {name: Copy([payload]) for name, payload in with_autolog.items()}
    replayed = {name: Copy([payload.with_own_traces("gateway")]) for name, payload in with_autolog.items()}
    experiment = reader.create_experiment("beside autolog()")
    _replay(mlflow_server.uri, experiment, replayed, tmp_path_factory.mktemp("replay"))
    with_autolog_experiment = reader.client.get_experiment_by_name("with autolog()")
    read_back(reader, with_autolog_experiment.experiment_id, package)
    read_back(reader, experiment, replayed)
    return Sides(package, replayed)


def _replay(tracking_uri: str, experiment: str, copies: dict[str, Copy], folder: Path) -> None:
    files = [folder / name for name in copies]
    for file in files:
        (payload,) = copies[file.name].payloads
        file.write_bytes(payload.body)
    destination = ("--data-dir", str(folder / "data"), "--tracking-uri", tracking_uri, "--experiment-id", experiment)
    done = gateway.run("replay", *destination, *map(str, files))
    assert done.returncode == 0, done.stderr


def test_the_applications_made_every_call_that_was_captured(with_autolog: dict[str, Payload]) -> None:
    assert sorted(with_autolog) == payload_names()


@pytest.mark.parametrize("name", payload_names())
def test_every_span_is_there(sides: Sides, with_autolog: dict[str, Payload], name: str) -> None:
    payload = with_autolog[name]
    sent = {(span.trace_id.hex(), span.span_id.hex()) for _, span in protobuf_spans(payload.body, payload.content_type)}
    shown = {(trace_id, span_id) for trace_id, trace in sides.package[name].traces.items() for span_id in trace["spans"]}
    assert shown == sent


@pytest.mark.parametrize("name", payload_names())
def test_mlflow_shows_what_it_shows_of_the_same_payload_through_the_gateway(sides: Sides, name: str) -> None:
    found = differences(sides.gateway[name].traces, sides.package[name].traces)
    told = (f"{'/'.join(at.path)}: {at.raw!r} through the gateway, {at.translated!r} with the package" for at in found)
    assert not found, "\n".join(told)
