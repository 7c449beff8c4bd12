"""Every case stored twice on one server, raw and through one gateway, and both copies read back."""

from dataclasses import dataclass
from pathlib import Path

from e2e.harness.admin import wait_until_idle
from e2e.harness.gateway import Gateway
from e2e.harness.ports import free_ports
from e2e.harness.readback import Reader
from e2e.harness.wait import eventually
from e2e.parity.copies import Copy, cases, own_copy, read_back

# A case with more traces than this is stored in an experiment of its own, which one search can bring back whole.
_MANY = 100
_WITHOUT_ROOT = "trace.status = 'IN_PROGRESS'"


@dataclass(frozen=True)
class StoredCopies:
    """`raw` and `translated` hold the same cases in the same order."""

    raw: dict[str, Copy]
    translated: dict[str, Copy]
    # The `.reason.json` of everything the gateway quarantined, and what the gateway logged.
    quarantined: list[dict]
    log: str


def store_twice(reader: Reader, server_uri: str, folder: Path) -> StoredCopies:
    raw, raw_experiments = _copies(reader, "raw")
    for case, copy in raw.items():
        for payload in copy.payloads:
            copy.answers.append(payload.post_raw(server_uri, raw_experiments[case]).status)

    translated, experiments = _copies(reader, "translated")
    # Root-less traces are closed as soon as it is certain that nothing of them is still on its way.
    tuning = ("--settle", "200ms", "--idle-limit", "1s", "--partial-interval", "500ms")
    logs = {"RUST_LOG": "info,openinference_mlflow=debug"}
    admin = f"127.0.0.1:{free_ports(1)[0]}"
    with Gateway(folder, *tuning, "--admin-listen", admin, tracking_uri=server_uri, environment=logs) as gateway:
        for case, copy in translated.items():
            for payload in copy.payloads:
                answer = payload.post(gateway.traces_url, {"x-mlflow-experiment-id": experiments[case]})
                copy.answers.append(answer.status)
        for experiment in set(experiments.values()):
            eventually(lambda: reader.trace_ids(experiment), f"traces in experiment {experiment}", 60)
            eventually(lambda: not reader.trace_ids(experiment, _WITHOUT_ROOT), "every trace to be closed", 60)
        # The end of the gateway does not wait for requests that only improve previews.
        wait_until_idle(admin)
    # Leaving the gateway delivers what is there, and fails unless everything was.

    for copies, where in ((raw, raw_experiments), (translated, experiments)):
        for experiment in set(where.values()):
            read_back(reader, experiment, {case: copy for case, copy in copies.items() if where[case] == experiment})
    return StoredCopies(raw, translated, gateway.quarantine_reasons(), gateway.log_text())


def _copies(reader: Reader, side: str) -> tuple[dict[str, Copy], dict[str, str]]:
    """A copy of each case, and the experiment that each is stored in."""
    copies = {case: own_copy(case, side) for case in cases()}
    ordinary = reader.create_experiment(f"parity, {side}")
    large = reader.create_experiment(f"parity, {side}, large")
    return copies, {case: large if len(copy.original_ids) > _MANY else ordinary for case, copy in copies.items()}
