"""Each program in the folders of this one translates all golden pairs, and notices a difference."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import REPOSITORY

_HERE = Path(__file__).parent
_NODE_MODULES = _HERE / "node_modules"


def _run(command: list[str], folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, timeout=300
    )


def _must(command: list[str], folder: Path) -> None:
    done = _run(command, folder)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def wasmi() -> Path:
    target = REPOSITORY / "target/embedders"
    manifest = str(_HERE / "rust_wasmi/Cargo.toml")
    _must(["cargo", "fmt", "--check", "--manifest-path", manifest], REPOSITORY)
    build = ["cargo", "build", "--quiet", "--release", "--locked", "--manifest-path", manifest]
    _must([*build, "--target-dir", str(target)], REPOSITORY)
    return target / "release/embedder-wasmi"


def _chromium() -> str:
    """As `tests/browser/setup.sh` finds it."""
    names = [os.environ.get("CHROMIUM_BIN"), os.environ.get("CHROMIUM"), "chromium", "chromium-browser"]
    found = [shutil.which(name) for name in [*names, "google-chrome", "google-chrome-stable"] if name]
    return next(path for path in found if path)


Embedder = Callable[[Path], subprocess.CompletedProcess[str]]


@pytest.fixture(
    params=["python_module", "python_component", "node_jco", "deno", "bun", "browser", "rust_wasmi"], scope="session"
)
def embedder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    """Runs one of the programs on a list of pairs."""
    folder = tmp_path_factory.mktemp(request.param)
    program = _HERE / request.param
    wasm, environment = "module", {}
    match request.param:
        case "python_module":
            words = [sys.executable, program / "embedder.py"]
        case "python_component":
            words, wasm = [sys.executable, program / "embedder.py"], "component"
        case "node_jco":
            words, wasm = ["node", program / "embedder.mjs"], "transpiled"
        case "deno":
            words = [_NODE_MODULES / "deno/deno", "run", "--check", "--allow-read", program / "embedder.ts"]
            environment = {"DENO_DIR": str(folder), "DENO_NO_UPDATE_CHECK": "1"}
        case "bun":
            words = [_NODE_MODULES / "bun/bin/bun", program / "embedder.js"]
        case "browser":
            words, environment = ["node", program / "embedder.mjs"], {"CHROMIUM_BIN": _chromium()}
        case "rust_wasmi":
            words = [request.getfixturevalue("wasmi")]
    command = [str(word) for word in [*words, request.getfixturevalue(wasm)]]
    return lambda pairs: _run([*command, str(pairs)], folder, **environment)


def test_all_pairs_are_translated_to_the_same_bytes(embedder: Embedder, pairs: Path) -> None:
    goldens = len(list((REPOSITORY / "tests/golden").glob("*.json")))
    assert goldens > 200

    done = embedder(pairs)

    assert done.returncode == 0, done.stdout + done.stderr
    # One more: the pair that is malformed.
    assert done.stdout.splitlines()[-1] == f"{goldens + 1} pairs"


@pytest.mark.parametrize("wrong", ["a digest", "a reason"])
def test_the_first_difference_ends_the_program(embedder: Embedder, pairs: Path, tmp_path: Path, wrong: str) -> None:
    first, second, *_, malformed = json.loads(pairs.read_text())
    if wrong == "a digest":
        different = {**second, "sha256": first["sha256"]}
    else:
        different = {**malformed, "malformed": malformed["malformed"] + "."}
    changed = tmp_path / "pairs.json"
    changed.write_text(json.dumps([first, different, {**first, "sha256": "0"}]))

    done = embedder(changed)

    assert done.returncode != 0
    assert "pairs" not in done.stdout
    assert different["payload"] in done.stderr and first["payload"] not in done.stderr, done.stderr
