"""The newest MLflow as a company runs it, all at once: PostgreSQL, workers, S3, passwords, a path prefix, workspaces."""

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from e2e.harness.auth import PASSWORD, USERNAME, basic_auth_server, make_password_cheap
from e2e.harness.http import request
from e2e.harness.mlflow_server import MlflowServer
from e2e.harness.object_store import BUCKET, CREDENTIALS, ObjectStore
from e2e.harness.postgres import Postgres

_WORKERS = 2
_PREFIX = "/tracking"
_WORKSPACE = "team-a"


@dataclass(frozen=True)
class Deployment:
    """Running. `variables` are what a client and a gateway need to reach its workspace."""

    uri: str
    variables: dict[str, str]
    objects: ObjectStore
    log: Path


@contextmanager
def deployment(folder: Path) -> Iterator[Deployment]:
    objects = ObjectStore(folder / "objects")
    with Postgres("mlflow", "a-password-for-tests-only", "mlflow") as database:
        try:
            objects.start()
            server = _server(folder / "server", database, objects)
            try:
                server.start()
                make_password_cheap(folder / "server")
                _create_workspace(server.uri)
                variables = {
                    "MLFLOW_TRACKING_USERNAME": USERNAME,
                    "MLFLOW_TRACKING_PASSWORD": PASSWORD,
                    "MLFLOW_WORKSPACE": _WORKSPACE,
                }
                yield Deployment(server.uri, variables, objects, server.log)
            finally:
                server.kill()
        finally:
            objects.kill()


def _server(folder: Path, database: Postgres, objects: ObjectStore) -> MlflowServer:
    return basic_auth_server(
        folder,
        None,
        *("--backend-store-uri", f"postgresql+psycopg2://{database.address}"),
        *("--artifacts-destination", f"s3://{BUCKET}"),
        *("--workers", str(_WORKERS)),
        "--enable-workspaces",
        prefix=_PREFIX,
        environment={"MLFLOW_S3_ENDPOINT_URL": objects.uri, **CREDENTIALS},
    )


def authorization() -> dict[str, str]:
    """The header of a request by the administrator."""
    return {"authorization": f"Basic {b64encode(f'{USERNAME}:{PASSWORD}'.encode()).decode()}"}


def _create_workspace(uri: str) -> None:
    body = json.dumps({"name": _WORKSPACE}).encode()
    headers = {"content-type": "application/json", **authorization()}
    request("POST", f"{uri}/api/3.0/mlflow/workspaces", body, headers).require(200, 201)
