"""The programs that drive a bridge deliver a payload whole, and the same one to the other."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import REPOSITORY

_HERE = Path(__file__).parent
_PAYLOAD = str(REPOSITORY / "tests/fixtures/otlp/py_openai_agents_handoff.pb")


def _deliver(command: list[str], folder: Path) -> dict[str, str]:
    done = subprocess.run([*command, _PAYLOAD, str(folder)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    files = {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*") if file.is_file()}
    spans = sum(len(json.loads(text)["data"]["spans"]) for text in files.values())
    assert spans > 3
    assert done.stdout == f"{spans} spans\n"
    return files


@pytest.fixture
def from_the_module(module: Path, tmp_path: Path) -> dict[str, str]:
    return _deliver([sys.executable, str(_HERE / "python_module/delivery.py"), str(module)], tmp_path / "module")


@pytest.fixture
def from_the_component(transpiled: Path, tmp_path: Path) -> dict[str, str]:
    return _deliver(["node", str(_HERE / "node_jco/delivery.mjs"), str(transpiled)], tmp_path / "component")


def test_both_programs_deliver_the_same_files(
    from_the_module: dict[str, str], from_the_component: dict[str, str]
) -> None:
    assert from_the_module == from_the_component
