"""Each payload twice on one server: raw in one experiment, through the gateway in another; and both read back."""

import re
from dataclasses import dataclass, field

from e2e.harness import payloads
from e2e.harness.payloads import Payload
from e2e.harness.readback import Reader
from e2e.parity.observe import observe

# `py_mb_X.b0.pb`, `py_mb_X.b1.pb`: one trace in batches, sent in this order.
_BATCH = re.compile(r"^(?P<case>.+)\.b\d+\.pb$")

# Every type MLflow's UI offers, asked for as a user would in a search.
SEARCHED_TYPES = (
    *("LLM", "EMBEDDING", "TOOL", "RETRIEVER", "AGENT", "CHAIN", "RERANKER", "GUARDRAIL", "EVALUATOR"),
    *("UNKNOWN", "PARSER", "CHAT_MODEL", "TASK", "WORKFLOW"),
)


def cases() -> dict[str, list[str]]:
    """The fixture files of each case: one, or a trace's batches in order."""
    found: dict[str, list[str]] = {}
    for path in sorted(payloads.FIXTURES.iterdir()):
        if path.suffix in {".pb", ".json"} and path.name != "manifest.json":
            batch = _BATCH.match(path.name)
            found.setdefault(batch["case"] if batch else path.name, []).append(path.name)
    return found


@dataclass
class Copy:
    """One case as one side stored it. Trace ids are those of the fixture."""

    payloads: list[Payload]
    # HTTP statuses in the order the payloads were sent.
    answers: list[int] = field(default_factory=list)
    # What MLflow shows of each trace; a word where it shows nothing.
    traces: dict[str, dict | str] = field(default_factory=dict)

    @property
    def original_ids(self) -> dict[str, str]:
        return {stored: original for payload in self.payloads for stored, original in payload.original_ids.items()}


def own_copy(case: str, use: str) -> Copy:
    """A case's payloads with trace ids that nothing else has: some fixtures hold the same trace in two encodings."""
    return Copy([payloads.load(name).with_own_traces(f"{use}/{case}") for name in cases()[case]])


def read_back(reader: Reader, experiment_id: str, copies: dict[str, Copy]) -> None:
    """Fill in `traces` of each copy with what the server shows now of this experiment."""
    searchable = {name: reader.trace_ids(experiment_id, f"span.type = '{name}'") for name in SEARCHED_TYPES}
    found = reader.traces(experiment_id, [_padded(stored) for copy in copies.values() for stored in copy.original_ids])
    for copy in copies.values():
        for stored, original in copy.original_ids.items():
            trace = found[_padded(stored)]
            if isinstance(trace, str):
                copy.traces[original] = trace
                continue
            shown = observe(trace, copy.original_ids)
            shown["searchable_types"] = [name for name, ids in searchable.items() if _padded(stored) in ids]
            copy.traces[original] = shown


def _padded(trace_id: str) -> str:
    """MLflow reads an id as a number, so that a short one is stored with zeros in front."""
    return trace_id.zfill(32)
