"""A real MLflow server that asks for a password: `mlflow server --app-name basic-auth`."""

import sqlite3
from contextlib import closing
from pathlib import Path

from werkzeug.security import generate_password_hash

from e2e.harness.mlflow_server import MlflowServer

USERNAME = "admin"
PASSWORD = "a-password-for-tests-only"

_CONFIG = """\
[mlflow]
default_permission = READ
database_uri = sqlite:///{database}
admin_username = {username}
admin_password = {password}
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
"""


def basic_auth_server(
    folder: Path,
    store: Path | None,
    *extra_arguments: str,
    prefix: str = "",
    environment: dict[str, str] | None = None,
) -> MlflowServer:
    """Not started yet. `USERNAME` and `PASSWORD` are its administrator's."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "auth.ini"
    config.write_text(_CONFIG.format(database=folder / "auth.db", username=USERNAME, password=PASSWORD))
    return MlflowServer(
        folder,
        store=store,
        extra_arguments=("--app-name", "basic-auth", *extra_arguments),
        environment={
            "MLFLOW_AUTH_CONFIG_PATH": str(config),
            "MLFLOW_FLASK_SERVER_SECRET_KEY": "for-tests-only",
            **(environment or {}),
        },
        prefix=prefix,
    )


def make_password_cheap(folder: Path) -> None:
    """Of a server that runs. It checks the password's hash at every request, and the usual hash takes a tenth of a second."""
    with closing(sqlite3.connect(folder / "auth.db")) as database, database:
        database.execute("UPDATE users SET password_hash = ?", [generate_password_hash(PASSWORD, "pbkdf2:sha256:1")])
