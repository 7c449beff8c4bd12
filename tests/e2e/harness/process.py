"""A child process with a log file: started, watched, and stopped by its own process id.

Guarantees that nothing a test started outlives it: the child leads a session of its own, and what is left of that
session after the child has ended is killed.
"""

import contextlib
import os
import signal
import subprocess
from pathlib import Path

from e2e.harness.wait import WaitAborted

_LOG_TAIL_LINES = 60


class Process:
    """One running program. Output of both streams goes to `log`."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str], log: Path, cwd: Path) -> None:
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._child = subprocess.Popen(
                command,
                env=environment,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def has_ended(self) -> bool:
        return self._child.poll() is not None

    def require_running(self) -> None:
        """Fail with the end of the log when the program has ended on its own."""
        status = self._child.poll()
        if status is not None:
            raise WaitAborted(f"{self.name} ended with status {status}\n{self.log_tail()}")

    def log_text(self) -> str:
        return self.log.read_text(errors="replace")

    def log_tail(self) -> str:
        lines = self.log_text().splitlines()
        return "\n".join([f"--- {self.log} (last {_LOG_TAIL_LINES} lines)", *lines[-_LOG_TAIL_LINES:]])

    def terminate(self, within: float = 60.0) -> int:
        """Ask the program to end (SIGTERM), wait for it, and return its exit status."""
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)
        try:
            return self._child.wait(within)
        except subprocess.TimeoutExpired as late:
            raise AssertionError(f"{self.name} ignored SIGTERM for {within:g} s\n{self.log_tail()}") from late
        finally:
            self.kill()

    def kill(self) -> None:
        """End the program and everything it started, now (SIGKILL). Harmless when it has ended already."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()
