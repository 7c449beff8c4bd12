"""What crossing the border into WebAssembly costs in each runtime: microseconds a span of `translate`.

All sides translate the same captured payloads. Their processes take turns, so that a machine that slows down slows all of them.
Writes docs/benchmarks/border.md. `make bench-border` builds what it runs.
"""

from __future__ import annotations

import gzip
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
PAGE = ROOT / "docs/benchmarks/border.md"
# As `make test-hosts` builds them: another set of features would compile wasmtime again.
PACKAGES = ("-p", "openinference-mlflow", "-p", "openinference-mlflow-tests")
TURNS = int(os.environ.get("TURNS", "3"))

MODULE = ROOT / "dist/openinference-mlflow-translator.wasm"
COMPONENT = ROOT / "dist/openinference-mlflow-translator.component.wasm"
NPM = ROOT / "host-js/src/generated/translator.wasm"

ROWS = {
    "native": "Rust, native",
    "wasmtime": "Rust, wasmtime: the component",
    "node npm": "Node: as the npm package binds it (wasm-bindgen)",
    "node module": "Node: the module",
    "node component": "Node: the component, through jco",
    "python module": "Python, wasmtime: the module",
    "python component": "Python, wasmtime: the component",
}


def output(*command: object) -> str:
    done = subprocess.run([str(part) for part in command], cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    return done.stdout


def payloads() -> list[Path]:
    """Captured ones: those made by hand are no measure for what applications send."""
    names = sorted((ROOT / "tests/fixtures/otlp").glob("*.pb"))
    return [path for path in names if not path.name.startswith("hand_")]


def measure(folder: Path) -> tuple[dict[str, float], int]:
    """Microseconds a span by side, and the number of spans."""
    listed = folder / "list"
    listed.write_text("".join(f"{path}\n" for path in payloads()))
    jco = ROOT / "tests/embedders/node_modules/.bin/jco"
    output(jco, "transpile", COMPONENT, "--name", "translator", "--out-dir", folder / "jco", "--quiet")
    node, python = ("node", HERE / "side.mjs"), (sys.executable, HERE / "side.py")
    sides = {
        "node npm": (*node, "npm", NPM),
        "node module": (*node, "module", MODULE),
        "node component": (*node, "component", folder / "jco/translator.js"),
        "python module": (*python, "module", MODULE),
        "python component": (*python, "component", COMPONENT),
    }
    bench = ("cargo", "bench", "--quiet", "--locked", *PACKAGES, "--bench", "border", "--")
    times: dict[str, list[list[float]]] = {side: [] for side in ROWS}
    spans = 0
    for turn in range(TURNS):
        rust = json.loads(output(*bench, listed))
        spans = rust.pop("spans")
        for side, fastest in rust.items():
            times[side].append(fastest)
        for side, command in sides.items():
            times[side].append(json.loads(output(*command, listed)))
        print(f"turn {turn + 1} of {TURNS}", file=sys.stderr)
    # The fastest time of each payload: nothing else ran on its core then.
    return {side: sum(map(min, zip(*turns, strict=True))) / spans for side, turns in times.items()}, spans


def page(times: dict[str, float], spans: int) -> str:
    found = payloads()
    size = sum(path.stat().st_size for path in found)
    rows = "\n".join(f"| {name} | {times[side]:.1f} | {times[side] / times['native']:.1f} |" for side, name in ROWS.items())
    sizes = "\n".join(
        f"| {name} | {path.stat().st_size / 1024:.0f} | {len(gzip.compress(path.read_bytes(), 9)) / 1024:.0f} |"
        for name, path in (("the module", MODULE), ("the component", COMPONENT), ("the npm package's", NPM))
    )
    cpuinfo = Path("/proc/cpuinfo")
    cpu = re.search(r"model name\s*: (.*)", cpuinfo.read_text()) if cpuinfo.exists() else None
    lock = (ROOT / "Cargo.lock").read_text()
    wasmtime = re.search(r'name = "wasmtime"\nversion = "([^"]+)"', lock)
    return f"""# What crossing the border costs

`make bench-border` wrote this page. {os.cpu_count()} cores of {cpu[1] if cpu else platform.processor()}; Rust's wasmtime
{wasmtime[1] if wasmtime else "?"}, Node {output("node", "--version").strip().removeprefix("v")}, Python {platform.python_version()} with wasmtime {version("wasmtime")}.

Each side calls `translate` for the same {len(found)} captured payloads: {spans} spans, {size / 1024:.0f} KiB of protobuf. Bytes go in, bytes come
out, in one thread. The processes take {TURNS} turns of 20 rounds each (Python with the component: 3); a payload counts with its
fastest round, because whatever else the machine does only adds to it. In Python the time is CPU time.

| | µs a span | times native |
|---|---:|---:|
{rows}

| WebAssembly | KiB | gzipped |
|---|---:|---:|
{sizes}

The npm package's build is optimised for size, without the format JSON; the others for speed.
"""


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        text = page(*measure(Path(name)))
    PAGE.write_text(text)
    print(text)
