"""What MLflow itself takes in from a gateway: on SQLite and on PostgreSQL, with one worker process, two and four."""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg2

from benches.kafka.processes import MeasuredGateway, cpu_seconds, wait_until
from benches.kafka.traces import TEMPLATE, Traces, post
from e2e.harness.mlflow_server import MlflowServer
from e2e.harness.postgres import Postgres

WORKERS = (1, 2, 4)
_WARM_UP = 50
_CLIENTS = 2
_START_S = 180.0


@dataclass(frozen=True)
class Server:
    store: str
    workers: int
    spans_per_second: float
    # Of MLflow, and of PostgreSQL, for a span.
    mlflow_micros: float
    store_micros: float


def measure(folder: Path, spans: int) -> list[Server]:
    payloads = spans // TEMPLATE.spans
    return [*_on_sqlite(folder / "sqlite", payloads), *_on_postgres(folder / "postgres", payloads)]


def _on_sqlite(folder: Path, payloads: int) -> list[Server]:
    servers = []
    for workers in WORKERS:
        mlflow = _server(folder / str(workers), workers)
        servers.append(_taken_in(mlflow, "SQLite", workers, payloads, lambda: 0.0, mlflow.count_spans))
    return servers


def _on_postgres(folder: Path, payloads: int) -> list[Server]:
    servers = []
    with Postgres("mlflow", "mlflow", "mlflow", durable=True) as postgres:
        for workers in WORKERS:
            mlflow = _server(folder / str(workers), workers, "--backend-store-uri", f"postgresql+psycopg2://{postgres.address}")
            servers.append(
                _taken_in(mlflow, "PostgreSQL", workers, payloads, lambda: cpu_seconds(postgres.pid), lambda: _count_spans(postgres))
            )
    return servers


def _count_spans(postgres: Postgres) -> int:
    with contextlib.closing(psycopg2.connect(f"postgresql://{postgres.address}")) as store, store.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM spans")
        return cursor.fetchone()[0]


def _server(folder: Path, workers: int, *arguments: str) -> MlflowServer:
    server = MlflowServer(folder, extra_arguments=("--workers", str(workers), *arguments))
    server.start_timeout_s = _START_S
    return server


def _taken_in(
    mlflow: MlflowServer,
    store: str,
    workers: int,
    payloads: int,
    store_cpu: Callable[[], float],
    stored: Callable[[], int],
) -> Server:
    """The gateway has everything in its journal at once, so MLflow is the slow part."""
    # PostgreSQL keeps the spans of the servers before.
    traces = Traces(seed=workers)
    with contextlib.ExitStack() as running:
        mlflow.start()
        running.callback(mlflow.kill)
        gateway = MeasuredGateway(mlflow.log.parent / "gateway", tracking_uri=mlflow.uri)
        running.enter_context(gateway)

        def send(count: int) -> None:
            goal = gateway.metric("delivered_spans_total") + count * TEMPLATE.spans
            post(gateway.http_uri, traces, count, _CLIENTS)
            wait_until(lambda: gateway.metric("delivered_spans_total") >= goal, "MLflow to take everything")

        send(_WARM_UP)
        pid = mlflow.pid
        spans_before, mlflow_before, store_before = stored(), cpu_seconds(pid), store_cpu()
        start = time.monotonic()
        send(payloads)
        taken = time.monotonic() - start
        spans = stored() - spans_before
        assert spans == payloads * TEMPLATE.spans, f"MLflow has {spans} spans of {payloads * TEMPLATE.spans}"
        return Server(
            store,
            workers,
            spans / taken,
            (cpu_seconds(pid) - mlflow_before) * 1e6 / spans,
            (store_cpu() - store_before) * 1e6 / spans,
        )
