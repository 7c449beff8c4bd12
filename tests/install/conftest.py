"""What `make dist` has built, a real MLflow, and the table of what each artefact takes."""

import os
import platform
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from e2e.harness.environment import clean_this_process

clean_this_process()

from e2e.harness.mlflow_server import MlflowServer  # noqa: E402
from e2e.harness.readback import Reader  # noqa: E402
from install.measure import Measured  # noqa: E402

DIST = Path(os.environ.get("INSTALL_TEST_DIST", Path(__file__).resolve().parents[2] / "dist"))

_HEADING = """\
# What an installation takes

`make dist-report` wrote this table. Time runs from the downloaded artefact to its first trace in an MLflow server that runs
already: installing, starting, one payload of spans. Memory is that of the process when it has delivered, for the libraries with
the interpreter. Emulated programs run under qemu-user, which takes most of their time and memory.

| artefact | download, MiB | installed, MiB | seconds to the first trace | idle memory, MiB |
|---|---:|---:|---:|---:|"""

Find = Callable[[str], Path]


@pytest.fixture(scope="session")
def architecture() -> str:
    return platform.machine()


@pytest.fixture(scope="session")
def artefact() -> Find:
    """Finds the one artefact that a pattern names."""

    def find(pattern: str) -> Path:
        found = list(DIST.glob(pattern))
        assert len(found) == 1, f"{pattern} in {DIST}: {found}; run: make dist"
        return found[0]

    return find


@pytest.fixture
def downloads(tmp_path: Path, artefact: Find) -> Callable[[str], Path]:
    """A folder that holds the artefacts which a command names, and nothing else."""

    def download(command: str) -> Path:
        folder = tmp_path / "downloads"
        folder.mkdir()
        for word in command.split():
            name = word.removeprefix("oci-archive:").removeprefix("./")
            if name.startswith("openinference") and "." in name:
                shutil.copy(artefact(name), folder)
        assert any(folder.iterdir()), command
        return folder

    return download


@pytest.fixture(scope="session")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    server = MlflowServer(tmp_path_factory.mktemp("mlflow")).start()
    yield Reader(server.uri)
    server.stop()


@pytest.fixture(scope="session")
def report() -> Iterator[dict[str, Measured]]:
    """What the tests measured; written to the file in INSTALL_TEST_REPORT."""
    measured: dict[str, Measured] = {}
    yield measured
    if path := os.environ.get("INSTALL_TEST_REPORT"):
        rows = [
            f"| {name} | {each.download_mib:.1f} | {each.installed_mib:.1f} | {each.seconds_to_first_trace:.1f} "
            f"| {'' if each.idle_mib is None else format(each.idle_mib, '.1f')} |"
            for name, each in sorted(measured.items())
        ]
        Path(path).write_text("\n".join([_HEADING, *rows, ""]))
