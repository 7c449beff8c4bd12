"""What the tests run: the two builds of the core, and the golden pairs."""

import subprocess
from pathlib import Path

import pytest

from pairs import write_pairs

REPOSITORY = Path(__file__).resolve().parents[2]


def _built(name: str, target: str) -> Path:
    path = REPOSITORY / "dist" / name
    assert path.exists(), f"run `make {target}` first"
    return path


@pytest.fixture(scope="session")
def module() -> Path:
    return _built("openinference-mlflow-translator.wasm", "module")


@pytest.fixture(scope="session")
def component() -> Path:
    return _built("openinference-mlflow-translator.component.wasm", "component")


@pytest.fixture(scope="session")
def transpiled(component: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The component as jco makes an ES module of it."""
    folder = tmp_path_factory.mktemp("transpiled")
    jco = [str(Path(__file__).parent / "node_modules/.bin/jco"), "transpile", str(component)]
    subprocess.run([*jco, "--name", "translator", "--out-dir", str(folder), "--quiet"], check=True, timeout=300)
    return folder / "translator.js"


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pairs(tmp_path_factory.mktemp("pairs"))
