"""MLflow versions before the newest, and the newest as a company runs it: what they show, and that nothing is tried that they
cannot take.

`make compat` compares all versions; these two lack the most.
"""

from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from e2e.compatibility import table, versions
from e2e.compatibility.delivery import Delivered, deliver_through, deliver_to
from e2e.compatibility.deployment import Deployment, authorization, deployment
from e2e.harness import example
from e2e.harness.gateway import Gateway
from e2e.harness.http import request
from e2e.harness.mlflow_server import MlflowServer
from e2e.harness.wait import eventually
from e2e.parity.copies import cases

_TESTED = ("3.6.0", "3.12.0")
# What the gateway cannot mend, by version and column.
_DIFFERENT = {
    # Half of a surrogate pair in JSON: MLflow before 3.16 stores the trace and cannot read it.
    "3.12.0": {"hand_json_text_surrogate.pb"},
    # An empty session id: MLflow 3.8 to 3.13 stores it with its quotes, later versions store none.
    ("3.12.0", "session and user"): {"hand_session_odd.pb"},
}
_NEWEST = versions.newest()
# The deployment gets every fourth payload: it checks the password's slow hash at every request, so that reading all of them
# back would take minutes.
_SAMPLE = 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("compatibility")


@pytest.fixture(scope="module")
def delivered(folder: Path) -> dict[str, Delivered]:
    """Fails if a gateway did not deliver everything, or did not end at once."""
    return deliver_to([_NEWEST, *map(versions.old, _TESTED)], folder)


@pytest.fixture(scope="module")
def deployed(folder: Path) -> Iterator[Deployment]:
    with deployment(folder / "deployment") as running:
        yield running


@pytest.fixture(scope="module")
def delivered_to_deployment(deployed: Deployment, folder: Path) -> Delivered:
    return deliver_through(_NEWEST, deployed.uri, folder / "deployment", deployed.variables, one_in=_SAMPLE)


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


def test_a_deployment_shows_everything_as_a_server_on_one_machine_does(
    delivered: dict[str, Delivered], delivered_to_deployment: Delivered
) -> None:
    sample = set(list(cases())[::_SAMPLE])
    newest = delivered[_NEWEST.number]
    alone = replace(newest, traces={name: trace for name, trace in newest.traces.items() if name.split("/")[0] in sample})
    different = {column: table.differing(column, alone, delivered_to_deployment) for column in table.columns(alone)}
    assert different == dict.fromkeys(different, [])


def test_a_deployment_takes_every_request(delivered: dict[str, Delivered], delivered_to_deployment: Delivered) -> None:
    assert Counter(delivered_to_deployment.quarantined) <= Counter(delivered[_NEWEST.number].quarantined)
    assert 'topic="failing"' not in delivered_to_deployment.log


def test_the_attachments_of_a_deployment_are_in_its_object_store(deployed: Deployment, tmp_path: Path) -> None:
    picture = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 32
    trace = example.agent("with a picture")
    key = "llm.input_messages.0.message.contents.0.message_content.image.image.url"
    trace.span("look", "LLM", {key: f"data:image/png;base64,{b64encode(picture).decode()}"}, parent="with a picture")
    variables = deployed.variables
    with Gateway(tmp_path / "gateway", "--experiment", "pictures", tracking_uri=deployed.uri, environment=variables) as gateway:
        example.payload(trace).post(gateway.traces_url).require(200)
    (stored,) = [body for key, body in deployed.objects.contents().items() if "/attachments/" in key]
    assert stored == picture


def test_the_deployment_is_one(deployed: Deployment) -> None:
    refused = request("GET", f"{deployed.uri}/api/2.0/mlflow/experiments/get?experiment_id=0")
    elsewhere = request("GET", deployed.uri.rpartition("/")[0] + "/version", headers=authorization())
    assert (refused.status, elsewhere.status) == (401, 404)
    assert deployed.log.read_text().count("Started server process") == 2
