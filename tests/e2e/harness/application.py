"""Runs the instrumented application as a process of its own and says which trace each scenario made."""

import json
import subprocess
import sys
from pathlib import Path

from e2e.harness.environment import clean_environment

_TESTS = Path(__file__).resolve().parents[2]
_TIMEOUT_S = 120.0


def run_openai_app(model_api: str, protocol: str, endpoint: str, *scenarios: str) -> dict[str, str]:
    """Trace ids (32 hexadecimal digits) by scenario, in the order they ran; all scenarios when none is named.

    Every span was accepted by `endpoint` when this returns.
    """
    arguments = ("--model-api", model_api, "--protocol", protocol, "--endpoint", endpoint, *scenarios)
    done = subprocess.run(
        [sys.executable, "-m", "e2e.harness.openai_app", *arguments],
        cwd=_TESTS,
        env=clean_environment(),
        capture_output=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, f"the application failed:\n{done.stderr.decode(errors='replace')}"
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {line["scenario"]: line["trace_id"] for line in lines}
