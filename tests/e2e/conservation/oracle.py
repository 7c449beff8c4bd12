"""One run: clients send while things fail at random moments, then everything is well again, then the books are checked."""

import random
import resource
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from e2e.conservation.account import Account, Result, SpanIds
from e2e.conservation.clients import Client, spans_of
from e2e.conservation.fault_proxy import FAULT_MODES, FaultProxy
from e2e.harness.gateway import Gateway
from e2e.harness.mlflow_server import MlflowServer
from e2e.harness.otlp_sink import OtlpSink

_CLIENTS = 6
_STUCK_S = 90.0
_LOOK_S = 0.5
_QUICK = ("--settle", "50ms", "--partial-interval", "500ms", "--retry-initial", "50ms", "--retry-max", "500ms")


class Run:
    """Everything that is random in it follows from `seed`; the moments of kills do not, since time passes as it will."""

    def __init__(self, folder: Path, server: MlflowServer, seed: int) -> None:
        self._server = server
        self._random = random.Random(seed)
        self._seed = seed
        self._folder = folder
        self.faults: Counter[str] = Counter()
        self.account = Account()

    def through(self, seconds: float) -> Result:
        with FaultProxy(self._server.port) as proxy, OtlpSink() as inbox:
            self._proxy, self._inbox = proxy, inbox
            arguments = (*_QUICK, "--experiment", f"conservation {self._seed}", "--forward", inbox.uri)
            self._gateway = Gateway(self._folder, *arguments, "--request-timeout", "5s", tracking_uri=proxy.uri)
            self._gateway.start()
            try:
                self._trouble(seconds)
                in_mlflow, in_inbox = self._settle()
            except BaseException:
                print(self._gateway.log_text()[-8_000:])
                self._gateway.kill()
                raise
            status = self._gateway.stop()
        result = Result(self.account, in_mlflow, in_inbox, self.faults, status)
        if not result.holds():
            print(self._gateway.log_text()[-8_000:])
        return result

    def _trouble(self, seconds: float) -> None:
        clients = [Client(number, self._seed, self._gateway, self.account) for number in range(_CLIENTS)]
        for client in clients:
            client.start()
        self._restart_mlflow()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            fault = self._random.choices(*zip(*_FAULTS, strict=True))[0]
            self.faults[fault.__name__.strip("_")] += 1
            fault(self)
            time.sleep(self._random.uniform(0, 1.0))
        for client in clients:
            client.stop()
        for client in clients:
            client.join()
            if client.failure is not None:
                raise client.failure

    def _kill(self) -> None:
        self._gateway.kill()
        time.sleep(self._random.uniform(0, 0.3))
        self._gateway.start()

    def _change_fault_mode(self) -> None:
        self._proxy.fault_mode = self._random.choice(FAULT_MODES)
        self.faults[f"MLflow {self._proxy.fault_mode}"] += 1

    def _inbox_comes_and_goes(self) -> None:
        self._inbox.away = not self._inbox.away

    def _disk_full(self) -> None:
        # No file may grow beyond this: a write fails as it does on a disk that is full.
        size = self._random.choice((0, 4_096, 200_000))
        _limit_files(self._gateway.process.pid, size)
        time.sleep(self._random.uniform(0.2, 1.5))
        _limit_files(self._gateway.process.pid, resource.RLIM_INFINITY)
        if self._gateway.process.has_ended:
            # It had only just begun: a host that cannot open its journal ends, and its supervisor starts it again. What it said
            # may be missing, since its log is limited like every file.
            self.faults["ended by a full disk"] += 1
            self._gateway.kill()
            self._gateway.start()

    def _restart_mlflow(self) -> None:
        self._server.kill()
        self._server.start()

    def _settle(self) -> tuple[Counter[SpanIds], Counter[SpanIds]]:
        """Everything is well from here on. Returns what arrived, once all that was acknowledged has."""
        self._proxy.fault_mode, self._inbox.away = "well", False
        acknowledged = self.account.acknowledged

        def have_all() -> bool:
            return acknowledged <= self._server.span_ids().keys() and acknowledged <= self._in_inbox().keys()

        # What waits may be much; without progress the rest is lost, and the result says what is missing.
        arrived, since = -1, time.monotonic()
        while not have_all() and time.monotonic() < since + _STUCK_S:
            now = self._server.span_ids().total() + len(self._inbox.taken)
            if now > arrived:
                arrived, since = now, time.monotonic()
            time.sleep(_LOOK_S)
        return self._server.span_ids(), self._in_inbox()

    def _in_inbox(self) -> Counter[SpanIds]:
        return Counter(span for taken in list(self._inbox.taken) for span in spans_of(taken.body, taken.content_type))


_FAULTS: tuple[tuple[Callable[[Run], None], float], ...] = (
    (Run._kill, 4),
    (Run._change_fault_mode, 6),
    (Run._inbox_comes_and_goes, 3),
    (Run._disk_full, 2),
)


def _limit_files(pid: int, size: int) -> None:
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
