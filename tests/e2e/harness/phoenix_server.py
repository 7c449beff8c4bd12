"""A real Phoenix server on loopback (`make setup-phoenix`): SQLite store, its own folder, read back over its REST API.

Its gRPC port listens on every address: Phoenix has no setting for that. Tests send to 127.0.0.1.
"""

import json
import os
import secrets
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from e2e.harness.environment import clean_environment
from e2e.harness.http import Answer, request
from e2e.harness.http_server_process import HttpServerProcess
from e2e.harness.ports import free_ports

_COMMAND = Path(__file__).resolve().parents[3] / ".venv-phoenix" / "bin" / "phoenix"

_PAGE = 1000


class PhoenixServer(HttpServerProcess):
    """`start` and `stop` may alternate: the store, the ports and so the addresses stay the same.

    OTLP goes to `f"{uri}/v1/traces"` (HTTP) or `grpc` (gRPC); the resource attribute `openinference.project.name` names
    the project, which is `default` without it. With `asks_for_keys` nobody gets in without one, as in a shared Phoenix.
    """

    name = "phoenix"
    health_path = "/healthz"
    # Importing it takes 12 s of CPU time; two busy cores need most of this.
    start_timeout_s = 180.0

    def __init__(self, folder: Path, *, asks_for_keys: bool = False) -> None:
        port, self._grpc_port = free_ports(2)
        super().__init__(folder, port)
        # Phoenix wants a digit and a lower-case letter in each, and two that differ.
        self._secret, self.admin_secret = (f"a1{secrets.token_hex(24)}" if asks_for_keys else "" for _ in range(2))

    @property
    def credentials(self) -> dict[str, str]:
        """The headers with which the tests get in."""
        return {"authorization": f"Bearer {self.admin_secret}"} if self.admin_secret else {}

    def make_api_key(self, name: str) -> str:
        """A key as an administrator makes it in Phoenix's settings."""
        made = self._post("/v1/system/api_keys", {"name": name}).require(201)
        return json.loads(made.body)["data"]["key"]

    @property
    def grpc(self) -> str:
        return f"http://127.0.0.1:{self._grpc_port}"

    def _command(self) -> list[str]:
        assert _COMMAND.exists(), f"{_COMMAND} is missing: run `make setup-phoenix`"
        return [os.fspath(_COMMAND), "serve"]

    def _environment(self) -> dict[str, str]:
        shared = {"PHOENIX_ENABLE_AUTH": "true", "PHOENIX_SECRET": self._secret, "PHOENIX_ADMIN_SECRET": self.admin_secret}
        return clean_environment(
            **(shared if self.admin_secret else {}),
            PHOENIX_HOST="127.0.0.1",
            PHOENIX_PORT=str(self._port),
            PHOENIX_GRPC_PORT=str(self._grpc_port),
            PHOENIX_WORKING_DIR=str(self._folder),
            PHOENIX_TELEMETRY_ENABLED="false",
            PHOENIX_ALLOW_EXTERNAL_RESOURCES="false",
        )

    def spans(self, project: str = "default") -> list[dict[str, Any]]:
        """Every span of a project in OTLP/JSON's words (hexadecimal `trace_id`, `span_id`); none before the first one.

        Phoenix answers an export before it has stored it: wait with `eventually`.
        """
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            query = urllib.parse.urlencode({"limit": _PAGE} | ({"cursor": cursor} if cursor else {}))
            path = f"/v1/projects/{urllib.parse.quote(project, safe='')}/spans/otlpv1?{query}"
            try:
                asked = urllib.request.Request(self.uri + path, headers=self.credentials)
                with urllib.request.urlopen(asked, timeout=30) as answer:
                    page = json.load(answer)
            except urllib.error.HTTPError as error:
                if error.code == 404:  # no such project yet
                    return found
                raise
            found += page["data"]
            cursor = page["next_cursor"]
            if cursor is None:
                return found

    def annotate(self, scope: str, **annotation: object) -> None:
        """Store an annotation of a `span`, a `trace` or a `session` that Phoenix has, over one of the same name."""
        self._post(f"/v1/{scope}_annotations?sync=true", [{"annotator_kind": "HUMAN"} | annotation]).require(200)

    def _post(self, path: str, data: object) -> Answer:
        body = json.dumps({"data": data}).encode()
        return request("POST", self.uri + path, body, {"content-type": "application/json"} | self.credentials)
