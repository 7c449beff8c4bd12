"""What every end-to-end test may ask for: one MLflow server for the whole session (of each worker), a reader of it, a mock model API."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.harness.environment import clean_this_process

# Before the imports below: MLflow reads its environment when it is imported.
clean_this_process()

from capture.autolog import run_applications  # noqa: E402
from e2e.harness import payloads  # noqa: E402
from e2e.harness.mlflow_server import MlflowServer  # noqa: E402
from e2e.harness.mock_openai import MockOpenAI  # noqa: E402
from e2e.harness.payloads import Payload  # noqa: E402
from e2e.harness.phoenix_server import PhoenixServer  # noqa: E402
from e2e.harness.readback import Reader  # noqa: E402
from e2e.parity.stored_copies import StoredCopies, store_twice  # noqa: E402


# What takes so long that no two workers of a run should do it. A test that asks for two counts for the first.
_EXPENSIVE = ("sides", "with_autolog", "phoenix")


# First, because pytest-xdist reads the groups in the same hook, and plugins come before this file otherwise.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With `--dist loadgroup` a worker gets all tests that share something expensive, or that are in one file."""
    for item in items:
        shared = [name for name in _EXPENSIVE if name in getattr(item, "fixturenames", ())]
        item.add_marker(pytest.mark.xdist_group(shared[0] if shared else item.path.name))


@pytest.fixture(scope="session")
def _first_server(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[tuple[MlflowServer, Path]]:
    server = MlflowServer(tmp_path_factory.mktemp("mlflow")).start()
    yield server, server.save_store(tmp_path_factory.mktemp("store") / "empty.db")
    if request.session.testsfailed:
        print(f"\nthe log of the MLflow server is kept at {server.log}")
    server.stop()


@pytest.fixture(scope="session")
def mlflow_server(_first_server: tuple[MlflowServer, Path]) -> MlflowServer:
    """Tests share it, so each works in an experiment of its own. Nobody stops it but its fixture."""
    return _first_server[0]


@pytest.fixture(scope="session")
def empty_store(_first_server: tuple[MlflowServer, Path]) -> Path:
    """A database of MLflow with nothing in it, for servers that a test stops or configures."""
    return _first_server[1]


@pytest.fixture(scope="session")
def reader(mlflow_server: MlflowServer) -> Reader:
    return Reader(mlflow_server.uri)


@pytest.fixture(scope="session")
def sides(mlflow_server: MlflowServer, reader: Reader, tmp_path_factory: pytest.TempPathFactory) -> StoredCopies:
    """Every payload as MLflow holds it: posted raw, and through the gateway."""
    return store_twice(reader, mlflow_server.uri, tmp_path_factory.mktemp("parity"))


@pytest.fixture(scope="session")
def with_autolog(mlflow_server: MlflowServer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Payload]:
    """What the captured applications made in this run, whose traces they sent with the Python package's `autolog()`.

    The traces are in the experiment `with autolog()`.
    """
    folder = tmp_path_factory.mktemp("with-autolog")
    run_applications(mlflow_server.uri, "with autolog()", folder)
    return {path.name: payloads.read(path) for path in sorted(folder.iterdir())}


@pytest.fixture
def experiment(reader: Reader, request: pytest.FixtureRequest) -> str:
    """The id of a new experiment, named after the test."""
    return reader.create_experiment(request.node.nodeid)


@pytest.fixture(scope="session")
def model_api() -> Iterator[MockOpenAI]:
    with MockOpenAI() as api:
        yield api


@pytest.fixture(scope="session")
def phoenix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PhoenixServer]:
    """It takes long to start, so tests share it, each with projects of its own."""
    server = PhoenixServer(tmp_path_factory.mktemp("phoenix")).start()
    yield server
    server.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for a gateway: its log, and below it its data directory."""
    return tmp_path / "gateway"
