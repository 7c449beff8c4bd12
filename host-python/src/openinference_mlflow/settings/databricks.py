"""A Databricks workspace as tracking URI: `databricks`, or `databricks://PROFILE`.

Host and token are looked up as Databricks' own tools do: `DATABRICKS_HOST` and `DATABRICKS_TOKEN` win, and a profile of
`~/.databrickscfg` brings what they leave open.
"""

from __future__ import annotations

import configparser
import re
from pathlib import Path
from typing import NamedTuple

from openinference_mlflow.settings.environment import Complain, read_text

_NOTHING = "no traces are collected"


class Workspace(NamedTuple):
    """`host` may lack its scheme. Spans go to `trace_location` in Unity Catalog."""

    host: str
    token: str
    trace_location: str


def is_databricks(uri: str) -> bool:
    return uri == "databricks" or uri.startswith("databricks://")


def find_workspace(uri: str, token: str | None, trace_location: str | None, complain: Complain) -> Workspace | None:
    """The workspace of a tracking URI; options win. Returns `None` if something is missing, and says what."""
    try:
        host, token = _access(uri.removeprefix("databricks").removeprefix("://").rstrip("/"), token)
    except LookupError as error:
        complain(
            f"{_NOTHING}: the tracking URI names a Databricks workspace, but {error.args[0]}; set DATABRICKS_HOST and "
            "DATABRICKS_TOKEN, or name a profile that has a host and a token (databricks://PROFILE)"
        )
        return None
    location = trace_location or read_text("MLFLOW_TRACING_DESTINATION") or ""
    if not re.fullmatch(r"[!-\-/-~]+(\.[!-\-/-~]+){1,2}", location):
        complain(
            f"{_NOTHING}: a Databricks workspace takes OpenTelemetry spans into Unity Catalog; name the location that "
            "an experiment is linked to with MLFLOW_TRACING_DESTINATION, as catalog.schema.prefix or catalog.schema"
        )
        return None
    return Workspace(host if "://" in host else f"https://{host}", token, location)


def _access(named: str, token: str | None) -> tuple[str, str]:
    if ":" in named:
        raise LookupError("a secret scope in the tracking URI is not supported")
    host, token = read_text("DATABRICKS_HOST"), token or read_text("DATABRICKS_TOKEN")
    name = named or read_text("DATABRICKS_CONFIG_PROFILE")
    if name is None and (host or token):
        if host and token:
            return host, token
        raise LookupError(f"{'DATABRICKS_TOKEN' if host else 'DATABRICKS_HOST'} is not set")
    profile = _profile(name or "DEFAULT")
    found = {"host": host or profile.get("host"), "token": token or profile.get("token")}
    missing = [key for key, value in found.items() if not value]
    if missing:
        raise LookupError(f"the profile {name or 'DEFAULT'} has no {missing[0]}")
    return str(found["host"]), str(found["token"])


def _profile(name: str) -> dict[str, str]:
    file = Path(read_text("DATABRICKS_CONFIG_FILE") or "~/.databrickscfg").expanduser()
    # As in Databricks' tools, no profile inherits from [DEFAULT].
    profiles = configparser.ConfigParser(default_section="", interpolation=None, strict=False)
    try:
        profiles.read_string(file.read_text())
    except (OSError, UnicodeDecodeError, configparser.Error):
        raise LookupError(f"{file} cannot be read") from None
    if not profiles.has_section(name):
        raise LookupError(f"{file} has no profile {name}")
    return dict(profiles[name])
