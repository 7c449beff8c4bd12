"""Runs the instrumented application as a process of its own and says which trace each scenario made."""

import json
import subprocess
import sys
from pathlib import Path

from e2e.harness.environment import clean_environment

_TESTS = Path(__file__).resolve().parents[2]
_PYTHON_PACKAGE = _TESTS.parent / "host-python/src"
# Interpreters with what the Python package needs beside instrumented libraries; `make setup-applications` makes them.
APPLICATIONS, LLAMA_INDEX, MCP = (
    _TESTS.parent / f".venv-{name}/bin/python" for name in ("applications", "llama-index", "mcp")
)
_TIMEOUT_S = 120.0


def run_openai_app(
    model_api: str,
    protocol: str,
    endpoint: str,
    *scenarios: str,
    options: tuple[str, ...] = (),
    python: Path = Path(sys.executable),
) -> dict[str, str]:
    """Trace ids (32 hexadecimal digits) by scenario, in the order they ran; all scenarios when none is named.

    Every span was accepted by `endpoint` when this returns, and with the option `--autolog` by MLflow.
    """
    arguments = ("--model-api", model_api, "--protocol", protocol, "--endpoint", endpoint, *options, *scenarios)
    done = run_module(python, "e2e.harness.openai_app", *arguments)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {line["scenario"]: line["trace_id"] for line in lines}


def run_module(python: Path, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program below `tests/`, which finds the Python package, to its successful end."""
    assert python.exists(), f"{python} is missing: run `make setup`"
    done = subprocess.run(
        [python, "-m", module, *arguments],
        cwd=_TESTS,
        env=application_environment(),
        capture_output=True,
        text=True,
        errors="replace",
        timeout=_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, f"{module} failed:\n{done.stderr}"
    return done


def application_environment(**settings: str) -> dict[str, str]:
    """An environment in which a program finds the Python package."""
    return clean_environment(PYTHONPATH=str(_PYTHON_PACKAGE), **settings)
