"""Experiments as the core's requests and MLflow's answers name them, for the URLs that people see."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit


def experiment_url(tracking_uri: str, experiment_id: str) -> str:
    """Where MLflow's UI lists the traces of an experiment."""
    return f"{tracking_uri}/#/experiments/{experiment_id}/traces"


def named_experiment(request: dict[str, Any], answer: bytes) -> tuple[str, str] | None:
    """Name and id of the experiment that a request looked up or created."""
    path = urlsplit(request["path"])
    is_lookup = path.path.endswith("/experiments/get-by-name")
    if not is_lookup and not path.path.endswith("/experiments/create"):
        return None
    try:
        found = json.loads(answer)
        name = parse_qs(path.query)["experiment_name"][0] if is_lookup else json.loads(request["body"])["name"]
        return str(name), str(found["experiment"]["experiment_id"] if is_lookup else found["experiment_id"])
    except (ValueError, KeyError, IndexError, TypeError):
        return None
