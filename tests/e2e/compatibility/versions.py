"""The MLflow versions that are compared, each in a virtual environment of its own."""

import os
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version as installed
from pathlib import Path

_REPOSITORY = Path(__file__).resolve().parents[3]
_UV = _REPOSITORY / ".tools/uv/bin/uv"
# One for each set of abilities that `translator/src/mlflow/server.rs` distinguishes, and the newest.
OLD = ("3.6.0", "3.8.1", "3.10.1", "3.12.0", "3.14.0", "3.16.0")
# MLflow before 3.13 does not run with SQLAlchemy 2.1.
_BESIDE = "sqlalchemy<2.1"


@dataclass(frozen=True)
class Version:
    """An MLflow version and the interpreter that has it."""

    number: str
    python: Path


def newest() -> Version:
    """The version that every other test uses."""
    return Version(installed("mlflow"), Path(sys.executable))


def old(number: str) -> Version:
    """An earlier version, installed into `.venv-mlflow-NUMBER` if it is not there."""
    folder = _REPOSITORY / f".venv-mlflow-{number}"
    python, marker = folder / "bin/python", folder / "installed"
    if not marker.is_file():
        subprocess.run([_UV, "venv", "--quiet", "--clear", "--python", sys.executable, folder], check=True)
        install = [_UV, "pip", "install", "--quiet", "--python", python, f"mlflow=={number}", _BESIDE]
        subprocess.run(install, env=os.environ | {"UV_SYSTEM_CERTS": "1"}, check=True)
        marker.touch()
    return Version(number, python)
