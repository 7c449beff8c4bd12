"""What makes one of a program's calls to the system its last one, or makes it fail: see tests/fault-injector."""

import os
from collections.abc import Mapping
from pathlib import Path

_LIBRARY = Path(__file__).resolve().parents[3] / "target/release/libopeninference_mlflow_fault_injector.so"


def library() -> Path:
    """`OPENINFERENCE_MLFLOW_FAULT_INJECTOR`, or the release build of this repository."""
    path = Path(os.environ.get("OPENINFERENCE_MLFLOW_FAULT_INJECTOR", _LIBRARY))
    if not path.is_file():
        raise FileNotFoundError(
            f"no library at {path}; build it with `cargo build --release -p openinference-mlflow-fault-injector`"
        )
    return path


def injected(places: Mapping[str, Path | int], seen: Path, at: str | None) -> dict[str, str]:
    """The environment of a program whose calls to these folders and ports are counted in the file `seen`, and that meets a
    fault `at` one of them: `call place number action`."""
    settings = {
        "LD_PRELOAD": str(library()),
        "FAULT_INJECTOR_PLACES": ";".join(f"{name}={where}" for name, where in places.items()),
        "FAULT_INJECTOR_SEEN": str(seen),
    }
    return settings | ({"FAULT_INJECTOR_AT": at} if at else {})
