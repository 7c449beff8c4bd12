"""The gateway from source, as docs/install.md says. It compiles for ten minutes unless `make build` has."""

import os
import subprocess
from pathlib import Path

from e2e.harness.readback import Reader
from install import commands
from install.measure import deliver

_REPOSITORY = Path(__file__).resolve().parents[2]


def test_cargo_installs_the_gateway(mlflow: Reader, tmp_path: Path) -> None:
    for command in (commands.RUST_TARGET, f"{commands.SOURCE} --root {tmp_path}/installed"):
        done = subprocess.run(command.split(), cwd=_REPOSITORY, capture_output=True, text=True, timeout=3600, env=os.environ)
        assert done.returncode == 0, done.stderr[-3000:]
    cache = {"XDG_CACHE_HOME": f"{tmp_path}/cache", "HOME": str(tmp_path)}
    program = [f"{tmp_path}/installed/bin/openinference-mlflow"]
    deliver(program, tmp_path, f"{tmp_path}/data", mlflow, "from source", environment=cache)
