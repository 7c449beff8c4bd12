"""The main job of an installed gateway: spans arrive over OTLP, a trace is in the local folder. With what it takes."""

import json
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from e2e.harness.http import request
from e2e.harness.ports import free_ports, is_listening
from e2e.harness.process import Process
from e2e.harness.wait import eventually

_SAMPLE = Path(__file__).resolve().parents[2] / "host-native/demo/openai_agents.pb"
_MIB = 1 << 20


@dataclass
class Measured:
    """Sizes in MiB."""

    download_mib: float
    installed_mib: float
    seconds_to_first_trace: float
    idle_mib: float


def deliver(
    command: list[str],
    folder: Path,
    data_dir: Path,
    *,
    seen_as: str,
    environment: dict[str, str] | None = None,
    arguments: tuple[str, ...] = (),
) -> float:
    """Start `command` with nothing in its environment, send a captured payload, wait for its trace below `data_dir`, which the
    program sees as `seen_as`, and stop it. Returns its memory when idle, in MiB."""
    http, grpc, admin = free_ports(3)
    serve = [
        *(*command, "serve", "--data-dir", seen_as, "--http-listen", f"127.0.0.1:{http}"),
        *("--grpc-listen", f"127.0.0.1:{grpc}", "--admin-listen", f"127.0.0.1:{admin}", *arguments),
    ]
    process = Process("serve", serve, environment or {}, folder / "serve.log", folder)
    try:

        def listens() -> bool:
            process.require_running()
            return is_listening(http) and is_listening(admin)

        eventually(listens, "the gateway to listen", within=60)
        sent = request(
            "POST",
            f"http://127.0.0.1:{http}/v1/traces",
            _SAMPLE.read_bytes(),
            {"content-type": "application/x-protobuf"},
        )
        sent.require(200)
        (trace,) = eventually(lambda: list(data_dir.glob("traces/*/tr-*.json")), "the trace in the local folder")
        assert json.loads(trace.read_text()), trace
        request("GET", f"http://127.0.0.1:{admin}/healthz").require(200)
        idle = _resident(_innermost(process.pid))
        os.kill(_innermost(process.pid), signal.SIGTERM)
        eventually(lambda: process.has_ended, "the gateway to end")
        assert process.terminate() == 0, process.log_tail()
    finally:
        process.kill()
    return idle


def _resident(pid: int) -> float:
    """The resident memory of a process, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    own = sum(int(line.split()[1]) for line in status if line.startswith("VmRSS:")) / 1024
    return own


def _innermost(pid: int) -> int:
    """The program itself, where another one such as buildah runs it."""
    children = " ".join(each.read_text() for each in Path(f"/proc/{pid}/task").glob("*/children")).split()
    return _innermost(int(children[0])) if children else pid


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def seconds(self) -> float:
        return round(time.monotonic() - self._start, 1)


def size_mib(path: Path) -> float:
    """Of a file, or of all files below a folder."""
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file() and not each.is_symlink()]
    return round(sum(each.stat().st_size for each in files) / _MIB, 1)
