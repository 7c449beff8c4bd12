"""A real `mlflow server` on loopback: SQLite store, one worker, its own folder."""

import shutil
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from e2e.harness.environment import clean_environment
from e2e.harness.http_server_process import HttpServerProcess
from e2e.harness.ports import free_ports


class MlflowServer(HttpServerProcess):
    """`start` and `stop` may alternate: the store, the port and so the address stay the same.

    `store` is an initial database, such as `save_store` makes: creating its tables takes most of the first start.
    `python` is an interpreter with another version of MLflow. Of an option that `extra_arguments` repeats, MLflow takes the
    last value. `prefix` comes before every path.
    """

    name = "mlflow"
    health_path = "/health"
    # The first start creates the database's tables; two busy cores need most of this.
    start_timeout_s = 90.0

    def __init__(
        self,
        folder: Path,
        *,
        store: Path | None = None,
        extra_arguments: tuple[str, ...] = (),
        environment: dict[str, str] | None = None,
        python: Path | None = None,
        prefix: str = "",
    ) -> None:
        super().__init__(folder, *free_ports(1))
        self._prefix = prefix
        self._python = python or Path(sys.executable)
        self._extra_arguments = extra_arguments
        self._settings = environment or {}
        if store is not None:
            shutil.copyfile(store, self._database)

    @property
    def uri(self) -> str:
        return super().uri + self._prefix

    @property
    def _database(self) -> Path:
        return self._folder / "mlflow.db"

    def _command(self) -> list[str]:
        return [
            *(str(self._python), "-m", "mlflow", "server"),
            *("--backend-store-uri", f"sqlite:///{self._database}"),
            *("--artifacts-destination", str(self._folder / "artifacts")),
            *("--host", "127.0.0.1", "--port", str(self._port), "--workers", "1"),
            *(("--static-prefix", self._prefix) if self._prefix else ()),
            *self._extra_arguments,
        ]

    def _environment(self) -> dict[str, str]:
        # Background jobs (scorers, optimisation) would start a second interpreter that no test here needs.
        return clean_environment(MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false", **self._settings)

    def span_ids(self) -> Counter[tuple[str, str]]:
        """How often each span is in the store, by trace id and span id in hexadecimal. A search pages through traces in the
        order of their times, and returns those of one moment twice or never."""
        with closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True)) as store:
            rows = store.execute("SELECT trace_id, span_id FROM spans").fetchall()
        return Counter((trace_id.removeprefix("tr-"), span_id) for trace_id, span_id in rows)

    @contextmanager
    def locked_store(self) -> Iterator[None]:
        """Nobody else reads or writes the database meanwhile."""
        with closing(sqlite3.connect(self._database, isolation_level=None)) as store:
            store.execute("BEGIN EXCLUSIVE")
            yield
            store.execute("ROLLBACK")

    def count_spans(self) -> int:
        with closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True)) as store:
            return store.execute("SELECT count(*) FROM spans").fetchone()[0]

    def save_store(self, to: Path) -> Path:
        """Copy the database as it is now; the server may be running."""
        with closing(sqlite3.connect(self._database)) as source, closing(sqlite3.connect(to)) as target:
            source.backup(target)
        return to
