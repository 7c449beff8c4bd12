"""A server in a child process that can be stopped and started again on the same port."""

import urllib.request
from pathlib import Path
from typing import Self

from e2e.harness.process import Process
from e2e.harness.wait import eventually


class HttpServerProcess:
    """Subclasses implement `_command` and `_environment`, and call `start` and `stop` in any order."""

    name: str
    health_path: str
    start_timeout_s: float

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self._port = port
        self._process: Process | None = None
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def port(self) -> int:
        return self._port

    @property
    def pid(self) -> int:
        """Of the process that leads its session."""
        assert self._process is not None, f"{self.name} is not running"
        return self._process.pid

    @property
    def log(self) -> Path:
        return self._folder / f"{self.name}.log"

    def start(self) -> Self:
        """Returns when the server answers its health check; fails with the end of its log."""
        assert self._process is None, f"{self.name} is running already"
        self._process = Process(self.name, self._command(), self._environment(), self.log, self._folder)
        try:
            eventually(self._is_healthy, self.uri + self.health_path, within=self.start_timeout_s)
        except AssertionError as error:
            tail = self._process.log_tail()
            self.kill()
            raise AssertionError(f"{error}\n{tail}") from error
        return self

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process = None

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process = None

    def _command(self) -> list[str]:
        raise NotImplementedError

    def _environment(self) -> dict[str, str]:
        raise NotImplementedError

    def _is_healthy(self) -> bool:
        assert self._process is not None
        self._process.require_running()
        with urllib.request.urlopen(self.uri + self.health_path, timeout=2) as answer:
            return answer.status == 200
