"""A real `mlflow server` on loopback: SQLite store, one worker, its own folder."""

import shutil
import sqlite3
import sys
import urllib.request
from collections import Counter
from contextlib import closing
from pathlib import Path

from e2e.harness.environment import clean_environment
from e2e.harness.ports import free_ports
from e2e.harness.process import Process
from e2e.harness.wait import eventually

# The first start creates the database's tables; two busy cores need most of this.
_START_S = 90.0


class MlflowServer:
    """`start` and `stop` may alternate: the store, the port and so the address stay the same.

    `store` is a database to begin with, such as `save_store` makes: creating its tables takes longer than all the rest.
    """

    def __init__(
        self,
        folder: Path,
        *,
        store: Path | None = None,
        extra_arguments: tuple[str, ...] = (),
        environment: dict[str, str] | None = None,
    ) -> None:
        self._folder = folder
        self._extra_arguments = extra_arguments
        self._environment = environment or {}
        (self._port,) = free_ports(1)
        self._process: Process | None = None
        folder.mkdir(parents=True, exist_ok=True)
        if store is not None:
            shutil.copyfile(store, self._database)

    @property
    def _database(self) -> Path:
        return self._folder / "mlflow.db"

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def port(self) -> int:
        return self._port

    @property
    def log(self) -> Path:
        return self._folder / "mlflow.log"

    def start(self) -> "MlflowServer":
        assert self._process is None, "the server is running already"
        command = [
            *(sys.executable, "-m", "mlflow", "server"),
            *("--backend-store-uri", f"sqlite:///{self._database}"),
            *("--artifacts-destination", str(self._folder / "artifacts")),
            *("--host", "127.0.0.1", "--port", str(self._port), "--workers", "1"),
            *self._extra_arguments,
        ]
        # Background jobs (scorers, optimisation) would start a second interpreter that no test here needs.
        environment = clean_environment(MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false", **self._environment)
        self._process = Process("mlflow server", command, environment, self.log, self._folder)
        try:
            eventually(self._is_healthy, f"{self.uri}/health", within=_START_S)
        except AssertionError as error:
            tail = self._process.log_tail()
            self.kill()
            raise AssertionError(f"{error}\n{tail}") from error
        return self

    def span_ids(self) -> Counter[tuple[str, str]]:
        """How often each span is in the store, by trace id and span id in hexadecimal. A search pages through traces in the
        order of their times, and returns those of one moment twice or never."""
        with closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True)) as store:
            rows = store.execute("SELECT trace_id, span_id FROM spans").fetchall()
        return Counter((trace_id.removeprefix("tr-"), span_id) for trace_id, span_id in rows)

    def save_store(self, to: Path) -> Path:
        """Copy the database as it is now; the server may be running."""
        with closing(sqlite3.connect(self._database)) as source, closing(sqlite3.connect(to)) as target:
            source.backup(target)
        return to

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process = None

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process = None

    def _is_healthy(self) -> bool:
        assert self._process is not None
        self._process.require_running()
        with urllib.request.urlopen(f"{self.uri}/health", timeout=2) as answer:
            return answer.status == 200
