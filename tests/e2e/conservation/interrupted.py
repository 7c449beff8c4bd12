"""A host that meets a fault at one moment: a few known spans, the fault, a second life without faults, and the books.

MLflow is a pretence here and one span is such as it refuses, so that the quarantine is written as well.
"""

import json
import re
import shutil
import signal
import time
from collections import Counter
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from capture.handbuilt.builder import Trace, request
from e2e.conservation.account import Account, SpanIds
from e2e.conservation.clients import export, span_ids, spans_of
from e2e.conservation.moments import Moment, Seen
from e2e.conservation.pretend_mlflow import PretendMlflow
from e2e.harness.gateway import Gateway
from e2e.harness.fault_injector import injected
from e2e.harness.otlp_sink import OtlpSink
from e2e.harness.wait import WaitAborted, eventually

_QUICK = ("--settle", "10ms", "--retry-initial", "20ms", "--retry-max", "200ms", "--admin-listen", "off")
_PROTOBUF = "application/x-protobuf"
# A disk that fails is tried again each second.
_RECOVERED_S = 30.0
_PAUSE_S = 0.1


def _message(name: str, size: int) -> ExportTraceServiceRequest:
    trace = Trace(f"interrupted/{name}", {"service.name": "conservation"})
    trace.span("agent", "AGENT", {"input.value": "x" * size, "output.value": name})
    trace.span("call", "LLM", {"llm.model_name": "m", "input.value": name}, parent="agent")
    return request(trace)


# One that fills pages, one that is refused, one that comes after it.
_MESSAGES = [_message("first", 20_000), _message("refused", 100), _message("last", 100)]
_REFUSED = set(span_ids(_MESSAGES[1]))
_AFTERWARDS = _message("afterwards", 100)


def leave_damaged(folder: Path) -> Path:
    """The data directory of a host that was killed when it had delivered nothing, and whose journal's first page is gone:
    the next start takes over what is in it."""
    with OtlpSink() as away:
        away.away = True
        gateway = Gateway(folder, *_QUICK, "--experiment", "interrupted", "--forward", away.uri, tracking_uri=away.uri).start()
        try:
            for message in _MESSAGES:
                assert export(gateway, message.SerializeToString(), _PROTOBUF, Account())
        finally:
            gateway.kill()
    with (gateway.data_dir / "journal/journal.redb").open("r+b") as journal:
        journal.write(bytes(4_096))
    return gateway.data_dir


class Interrupted:
    """One run in a folder of its own. `moment` none: nothing happens, and `seen` says what might have been interrupted.

    `left` is what `leave_damaged` made: then nothing is sent in the first life, and what is in that journal must arrive.
    """

    def __init__(self, folder: Path, moment: Moment | None, left: Path | None = None) -> None:
        self._folder = folder
        self._moment = moment
        self._left = left
        self._account = Account()
        self._acknowledged_before = False
        self.seen: Seen = Counter()
        # What must not be, in words.
        self.wrong: list[str] = []

    def run(self) -> "Interrupted":
        with PretendMlflow(_REFUSED) as mlflow, OtlpSink() as inbox:
            self._mlflow, self._inbox = mlflow, inbox
            if self._left is not None:
                shutil.copytree(self._left, self._folder / "data")
                for message in _MESSAGES:
                    self._account.send(set(span_ids(message)))
                    self._account.acknowledge(set(span_ids(message)))
            for life in (self._first_life, self._second_life):
                try:
                    life()
                except AssertionError as failure:
                    self.wrong.append(f"{life.__name__}: {failure}")
            self._check()
        if self.wrong:
            self.wrong.append(self._log.read_text()[-6_000:])
        return self

    @property
    def was_met(self) -> bool:
        """Whether the run came as far as the moment."""
        moment = self._moment
        return moment is None or self.seen[moment.call, moment.place] >= moment.number

    def _first_life(self) -> None:
        gateway = self._gateway()
        places = {
            "journal": gateway.data_dir / "journal",
            "quarantine": gateway.quarantine,
            "mlflow": self._mlflow.port,
            "forwarded": self._inbox.port,
            "sender": gateway.http_port,
        }
        seen = self._folder / "seen"
        gateway.environment |= injected(places, seen, str(self._moment) if self._moment else None)
        try:
            self._live(gateway)
        finally:
            gateway.kill()
            self.seen = Counter(tuple(line.split(" ")) for line in seen.read_text().splitlines())

    def _live(self, gateway: Gateway) -> None:
        try:
            gateway.start()
        except WaitAborted:
            # It ended in its first moments, by the fault or because of it: then it said what to do.
            if not (self._is_killed or self._says_what_to_do):
                raise
            return
        messages = _MESSAGES if self._left is None else []
        if all(self._export(gateway, message) for message in messages):
            self._wait(gateway)
        status = gateway.stop()
        killed = self._is_killed and status == -signal.SIGKILL
        began = self._mlflow.stored or (self._left is None and self._account.acknowledged)
        never_began = status == 1 and self._says_what_to_do and not began
        if not (status == 0 or killed or never_began):
            self.wrong.append(f"it ended with status {status}")

    @property
    def _is_killed(self) -> bool:
        return self._moment is not None and self._moment.is_end

    @property
    def _says_what_to_do(self) -> bool:
        return "hint:" in self._log.read_text()

    def _second_life(self) -> None:
        self._acknowledged_before = bool(self._account.acknowledged)
        with self._gateway() as gateway:
            eventually(lambda: self._export(gateway, _AFTERWARDS), "a new span to be taken")
            eventually(self._all_arrived, "everything that was acknowledged", _RECOVERED_S)

    def _gateway(self) -> Gateway:
        arguments = (*_QUICK, "--experiment", "interrupted", "--forward", self._inbox.uri)
        return Gateway(self._folder, *arguments, tracking_uri=self._mlflow.uri)

    @property
    def _log(self) -> Path:
        return self._folder / "serve.log"

    def _export(self, gateway: Gateway, message: ExportTraceServiceRequest) -> bool:
        """Until it is acknowledged, or the host has ended."""
        spans = set(span_ids(message))
        self._account.send(spans)
        deadline = time.monotonic() + _RECOVERED_S
        while not export(gateway, message.SerializeToString(), _PROTOBUF, self._account):
            if gateway.process.has_ended:
                return False
            assert time.monotonic() < deadline, "it takes nothing, although the disk is well again"
            time.sleep(_PAUSE_S)
        self._account.acknowledge(spans)
        return True

    def _wait(self, gateway: Gateway) -> None:
        eventually(lambda: gateway.process.has_ended or self._all_arrived(), "what was acknowledged", _RECOVERED_S)

    def _all_arrived(self) -> bool:
        acknowledged = self._account.acknowledged
        return acknowledged <= self._mlflow.stored | self._quarantined() and acknowledged <= self._forwarded()

    def _quarantined(self) -> set[SpanIds]:
        """What is there with its reason."""
        payloads = (self._folder / "data/quarantine").glob("*.pb")
        whole = (path for path in payloads if json.loads(path.with_suffix(".reason.json").read_bytes())["reason"])
        return {span for path in whole for span in spans_of(path.read_bytes(), _PROTOBUF)}

    def _forwarded(self) -> set[SpanIds]:
        return {span for taken in list(self._inbox.taken) for span in spans_of(taken.body, taken.content_type)}

    def _check(self) -> None:
        found = {
            "refusals that may not be repeated": self._account.wrong,
            "spans that nobody sent": (self._mlflow.stored | self._quarantined()) - self._account.sent,
            "quarantined although MLflow takes them": self._quarantined() - _REFUSED,
            "journals that were found damaged": self._damaged(),
            "damage that it does not speak of": self._left is not None and "recovering its entries" not in self._log.read_text(),
            "panics": re.findall("panicked at .*", self._log.read_text()),
        }
        self.wrong += [f"{what}: {each}" for what, each in found.items() if each]

    def _damaged(self) -> list[Path]:
        """What was found damaged and moved aside, but for a journal whose first words were cut off."""
        damaged = list((self._folder / "data/journal").glob("damaged-*"))
        if self._left is not None:
            return damaged[1:]
        return damaged if self._acknowledged_before else []
