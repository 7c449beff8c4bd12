"""The compose file's MLflow, as its image installs and starts it, on a real PostgreSQL.

Images themselves are not started: there is no registry to load them from.
"""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from e2e.harness.environment import clean_environment
from e2e.harness.http import request
from e2e.harness.ports import free_ports
from e2e.harness.postgres import Postgres
from e2e.harness.process import Process
from e2e.harness.wait import eventually

_SERVICES = yaml.safe_load(
    (Path(__file__).resolve().parents[2] / "host-native/packaging/compose.yaml").read_text()
)["services"]


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    """With the user, the password and the database that the compose file gives it."""
    settings = _SERVICES["postgres"]["environment"]
    with Postgres(settings["POSTGRES_USER"], settings["POSTGRES_PASSWORD"], settings["POSTGRES_DB"]) as server:
        yield server


def test_mlflow_as_the_compose_file_installs_it_starts_on_postgresql(postgres: Postgres, tmp_path: Path) -> None:
    service = _SERVICES["mlflow"]
    environment = tmp_path / "environment"
    (install,) = re.findall(r"(pip install .+?) *\\\n", service["build"]["dockerfile_inline"])
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True, timeout=120)
    # With a cache, unlike in an image: that changes nothing that is installed.
    words = [word for word in shlex.split(install) if word != "--no-cache-dir"]
    subprocess.run([f"{environment}/bin/{words[0]}", "--quiet", *words[1:]], check=True, timeout=500)

    (port,) = free_ports(1)
    program, *arguments = service["command"]
    changed = {"@postgres/": f"@127.0.0.1:{postgres.port}/", "--host=0.0.0.0": "--host=127.0.0.1", ":5000": f":{port}"}
    changed["--port=5000"] = f"--port={port}"
    for old, new in changed.items():
        assert any(old in argument for argument in arguments), old
        arguments = [argument.replace(old, new) for argument in arguments]
    variables = clean_environment(**service["environment"], MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false")
    command = [str(environment / "bin" / program), *arguments, "--workers=1"]
    mlflow = Process("mlflow", command, variables, tmp_path / "mlflow.log", tmp_path)
    try:

        def healthy() -> bool:
            mlflow.require_running()
            return request("GET", f"http://127.0.0.1:{port}/health").status == 200

        eventually(healthy, "MLflow to be healthy", within=120)
        # It reads its database.
        found = request(
            "POST",
            f"http://127.0.0.1:{port}/api/2.0/mlflow/experiments/search",
            b'{"max_results": 1}',
            {"content-type": "application/json"},
        ).require(200)
        assert b"Default" in found.body
    finally:
        mlflow.kill()
