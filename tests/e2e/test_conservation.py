"""Whatever fails: what was acknowledged is in MLflow exactly once and was forwarded at least once; every refusal may be
repeated. `make soak` does this for longer."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.conservation.consumer_group import GroupRun
from e2e.conservation.oracle import Run
from e2e.harness.mlflow_server import MlflowServer

_SEED = 20_261_122
_SECONDS = 25.0


@pytest.fixture
def server(tmp_path: Path, empty_store: Path) -> Iterator[MlflowServer]:
    server = MlflowServer(tmp_path / "mlflow", store=empty_store).start()
    yield server
    server.kill()


def test_through_kills_and_failing_servers_nothing_is_lost_and_nothing_is_there_twice(
    folder: Path, server: MlflowServer
):
    result = Run(folder, server, _SEED).through(_SECONDS)
    print(result)
    assert len(result.account.acknowledged) > 100 and result.faults["kill"] > 0
    assert not result.account.wrong
    assert not result.lost
    assert not result.duplicated
    assert not result.unknown
    assert not result.not_forwarded
    assert result.exit_status == 0


def test_a_consumer_group_loses_nothing_and_commits_nothing_too_early(folder: Path, server: MlflowServer):
    result = GroupRun(folder, server.port, server.span_ids, _SEED).through(_SECONDS)
    print(result)
    assert len(result.produced.spans) > 100 and result.faults["kill"] > 0
    assert not result.produced.failures
    assert not result.lost
    assert not result.committed_too_early
    assert not result.duplicated
    assert not result.unknown
    assert not result.uncommitted
    assert result.exit_statuses == [0] * len(result.exit_statuses)
