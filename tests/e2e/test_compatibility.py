"""MLflow versions before the newest: what they show, and that nothing is tried that they cannot take.

`make compat` compares all versions; these two lack the most.
"""

from pathlib import Path

import pytest

from e2e.compatibility import table, versions
from e2e.compatibility.delivery import Delivered, deliver_to
from e2e.harness import example
from e2e.harness.gateway import Gateway
from e2e.harness.mlflow_server import MlflowServer
from e2e.harness.wait import eventually

_TESTED = ("3.6.0", "3.12.0")
# What the gateway cannot mend, by version and column.
_DIFFERENT = {
    # Half of a surrogate pair in JSON: MLflow before 3.16 stores the trace and cannot read it.
    "3.12.0": {"hand_json_text_surrogate.pb"},
    # An empty session id: MLflow 3.8 to 3.13 stores it with its quotes, later versions store none.
    ("3.12.0", "session and user"): {"hand_session_odd.pb"},
}
_NEWEST = versions.newest()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("compatibility")


@pytest.fixture(scope="module")
def delivered(folder: Path) -> dict[str, Delivered]:
    """Fails if a gateway did not deliver everything, or did not end at once."""
    return deliver_to([_NEWEST, *map(versions.old, _TESTED)], folder)


@pytest.mark.parametrize("number", _TESTED)
@pytest.mark.parametrize("column", ["spans", "state", "session and user", "assessments"])
def test_the_version_shows_it_as_the_newest_does(
    delivered: dict[str, Delivered], number: str, column: str
) -> None:
    different = {name.split("/")[0] for name in table.differing(column, delivered[_NEWEST.number], delivered[number])}
    assert different == _DIFFERENT.get(number, set()) | _DIFFERENT.get((number, column), set())


@pytest.mark.parametrize("number", _TESTED)
def test_the_version_takes_every_request(delivered: dict[str, Delivered], number: str) -> None:
    assert delivered[number].quarantined == delivered[_NEWEST.number].quarantined
    assert 'topic="failing"' not in delivered[number].log


def test_a_locked_database_costs_no_span(tmp_path: Path) -> None:
    """MLflow 3.6 answers 422 then, as if the spans were to blame. Later versions answer 503."""
    before, trace = example.agent("before the database is locked"), example.agent("while the database is locked")
    server = MlflowServer(tmp_path / "mlflow", python=versions.old("3.6.0").python).start()
    try:
        with Gateway(tmp_path / "gateway", tracking_uri=server.uri) as gateway:
            example.payload(before).post(gateway.traces_url).require(200)
            eventually(server.span_ids, "the first spans in the store")
            with server.locked_store():
                example.payload(trace).post(gateway.traces_url).require(200)
                # SQLite waits for 20 s before it gives up.
                gateway.wait_for_log("database fails on a request (422)", within=60)
            spans = {(trace.trace_id.hex(), span.span_id.hex()) for span in trace.spans}
            eventually(lambda: spans <= set(server.span_ids()), "the spans in the store", within=60)
            assert not gateway.quarantine_reasons()
    finally:
        server.stop()


def test_every_version_is_on_the_page() -> None:
    on_the_page = [line.split("|")[1].strip() for line in table.read()[2:]]
    assert on_the_page == [*versions.OLD, _NEWEST.number]
