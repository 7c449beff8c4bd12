"""Where traces go: by name and id, by header, by project; and what becomes of them when that is nowhere."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.harness import example
from e2e.harness.gateway import Gateway, run
from e2e.harness.mlflow_server import MlflowServer
from e2e.harness.payloads import Payload
from e2e.harness.readback import Reader
from e2e.harness.wait import eventually

_SPANS = 2


@pytest.fixture(scope="module")
def unsettled(mlflow_server: MlflowServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway without an experiment in its settings."""
    with Gateway(tmp_path_factory.mktemp("unsettled"), tracking_uri=mlflow_server.uri) as gateway:
        yield gateway


def _experiment_of(reader: Reader, payload: Payload) -> str:
    (trace_id,) = payload.trace_ids
    return reader.wait_for_trace(trace_id, _SPANS).info.experiment_id


def test_an_experiment_is_created_when_its_name_is_new(folder: Path, mlflow_server: MlflowServer, reader: Reader):
    payload = example.payload(example.agent("created by name", project="not this one"))
    with Gateway(folder, "--experiment", "nobody made this", tracking_uri=mlflow_server.uri) as gateway:
        payload.post(gateway.traces_url).require(200)
        found = _experiment_of(reader, payload)
    assert reader.client.get_experiment(found).name == "nobody made this"


def test_an_experiment_can_be_named_by_its_id(folder: Path, mlflow_server: MlflowServer, reader: Reader, experiment):
    payload = example.payload(example.agent("named by id"))
    with Gateway(folder, "--experiment-id", experiment, tracking_uri=mlflow_server.uri) as gateway:
        payload.post(gateway.traces_url).require(200)
        assert _experiment_of(reader, payload) == experiment


def test_a_senders_headers_win_over_the_settings(
    folder: Path, mlflow_server: MlflowServer, reader: Reader, experiment: str
):
    by_id, by_name = (example.payload(example.agent(f"header with the {what}", "project")) for what in ("id", "name"))
    with Gateway(folder, "--experiment", "of the settings", tracking_uri=mlflow_server.uri) as gateway:
        by_id.post(gateway.traces_url, {"x-mlflow-experiment-id": experiment}).require(200)
        by_name.post(gateway.traces_url, {"x-mlflow-experiment-name": "of the header"}).require(200)
        assert _experiment_of(reader, by_id) == experiment
        assert reader.client.get_experiment(_experiment_of(reader, by_name)).name == "of the header"


def test_without_any_other_word_the_project_names_the_experiment(unsettled: Gateway, reader: Reader):
    payload = example.payload(example.agent("project", project="a project of Phoenix"))
    payload.post(unsettled.traces_url).require(200)
    assert reader.client.get_experiment(_experiment_of(reader, payload)).name == "a project of Phoenix"


def test_without_any_word_at_all_it_is_experiment_zero(unsettled: Gateway, reader: Reader):
    payload = example.payload(example.agent("no word"))
    payload.post(unsettled.traces_url).require(200)
    assert _experiment_of(reader, payload) == "0"


def test_an_empty_header_counts_as_none(unsettled: Gateway, reader: Reader):
    payload = example.payload(example.agent("empty header", project="a project of Phoenix"))
    payload.post(unsettled.traces_url, {"x-mlflow-experiment-id": ""}).require(200)
    assert reader.client.get_experiment(_experiment_of(reader, payload)).name == "a project of Phoenix"


def test_traces_are_linked_to_the_run_that_the_sender_names(unsettled: Gateway, reader: Reader, experiment: str):
    run_id = reader.client.create_run(experiment).info.run_id
    payload = example.payload(example.agent("linked to a run"))
    payload.post(unsettled.traces_url, {"x-mlflow-experiment-id": experiment, "x-mlflow-run-id": run_id}).require(200)

    def linked() -> set[str]:
        return {trace.info.trace_id for trace in reader.client.search_traces(locations=[experiment], run_id=run_id)}

    assert eventually(linked, f"traces of run {run_id}") == {f"tr-{each}" for each in payload.trace_ids}


def test_a_deleted_experiment_is_reported_and_gets_its_traces_once_it_is_restored(
    folder: Path, mlflow_server: MlflowServer, reader: Reader
):
    experiment = reader.create_experiment("deleted for a while")
    reader.client.delete_experiment(experiment)
    payload = example.payload(example.agent("to a deleted experiment"))
    arguments = ("--experiment", "deleted for a while")
    with Gateway(folder, *arguments, tracking_uri=mlflow_server.uri) as gateway:
        payload.post(gateway.traces_url).require(200)
        gateway.wait_for_log('experiment "deleted for a while" is deleted')
        eventually(lambda: len(gateway.quarantine_reasons()) == _SPANS, "both spans to be quarantined")
    assert f"mlflow experiments restore --experiment-id {experiment}" in gateway.log_text()
    assert reader.traces(experiment, payload.trace_ids) == {each: "absent" for each in payload.trace_ids}

    reader.client.restore_experiment(experiment)
    _replay(gateway, mlflow_server, *arguments)
    assert _experiment_of(reader, payload) == experiment


def test_an_id_that_does_not_exist_is_reported_and_the_traces_can_go_elsewhere(
    folder: Path, mlflow_server: MlflowServer, reader: Reader, experiment: str
):
    payload = example.payload(example.agent("to an unknown experiment"))
    with Gateway(folder, "--experiment-id", "999999999", tracking_uri=mlflow_server.uri) as gateway:
        payload.post(gateway.traces_url).require(200)
        gateway.wait_for_log("experiment 999999999 does not exist")
        eventually(lambda: len(gateway.quarantine_reasons()) == _SPANS, "both spans to be quarantined")
    assert all("999999999" in each["reason"] for each in gateway.quarantine_reasons())

    _replay(gateway, mlflow_server, "--experiment-id", experiment)
    assert _experiment_of(reader, payload) == experiment


def _replay(gateway: Gateway, server: MlflowServer, *arguments: str) -> None:
    where = ("--tracking-uri", server.uri, "--data-dir", str(gateway.data_dir))
    done = run("replay", str(gateway.quarantine), *where, *arguments)
    assert done.returncode == 0, done.stderr.decode()
