"""The main job of what was installed: a trace is in a real MLflow. With what it takes."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from e2e.harness import payloads
from e2e.harness.http import request
from e2e.harness.payloads import Payload
from e2e.harness.ports import free_ports, is_listening
from e2e.harness.process import Process
from e2e.harness.readback import Reader
from e2e.harness.wait import eventually

SAMPLE = Path(__file__).resolve().parents[2] / "host-native/demo/openai_agents.pb"
_SPANS = 8
_MIB = 1 << 20


@dataclass(frozen=True)
class Measured:
    """Sizes in MiB; None where there is nothing that idles."""

    download_mib: float
    installed_mib: float
    seconds_to_first_trace: float
    idle_mib: float | None


def sample(use: str) -> Payload:
    """A captured run of an agent, as a trace that only `use` has."""
    return payloads.read(SAMPLE).with_own_traces(use)


def deliver(
    command: list[str],
    folder: Path,
    data_dir: str,
    mlflow: Reader,
    use: str,
    *,
    environment: dict[str, str] | None = None,
    start_within: float = 60.0,
) -> tuple[float, float]:
    """Start `command` with nothing in its environment, send a captured payload, wait for its trace in MLflow, and stop it.

    Returns when the trace was there, on the monotonic clock, and the program's memory when idle, in MiB.
    """
    http, grpc, admin = free_ports(3)
    serve = [*command, "serve", "--data-dir", data_dir, "--tracking-uri", mlflow.uri, "--experiment", use]
    serve += ["--http-listen", f"127.0.0.1:{http}", "--grpc-listen", f"127.0.0.1:{grpc}", "--admin-listen", f"127.0.0.1:{admin}"]
    process = Process("serve", serve, environment or {}, folder / "serve.log", folder)
    try:

        def listens() -> bool:
            process.require_running()
            return is_listening(http) and is_listening(admin)

        eventually(listens, "the gateway to listen", within=start_within)
        payload = sample(use)
        payload.post(f"http://127.0.0.1:{http}/v1/traces").require(200)
        mlflow.wait_for_trace(payload.trace_ids[0], _SPANS)
        arrived = time.monotonic()
        request("GET", f"http://127.0.0.1:{admin}/healthz").require(200)
        program = _innermost(process.pid)
        idle = _resident_mib(program)
        os.kill(program, signal.SIGTERM)
        eventually(lambda: process.has_ended, "the gateway to end")
        assert process.terminate() == 0, process.log_tail()
    finally:
        process.kill()
    return arrived, idle


def _resident_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    (kib,) = [int(line.split()[1]) for line in status if line.startswith("VmRSS:")]
    return kib / 1024


def _innermost(pid: int) -> int:
    """The program itself, where another one such as buildah runs it."""
    children = " ".join(each.read_text() for each in Path(f"/proc/{pid}/task").glob("*/children")).split()
    return _innermost(int(children[0])) if children else pid


def size_mib(path: Path) -> float:
    """Of a file, or of all files below a folder."""
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file() and not each.is_symlink()]
    return sum(each.stat().st_size for each in files) / _MIB
