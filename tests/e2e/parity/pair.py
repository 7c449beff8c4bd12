"""Each payload twice on one server: raw in one experiment, through the bridge in another; and both read back."""

import re
from dataclasses import dataclass, field

from mlflow.exceptions import MlflowException

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


def own_copy(files: list[str], use: str) -> Copy:
    return Copy([payloads.load(name).with_own_traces(use) for name in files])


def read_back(reader: Reader, experiment_id: str, copies: dict[str, Copy]) -> None:
    """Fill in `traces` of each copy with what the server shows now."""
    searchable = _searchable_types(reader, experiment_id)
    for copy in copies.values():
        for stored, original in copy.original_ids.items():
            try:
                shown = observe(reader.trace(stored), copy.original_ids)
            except MlflowException as error:
                copy.traces[original] = "absent" if error.error_code == "RESOURCE_DOES_NOT_EXIST" else "unreadable"
                continue
            shown["searchable_types"] = [name for name, found in searchable.items() if stored in found]
            copy.traces[original] = shown


def _searchable_types(reader: Reader, experiment_id: str) -> dict[str, set[str]]:
    return {name: reader.trace_ids(experiment_id, f"span.type = '{name}'") for name in SEARCHED_TYPES}
