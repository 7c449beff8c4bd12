"""What every end-to-end test may ask for: one MLflow server for the whole session, a reader of it, a mock model API."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.harness.environment import clean_this_process

# Before the imports below: MLflow reads its environment when it is imported.
clean_this_process()

from e2e.harness.mlflow_server import MlflowServer  # noqa: E402
from e2e.harness.mock_openai import MockOpenAI  # noqa: E402
from e2e.harness.readback import Reader  # noqa: E402


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[MlflowServer]:
    """Tests share it, so each works in an experiment of its own. Nobody stops it but this fixture."""
    server = MlflowServer(tmp_path_factory.mktemp("mlflow")).start()
    yield server
    if request.session.testsfailed:
        print(f"\nthe log of the MLflow server is kept at {server.log}")
    server.stop()


@pytest.fixture(scope="session")
def reader(mlflow_server: MlflowServer) -> Reader:
    return Reader(mlflow_server.uri)


@pytest.fixture
def experiment(reader: Reader, request: pytest.FixtureRequest) -> str:
    """The id of a new experiment, named after the test."""
    return reader.create_experiment(request.node.nodeid)


@pytest.fixture(scope="session")
def model_api() -> Iterator[MockOpenAI]:
    with MockOpenAI() as api:
        yield api


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for a bridge: its log, and below it its data directory."""
    return tmp_path / "bridge"
