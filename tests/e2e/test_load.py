"""The load generator sends what it says, and the same again for the same seed."""

import subprocess
import sys
from pathlib import Path

from e2e.harness.environment import clean_environment
from e2e.harness.gateway import Gateway
from e2e.harness.otlp_sink import OtlpSink

_TESTS = Path(__file__).resolve().parents[1]


def _load(*arguments: str) -> str:
    command = [sys.executable, "-m", "load", "--rate", "400", "--seconds", "1", "--clients", "2", *arguments]
    done = subprocess.run(command, cwd=_TESTS, env=clean_environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_gateway_takes_as_many_traces_as_were_sent(folder: Path) -> None:
    with Gateway(folder, "--settle", "10ms") as gateway:
        said = _load("--endpoint", gateway.http_uri)
    assert "400 spans taken" in said and "0 spans refused" in said, said
    assert len(list(gateway.data_dir.glob("traces/*/tr-*.json"))) == 50


def test_the_same_seed_makes_the_same_traces() -> None:
    def sent(seed: str) -> list[bytes]:
        with OtlpSink() as sink:
            _load("--endpoint", sink.uri, "--seed", seed, "--shape", "rag")
            return sorted(sink.bodies)

    once = sent("1")
    assert once == sent("1") and once != sent("2")
