"""Every golden payload through one gateway to one server of some MLflow version."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from e2e.compatibility.versions import Version
from e2e.harness.admin import wait_until_idle
from e2e.harness.environment import clean_environment
from e2e.harness.gateway import Gateway
from e2e.harness.mlflow_server import MlflowServer
from e2e.harness.ports import free_ports
from e2e.parity.copies import cases, own_copy

# A case with more traces than this repeats one small trace.
_MANY = 100
_OBSERVER = Path(__file__).with_name("observer.py")
_EXPERIMENT = "compatibility"
# Traces without a root are closed as soon as it is certain that nothing of them is still on its way.
_TUNING = ("--settle", "200ms", "--idle-limit", "1s")


@dataclass(frozen=True)
class Delivered:
    """What a version holds in the end, by the trace ids of the fixtures, and what the gateway says of it."""

    traces: dict[str, dict]
    quarantined: list[str]
    log: str


def deliver_to(versions: list[Version], folder: Path) -> dict[str, Delivered]:
    """By the number of the version. A server waits for itself most of the time, so two run at once."""
    with ThreadPoolExecutor(2) as pool:
        numbers = [version.number for version in versions]
        return dict(zip(numbers, pool.map(lambda each: deliver(each, folder / each.number), versions)))


def deliver(version: Version, folder: Path, *, one_in: int = 1) -> Delivered:
    """Leaving the gateway fails unless it ends in time; its journal is then empty. `one_in` leaves out the payloads between."""
    server = MlflowServer(folder / "server", python=version.python).start()
    try:
        return deliver_through(version, server.uri, folder, one_in=one_in)
    finally:
        server.stop()


def deliver_through(
    version: Version, uri: str, folder: Path, variables: dict[str, str] | None = None, *, one_in: int = 1
) -> Delivered:
    """To a server that runs. The gateway and MLflow's client have these variables. `one_in` leaves out the payloads between."""
    environment = variables or {}
    admin = f"127.0.0.1:{free_ports(1)[0]}"
    arguments = ("--experiment", _EXPERIMENT, "--admin-listen", admin, *_TUNING)
    original: dict[str, str] = {}
    with Gateway(folder / "gateway", *arguments, tracking_uri=uri, environment=environment) as gateway:
        for case in list(cases())[::one_in]:
            copy = own_copy(case, "compatibility")
            if len(copy.original_ids) > _MANY:
                continue
            for payload in copy.payloads:
                payload.post(gateway.traces_url).require(200)
            original |= {stored.zfill(32): f"{case}/{first}" for stored, first in copy.original_ids.items()}
        wait_until_idle(admin, 300.0)
    traces = _observe(version, uri, environment)
    named = {original[stored]: _with_original_ids(trace, stored) for stored, trace in traces.items()}
    reasons = [each["reason"] for each in gateway.quarantine_reasons()]
    return Delivered(named, sorted(reasons), gateway.log_text())


def _observe(version: Version, uri: str, variables: dict[str, str]) -> dict[str, dict]:
    command = [str(version.python), str(_OBSERVER), uri, _EXPERIMENT]
    environment = clean_environment(MLFLOW_HTTP_REQUEST_MAX_RETRIES="1", **variables)
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, timeout=600, check=True)
    return json.loads(done.stdout)


def _with_original_ids(trace: dict, stored: str) -> dict:
    """Without the trace's own id, which differs from run to run of the tests."""
    return json.loads(json.dumps(trace).replace(stored, "TRACE"))
