"""Each library is installed where nothing else is, and does its main job against a real MLflow."""

import json
import re
import shutil
import subprocess
import tarfile
import time
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

from e2e.harness.environment import clean_environment
from e2e.harness.readback import Reader
from install import commands
from install.conftest import Find
from install.measure import Measured, sample, size_mib

_REPOSITORY = Path(__file__).resolve().parents[2]
_EMBEDDERS = _REPOSITORY / "tests/embedders"

# Both programs print their memory when everything is delivered.
_NODE_PROGRAM = """\
import { trace } from "@opentelemetry/api";
import { autolog, flush } from "openinference-mlflow";
autolog({ trackingUri: process.env.URI, experiment: "npm package" });
const span = trace.getTracer("test").startSpan("answer", { attributes: { "openinference.span.kind": "CHAIN" } });
span.end();
await flush();
console.log(JSON.stringify({ trace: span.spanContext().traceId, bytes: process.memoryUsage().rss }));
"""
_PYTHON_PROGRAM = """\
import json, os, pathlib
from opentelemetry import trace
import openinference_mlflow
openinference_mlflow.autolog(tracking_uri=os.environ["URI"], experiment="Python package")
with trace.get_tracer("test").start_as_current_span("answer", attributes={"openinference.span.kind": "CHAIN"}) as span:
    pass
openinference_mlflow.flush()
status = pathlib.Path("/proc/self/status").read_text().split("VmRSS:")[1]
print(json.dumps({"trace": f"{span.get_span_context().trace_id:032x}", "bytes": int(status.split()[0]) * 1024}))
"""
_MODULE_PROGRAM = """\
import json, os, pathlib, sys, urllib.request
from embedder import Translator, translate
translated = translate(Translator(sys.argv[1]), pathlib.Path(sys.argv[2]).read_bytes(), "protobuf")
"""
_COMPONENT_PROGRAM = """\
import json, os, pathlib, sys, urllib.request
from embedder import Translator
result = Translator(sys.argv[1]).translate(pathlib.Path(sys.argv[2]).read_bytes(), "protobuf")
translated = result.payload.payload
"""
_POST = """\
headers = {"content-type": "application/x-protobuf", "x-mlflow-experiment-id": os.environ["EXPERIMENT"]}
urllib.request.urlopen(urllib.request.Request(os.environ["URI"] + "/v1/traces", translated, headers), timeout=30)
"""


def test_the_npm_package_delivers(
    downloads: Callable[[str], Path], mlflow: Reader, report: dict[str, Measured]
) -> None:
    folder = downloads(commands.NODE)
    (tarball,) = folder.iterdir()
    start = time.monotonic()
    _run(commands.NODE.split() + ["--no-fund", "--no-audit"], folder)
    (folder / "app.mjs").write_text(_NODE_PROGRAM)
    told = json.loads(_run(["node", "app.mjs"], folder, URI=mlflow.uri).splitlines()[-1])
    mlflow.wait_for_trace(told["trace"], 1)
    seconds = time.monotonic() - start
    installed = folder / "node_modules/openinference-mlflow"
    report["npm package"] = Measured(size_mib(tarball), size_mib(installed), seconds, told["bytes"] / (1 << 20))


def test_the_python_package_delivers(
    downloads: Callable[[str], Path], mlflow: Reader, report: dict[str, Measured], tmp_path: Path
) -> None:
    folder = downloads(commands.PYTHON)
    (wheel,) = folder.iterdir()
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=True)
    before = size_mib(environment)
    start = time.monotonic()
    _run([f"{environment}/bin/pip", *commands.PYTHON.split()[1:], "--quiet", "--disable-pip-version-check"], folder)
    told = json.loads(_run([f"{environment}/bin/python", "-c", _PYTHON_PROGRAM], folder, URI=mlflow.uri).splitlines()[-1])
    mlflow.wait_for_trace(told["trace"], 1)
    seconds = time.monotonic() - start
    installed = size_mib(environment) - before
    report["Python package, with what it needs"] = Measured(size_mib(wheel), installed, seconds, told["bytes"] / (1 << 20))


@pytest.fixture(scope="session")
def wasmtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has a runtime for WebAssembly and nothing else."""
    environment = tmp_path_factory.mktemp("wasmtime")
    venv.create(environment, with_pip=True)
    (pinned,) = [line for line in (_EMBEDDERS / "requirements.txt").read_text().splitlines() if line.startswith("wasmtime")]
    _run([f"{environment}/bin/pip", "install", "--quiet", "--disable-pip-version-check", pinned], environment)
    return environment / "bin/python"


@pytest.mark.parametrize(
    ("kind", "pattern", "program"),
    [
        ("module", "openinference-mlflow-translator.wasm", _MODULE_PROGRAM),
        ("component", "openinference-mlflow-translator.component.wasm", _COMPONENT_PROGRAM),
    ],
)
def test_the_translator_runs_in_another_runtime(
    kind: str, pattern: str, program: str, artefact: Find, wasmtime: Path, mlflow: Reader, report: dict[str, Measured], tmp_path: Path
) -> None:
    file = artefact(pattern)
    shutil.copy(_EMBEDDERS / f"python_{kind}/embedder.py", tmp_path)
    experiment = mlflow.create_experiment(kind)
    payload = tmp_path / "payload.pb"
    own = sample(kind)
    payload.write_bytes(own.body)
    start = time.monotonic()
    _run([str(wasmtime), "-c", program + _POST, str(file), str(payload)], tmp_path, URI=mlflow.uri, EXPERIMENT=experiment)
    trace = mlflow.wait_for_trace(own.trace_ids[0], 1)
    seconds = time.monotonic() - start
    assert {"AGENT", "TOOL"} <= {span.span_type for span in trace.data.spans}
    report[f"WebAssembly {kind}, in wasmtime"] = Measured(size_mib(file), size_mib(file), seconds, None)


def test_the_contract_is_what_the_component_exports(artefact: Find, tmp_path: Path) -> None:
    with tarfile.open(artefact("openinference-mlflow-translator-*.wit.tar.gz")) as files:
        files.extractall(tmp_path, filter="data")
    contract = (tmp_path / "wit/translator.wit").read_text()
    package, version = re.findall(r"^package (\S+)@(\S+);", contract, re.M)[0]
    promised = {f"{package}/{name}@{version}" for name in re.findall(r"^    export (\S+);", contract, re.M)}
    component = str(artefact("openinference-mlflow-translator.component.wasm"))
    jco = str(_EMBEDDERS / "node_modules/.bin/jco")
    assert set(re.findall(r"export (\S+);", _run([jco, "wit", component], tmp_path))) == promised

    _run([jco, "transpile", component, "--out-dir", "bindings", "--name", "translator", "--quiet"], tmp_path)
    bindings = "".join(file.read_text() for file in (tmp_path / "bindings/interfaces").iterdir())
    functions = {_camel(name) for name in re.findall(r"^ +([\w-]+): (?:static )?func\(", contract, re.M)}
    assert functions == set(re.findall(r"^ *(?:export function |static )?(\w+)\([^)]*\): ", bindings, re.M))


def _camel(name: str) -> str:
    first, *rest = name.split("-")
    return first + "".join(part.capitalize() for part in rest)


def _run(command: list[str], folder: Path, **environment: str) -> str:
    done = subprocess.run(
        command, cwd=folder, env=clean_environment(**environment), capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
