"""What comes with the packages: checksums, lists of what is in them, man pages, completions."""

import gzip
import json
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from install import commands
from install.conftest import DIST, Find

_REPOSITORY = Path(__file__).resolve().parents[2]
_SHELLS = {"bash": ["bash", "-n"], "zsh": ["zsh", "-n"], "fish": ["fish", "--no-execute"]}


@pytest.fixture
def archive(artefact: Find, tmp_path: Path) -> Path:
    with tarfile.open(artefact("openinference-mlflow-*-x86_64-unknown-linux-musl.tar.gz")) as files:
        files.extractall(tmp_path, filter="data")
    (folder,) = tmp_path.iterdir()
    return folder


def test_the_checksums_are_those_of_all_files() -> None:
    done = subprocess.run(commands.SUMS.split(), cwd=DIST, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
    named = set(re.findall(r"^(.+): OK$", done.stdout, re.M))
    assert named == {file.name for file in DIST.iterdir()} - {"SHA256SUMS"}


def test_every_artefact_has_a_list_of_what_is_in_it() -> None:
    lists = {file.name for file in DIST.glob("*.cdx.json")}
    architectures = {re.search(r"(x86_64|aarch64)", file.name)[1] for file in DIST.glob("openinference-mlflow-*-musl.tar.gz")}
    assert "x86_64" in architectures
    for architecture in architectures:
        (of_the_binary,) = [name for name in lists if architecture in name]
        parts = _components(DIST / of_the_binary)
        # The packages of an architecture hold this binary; librdkafka and the translator's runtime are in it.
        assert {"rdkafka-sys", "openssl-src", "wasmtime", "redb"} <= parts
    assert "serde_json" in _components(DIST / "openinference-mlflow-translator.component.cdx.json")
    assert "serde_json" in _components(DIST / "openinference-mlflow-translator.module.cdx.json")
    (of_python,) = [name for name in lists if ".whl" in name]
    assert {"wasmtime", "urllib3"} <= _components(DIST / of_python)
    (of_node,) = [name for name in lists if ".tgz" in name]
    assert json.loads((DIST / of_node).read_text())["metadata"]["component"]["name"] == "openinference-mlflow"
    assert len(lists) == len(architectures) + 4


def _components(file: Path) -> set[str]:
    listed = json.loads(file.read_text())
    assert listed["bomFormat"] == "CycloneDX" and listed["specVersion"] >= "1.3"
    return {each["name"] for each in listed["components"]}


def test_every_command_has_a_man_page_that_man_can_show(archive: Path) -> None:
    pages = {page.name.removesuffix(".1.gz"): page for page in (archive / "man").iterdir()}
    assert {"openinference-mlflow", "openinference-mlflow-serve", "openinference-mlflow-doctor"} <= set(pages)
    for name, page in pages.items():
        assert ".SH NAME" in gzip.decompress(page.read_bytes()).decode(), name
    if man := shutil.which("man"):
        page = pages["openinference-mlflow-serve"]
        shown = subprocess.run([man, "--local-file", "--warnings", str(page)], capture_output=True, text=True, timeout=60, check=True)
        assert "--tracking-uri" in re.sub(".\b", "", shown.stdout) and shown.stderr == ""


@pytest.mark.parametrize("shell", _SHELLS)
def test_a_shell_reads_its_completions(archive: Path, shell: str) -> None:
    script = archive / f"completions/openinference-mlflow.{shell}"
    assert "quarantine" in script.read_text()
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    subprocess.run([*_SHELLS[shell], str(script)], check=True, timeout=60)


def test_bash_completes_a_command(archive: Path) -> None:
    script = archive / "completions/openinference-mlflow.bash"
    complete = f"""\
source '{script}'
COMP_WORDS=(openinference-mlflow quar)
COMP_CWORD=1
$(complete -p openinference-mlflow | sed 's/.*-F \\([^ ]*\\).*/\\1/') openinference-mlflow quar openinference-mlflow
echo "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(["bash", "-c", complete], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["quarantine"], done.stderr
