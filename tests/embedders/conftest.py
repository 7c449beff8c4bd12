"""What the tests run: the two builds of the core, and the golden pairs."""

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
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pairs(tmp_path_factory.mktemp("pairs"))
