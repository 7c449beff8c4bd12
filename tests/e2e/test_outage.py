"""MLflow goes away and comes back: nothing that was accepted is lost, and nobody is told otherwise."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.harness import example
from e2e.harness.bridge import Bridge, run
from e2e.harness.mlflow_server import MlflowServer
from e2e.harness.readback import Reader

_QUICK = ("--settle", "50ms", "--retry-initial", "100ms", "--retry-max", "1s")
_EXPERIMENT = ("--experiment", "outage")
_WHEN = ("before", "during", "after")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Iterator[MlflowServer]:
    """Runs at the start and at the end of each test here."""
    server = MlflowServer(tmp_path_factory.mktemp("mlflow-outage"), store=empty_store).start()
    yield server
    server.stop()


def test_what_is_sent_while_mlflow_is_away_arrives_when_it_is_back(folder: Path, server: MlflowServer):
    reader = Reader(server.uri)
    before, during, after = ([example.agent(f"{when} {number}") for number in range(5)] for when in _WHEN)
    with Bridge(folder, *_QUICK, *_EXPERIMENT, tracking_uri=server.uri) as bridge:
        # Not waited for: some of them are under way when the server goes.
        _send(bridge, before)
        server.kill()
        _send(bridge, during)
        bridge.wait_for_log("no answer from the MLflow server")
        server.start()
        _send(bridge, after)
        for trace in (*before, *during, *after):
            assert len(reader.wait_for_trace(trace.trace_id.hex(), 2).data.spans) == 2
    assert "delivery goes on" in bridge.log_text()
    assert not bridge.set_aside_reasons()


def test_what_is_left_at_the_end_is_kept_said_and_replayed(folder: Path, server: MlflowServer):
    trace = example.agent("left at the end")
    server.stop()
    bridge = Bridge(folder, *_QUICK, *_EXPERIMENT, "--shutdown-timeout", "1s", tracking_uri=server.uri).start()
    _send(bridge, [trace])
    assert bridge.stop() == 1
    assert "stopped with undelivered spans" in bridge.log_text() and str(bridge.set_aside) in bridge.log_text()
    assert len(bridge.set_aside_reasons()) == 1

    server.start()
    where = ("--tracking-uri", server.uri, "--data-dir", str(bridge.data_dir))
    done = run("replay", str(bridge.set_aside), *where, *_EXPERIMENT)
    assert done.returncode == 0, done.stderr.decode()
    reader = Reader(server.uri)
    found = reader.wait_for_trace(trace.trace_id.hex(), 2)
    assert reader.client.get_experiment(found.info.experiment_id).name == "outage"


def _send(bridge: Bridge, traces: list) -> None:
    for trace in traces:
        example.payload(trace).post(bridge.traces_url).require(200)
