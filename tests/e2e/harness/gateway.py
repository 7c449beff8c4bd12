"""The real binary: `openinference-mlflow serve` on two free ports, and its other commands."""

import json
import os
import subprocess
from pathlib import Path

from e2e.harness.environment import clean_environment
from e2e.harness.ports import free_ports, is_listening
from e2e.harness.process import Process
from e2e.harness.wait import eventually

_REPOSITORY = Path(__file__).resolve().parents[3]
_START_S = 30.0
_COMMAND_S = 60.0


def binary() -> Path:
    """The program under test: `OPENINFERENCE_MLFLOW_BINARY`, or the release build of this repository."""
    path = Path(os.environ.get("OPENINFERENCE_MLFLOW_BINARY", _REPOSITORY / "target/release/openinference-mlflow"))
    if not path.is_file():
        raise FileNotFoundError(
            f"no program at {path}; build it with `cargo build --release -p openinference-mlflow`, "
            "or name another one in OPENINFERENCE_MLFLOW_BINARY"
        )
    return path


def run(
    *arguments: str, stdin: bytes = b"", environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run one command of the binary to its end and return its output. The caller judges the exit status."""
    return subprocess.run(
        [str(binary()), *arguments],
        input=stdin,
        capture_output=True,
        env=clean_environment(**(environment or {})),
        timeout=_COMMAND_S,
        check=False,
    )


class Gateway:
    """`openinference-mlflow serve`. A context manager: leaving it asks the program to end and checks that it did.

    `folder` is the data directory and holds the log; the same folder may be used again by a later Gateway.
    """

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        tracking_uri: str | None = None,
        environment: dict[str, str] | None = None,
    ) -> None:
        self._folder = folder
        self._grpc_port, self._http_port = free_ports(2)
        self._arguments = list(arguments)
        if tracking_uri is not None:
            self._arguments += ["--tracking-uri", tracking_uri]
        # For the next start.
        self.environment = dict(environment or {})
        self._process: Process | None = None

    @property
    def _log(self) -> Path:
        return self._folder / "serve.log"

    @property
    def data_dir(self) -> Path:
        return self._folder / "data"

    @property
    def grpc_target(self) -> str:
        return f"127.0.0.1:{self._grpc_port}"

    @property
    def http_port(self) -> int:
        return self._http_port

    @property
    def http_uri(self) -> str:
        return f"http://127.0.0.1:{self._http_port}"

    @property
    def traces_url(self) -> str:
        return f"{self.http_uri}/v1/traces"

    @property
    def process(self) -> Process:
        assert self._process is not None, "the gateway is not running"
        return self._process

    @property
    def quarantine(self) -> Path:
        return self.data_dir / "quarantine"

    def quarantine_reasons(self) -> list[dict]:
        """The `.reason.json` of everything that was quarantined."""
        return [json.loads(each.read_text()) for each in sorted(self.quarantine.glob("*.reason.json"))]

    def log_text(self) -> str:
        """Its standard error and standard output, also after its end."""
        return self._log.read_text(errors="replace")

    def wait_for_log(self, text: str, within: float = 30.0) -> None:
        eventually(lambda: text in self.log_text(), f"{text!r} in the log of serve", within)

    def start(self) -> "Gateway":
        assert self._process is None, "the gateway is running already"
        self._folder.mkdir(parents=True, exist_ok=True)
        command = [
            *(str(binary()), "serve"),
            *("--grpc-listen", self.grpc_target, "--http-listen", f"127.0.0.1:{self._http_port}"),
            *("--data-dir", str(self.data_dir)),
            *self._arguments,
        ]
        environment = clean_environment(RUST_BACKTRACE="1", **self.environment)
        self._process = Process(
            "openinference-mlflow serve", command, environment, self._log, self._folder
        )
        try:
            eventually(self._is_ready, "serve to listen for gRPC and HTTP", within=_START_S)
        except AssertionError:
            self.kill()
            raise
        return self

    def stop(self) -> int:
        """End it as a supervisor would (SIGTERM) and return its exit status."""
        status = self.process.terminate()
        self._process = None
        return status

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process = None

    def __enter__(self) -> "Gateway":
        return self.start()

    def __exit__(self, exception_type: type[BaseException] | None, *_: object) -> None:
        if self._process is None:
            return
        if exception_type is not None:
            print(self._process.log_tail())
            self.kill()
            return
        tail = self._process.log_tail
        status = self._process.terminate()
        assert status == 0, f"serve ended with status {status} after SIGTERM\n{tail()}"
        self._process = None

    def _is_ready(self) -> bool:
        self.process.require_running()
        return is_listening(self._grpc_port) and is_listening(self._http_port)
