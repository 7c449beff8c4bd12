"""The compose file's MLflow, as its image installs and starts it, on a real PostgreSQL.

Images themselves are not started: there is no registry to load them from. Needs root, since PostgreSQL refuses to run as root and
is started as another user.
"""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from e2e.harness.environment import clean_environment
from e2e.harness.http import request
from e2e.harness.ports import free_ports, is_listening
from e2e.harness.process import Process
from e2e.harness.wait import eventually

_SERVICES = yaml.safe_load(
    (Path(__file__).resolve().parents[2] / "host-native/packaging/compose.yaml").read_text()
)["services"]


@pytest.fixture
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server with the user, the password and the database that the compose file gives it."""
    (tools,) = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1:]
    settings = _SERVICES["postgres"]["environment"]
    folder = tmp_path_factory.mktemp("postgres")
    for parent in [folder, *folder.parents]:
        if parent.is_relative_to("/tmp") and parent != Path("/tmp"):
            parent.chmod(0o755)
    shutil.chown(folder, "postgres")
    (folder / "password").write_text(settings["POSTGRES_PASSWORD"])
    (port,) = free_ports(1)
    as_user = ["/usr/sbin/runuser", "-u", "postgres", "--"]
    initdb = [f"{tools}/initdb", "--pgdata", f"{folder}/data", f"--username={settings['POSTGRES_USER']}"]
    initdb += [f"--pwfile={folder}/password", "--auth=scram-sha-256"]
    subprocess.run([*as_user, *initdb], check=True, capture_output=True, cwd="/", timeout=120)
    server = [f"{tools}/postgres", "-D", f"{folder}/data", "-h", "127.0.0.1", "-p", str(port), "-k", str(folder)]
    process = Process("postgres", [*as_user, *server], clean_environment(), folder / "postgres.log", Path("/"))
    try:
        eventually(lambda: is_listening(port), "PostgreSQL to listen")
        create = [f"{tools}/createdb", f"--host={folder}", f"--port={port}", f"--username={settings['POSTGRES_USER']}"]
        environment = clean_environment(PGPASSWORD=settings["POSTGRES_PASSWORD"])
        subprocess.run([*create, settings["POSTGRES_DB"]], check=True, env=environment, timeout=60)
        yield port
    finally:
        process.kill()


def test_mlflow_as_the_compose_file_installs_it_starts_on_postgresql(postgres: int, tmp_path: Path) -> None:
    service = _SERVICES["mlflow"]
    environment = tmp_path / "environment"
    (install,) = re.findall(r"(pip install .+?) *\\\n", service["build"]["dockerfile_inline"])
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True, timeout=120)
    # With a cache, unlike in an image: that changes nothing that is installed.
    words = [word for word in shlex.split(install) if word != "--no-cache-dir"]
    subprocess.run([f"{environment}/bin/{words[0]}", "--quiet", *words[1:]], check=True, timeout=500)

    (port,) = free_ports(1)
    program, *arguments = service["command"]
    changed = {"@postgres/": f"@127.0.0.1:{postgres}/", "--host=0.0.0.0": "--host=127.0.0.1", ":5000": f":{port}"}
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
