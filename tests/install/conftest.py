"""What `make dist` has built, and the table of what each artefact takes."""

import os
import platform
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.harness.environment import clean_this_process
from install.measure import Measured

clean_this_process()

_DIST = Path(os.environ.get("INSTALL_TEST_DIST", Path(__file__).resolve().parents[2] / "dist"))

_HEADING = """\
# What an installation takes

`make dist-report` wrote this table. Time runs from the downloaded artefact to the first trace in the local folder: installing,
starting, one payload of spans.

| artefact | download, MiB | installed, MiB | seconds to the first trace | idle memory, MiB |
|---|---:|---:|---:|---:|"""


@pytest.fixture(scope="session")
def architecture() -> str:
    return platform.machine()


@pytest.fixture(scope="session")
def artefact():  # noqa: ANN201
    """Finds the one artefact that a pattern names."""

    def find(pattern: str) -> Path:
        (found,) = _DIST.glob(pattern)
        return found

    return find


@pytest.fixture(scope="session")
def report() -> Iterator[dict[str, Measured]]:
    """What the tests measured; written to the file in INSTALL_TEST_REPORT."""
    measured: dict[str, Measured] = {}
    yield measured
    if path := os.environ.get("INSTALL_TEST_REPORT"):
        rows = [
            f"| {name} | {each.download_mib} | {each.installed_mib} | {each.seconds_to_first_trace} | {each.idle_mib} |"
            for name, each in sorted(measured.items())
        ]
        Path(path).write_text("\n".join([_HEADING, *rows, ""]))
