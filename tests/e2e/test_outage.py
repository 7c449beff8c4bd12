"""MLflow goes away and comes back: nothing that was accepted is lost, and no sender hears otherwise."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.harness import example
from e2e.harness.gateway import Gateway, run
from e2e.harness.mlflow_server import MlflowServer
from e2e.harness.readback import Reader
from e2e.harness.wait import eventually

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
    with Gateway(folder, *_QUICK, *_EXPERIMENT, tracking_uri=server.uri) as gateway:
        # Not waited for: some of them are under way when the server goes.
        _send(gateway, before)
        server.kill()
        _send(gateway, during)
        gateway.wait_for_log("no answer from the MLflow server")
        server.start()
        _send(gateway, after)
        for trace in (*before, *during, *after):
            assert len(reader.wait_for_trace(trace.trace_id.hex(), 2).data.spans) == 2
    assert "delivery goes on" in gateway.log_text()
    assert not gateway.quarantine_reasons()


def test_what_is_left_at_the_end_stays_in_the_journal_and_is_delivered_by_the_next_start(
    folder: Path, server: MlflowServer
):
    traces = [example.agent("left at the end"), example.agent("left by a kill")]
    server.stop()
    arguments = (*_QUICK, *_EXPERIMENT, "--shutdown-timeout", "1s")
    gateway = Gateway(folder, *arguments, tracking_uri=server.uri).start()
    _send(gateway, traces[:1])
    assert gateway.stop() == 0
    assert "the journal keeps what was not delivered" in gateway.log_text()
    gateway = Gateway(folder, *arguments, tracking_uri=server.uri).start()
    _send(gateway, traces[1:])
    gateway.kill()

    server.start()
    reader = Reader(server.uri)
    with Gateway(folder, *arguments, tracking_uri=server.uri) as gateway:
        for trace in traces:
            found = reader.wait_for_trace(trace.trace_id.hex(), 2)
            assert len(found.data.spans) == 2
            assert reader.client.get_experiment(found.info.experiment_id).name == "outage"
    assert not gateway.quarantine_reasons()


def test_what_was_not_taken_in_time_is_quarantined_and_replayed(folder: Path, server: MlflowServer):
    trace = example.agent("too old")
    server.stop()
    arguments = (*_QUICK, *_EXPERIMENT, "--shutdown-timeout", "1s", "--journal-max-age", "1ms")
    gateway = Gateway(folder, *arguments, tracking_uri=server.uri).start()
    _send(gateway, [trace])
    assert gateway.stop() == 0
    # What is too old is looked for at the start.
    with Gateway(folder, *arguments, tracking_uri=server.uri) as gateway:
        eventually(gateway.quarantine_reasons, "the payload to be quarantined")

    server.start()
    where = ("--tracking-uri", server.uri, "--data-dir", str(gateway.data_dir))
    done = run("replay", str(gateway.quarantine), *where, *_EXPERIMENT)
    assert done.returncode == 0, done.stderr.decode()
    assert len(Reader(server.uri).wait_for_trace(trace.trace_id.hex(), 2).data.spans) == 2


def _send(gateway: Gateway, traces: list) -> None:
    for trace in traces:
        example.payload(trace).post(gateway.traces_url).require(200)
